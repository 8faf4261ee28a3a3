"""Train in processes that are killed: `python -m tests.train.killed_trainings FOLDER KILLS`.

Torch is imported once; each training runs in a fork that kills itself (SIGKILL) at a random moment
of a random step, and the next one goes on, until so many were killed. Every other one flushes its
series at every step, as one of long steps does: what follows a resume point has to be cut off.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from harness.series import series_file
from harness.train.training_plan import Validation
from harness.train.training_progress import resume_step
from tests.train.small_training import RECIPE, trained

STEPS = 60
LONGER = RECIPE.model_copy(
    update={"steps": STEPS, "validations": 6, "checkpoints": 12, "vector_epochs": (2, 7, 20)}
)
ENDED = 3


def train_on(folder: Path, kill_at: int | None, delay: float = 0.0) -> None:
    """Train in a folder, and die `delay` seconds after a step has begun to be told of."""

    def report(step: int, steps: int, loss: float) -> None:
        if step == kill_at:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
            time.sleep(0.002)

    def validate(judged: object) -> Validation:
        return Validation({"eer": 0.25, "threshold": 0.5})

    trained(folder, LONGER, report=report, validate=validate)


def main(folder: Path, kills: int) -> None:
    """Train quietly; then in folders of their own until so many were killed, and one was not."""
    chance, done, number = random.Random(kills), 0, 0
    quiet = os.fork()
    if quiet == 0:
        train_on(folder / "quiet", None)
        os._exit(ENDED)
    os.waitpid(quiet, 0)
    for tried in itertools.count():
        place = folder / "killed" / str(number)
        ahead, delay = chance.randint(1, 20), chance.random() * 0.01
        process = os.fork()
        if process == 0:
            if tried % 2:
                series_file.FLUSH_SECONDS = 0.0
            kill_at = (resume_step(place) or 0) + ahead
            train_on(place, kill_at if done < kills else None, delay)
            os._exit(ENDED)
        _, status = os.waitpid(process, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status) != ENDED:
            sys.exit("a training failed")
        done, number = done + killed, number + (not killed)
        if not killed and done >= kills:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
