"""What a dead process's row says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.run.execute.subprocesses import why

CHAINED = (
    "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('gone') from error"
)
NOISY = "import atexit, sys; atexit.register(sys.stderr.write, 'a last word'); int('x')"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("raise ValueError('first line\\n  second line')", "ValueError: first line"),
        (CHAINED, "KeyError: 'gone'"),
        (NOISY, "ValueError: invalid literal for int() with base 10: 'x'"),
        ("import sys; sys.exit('no room')", "no room"),
        ("import os; os._exit(3)", "its process ended with status 3"),
        ("import os; os.abort()", "its process was ended by SIGABRT"),
        ("import os; os.kill(os.getpid(), 34)", "its process was ended by SIGRTMIN"),
        ("import os; os.kill(os.getpid(), 36)", "its process was ended by signal 36"),
    ],
)
def test_the_reason_of_a_real_death(program: str, reason: str) -> None:
    died = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert why(died.returncode, died.stderr) == reason
