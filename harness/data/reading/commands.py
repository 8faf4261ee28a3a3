"""Sound that a shell command writes."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from harness.data.corpus import DamagedItem
from harness.errors import DataError

PATIENCE_S = 120.0
"""How long one command may run; what it decodes are minutes of sound at most."""

_SHOWN = 300
"""How many characters of a failed command's messages are shown: the last ones tell most."""


def allow_command(command: str, where: str, *, allowed: bool) -> str:
    """The source of an item whose sound a command writes: the command and a `|`.

    Args:
        command: a shell command.
        where: file and line, for the error.
        allowed: whether commands may run at all.

    Raises:
        DataError: they may not.
    """
    if not allowed:
        raise DataError(
            f"{where}: {command!r} is a command, and would run in a shell of this machine; "
            "`allow_commands = true` in the dataset's table lets it, where you trust the list"
        )
    return f"{command} |"


def command_output(command: str, folder: Path, seconds: float = PATIENCE_S) -> bytes:
    """Run a shell command in a folder, and return what it writes to its standard output.

    Raises:
        DamagedItem: it ends with an error, or takes longer than `seconds`.
    """
    with subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        output, complaint = _communicate(process, seconds)
    if process.returncode:
        end = complaint.decode(errors="replace").strip()[-_SHOWN:]
        raise DamagedItem(f"its command ends with {process.returncode}: {end}")
    return output


def _communicate(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        _kill(process)
        raise DamagedItem(f"its command takes longer than {seconds:g} s") from error
    except KeyboardInterrupt:
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the shell and all that it started; they are a group of their own."""
    os.killpg(process.pid, signal.SIGKILL)
