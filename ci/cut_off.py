"""Kill a command, and all that it started, once its training has a resume point.

`python -m ci.cut_off RUNS COMMAND...`; ends with 1 where the command ended before.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil


def main(runs: Path, command: list[str]) -> int:
    """Run the command until a training below `runs` can be resumed, then kill it."""
    with subprocess.Popen(command) as started:
        while started.poll() is None and not list(runs.glob("stages/train-*/resume*")):
            time.sleep(0.005)
        if started.poll() is not None:
            sys.stderr.write("the training ended before it could be cut off; give it more STEPS\n")
            return 1
        parent = psutil.Process(started.pid)
        for process in [*parent.children(recursive=True), parent]:
            with suppress(psutil.NoSuchProcess):  # it ended with the one before
                process.kill()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
