"""How a command ends: errors become a message and an exit code, whatever its streams can take."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from harness.cli.output import complain
from harness.cli.streams import OUTPUT, drop_output, prepare_streams
from harness.errors import HarnessError, RequestError, file_error

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130

STOPPED = "stopped; the same command goes on from the last checkpoint"


def run_command(command: Callable[[], object]) -> int:
    """Run a command line to its end.

    Args:
        command: parses the command line and runs it.

    Returns:
        The exit code: 0 done, 1 something ran and failed, 2 the request was wrong.
    """
    prepare_streams()
    if sys.stdout is None:
        complain("standard output is closed; give it a place, as in > result.txt")
        return FAILED
    status = _ended(command)
    # Here, since the interpreter ends with a code of its own where its last flush fails.
    return _ended(sys.stdout.flush) or status


def _ended(act: Callable[[], object]) -> int:
    """The exit code of an act; a bug is left to raise."""
    try:
        act()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED if ended.code else DONE
    except KeyboardInterrupt:
        complain(STOPPED)
        return INTERRUPTED
    except HarnessError as error:
        return _answer(error)
    except UnicodeEncodeError as error:
        return _answer(_unspellable(error))
    except OSError as error:
        return _system_error(error)
    return DONE


def _answer(error: HarnessError) -> int:
    complain(str(error))
    return REFUSED if isinstance(error, RequestError) else FAILED


def _system_error(error: OSError) -> int:
    """Answer an error that no place nearer to its cause has named."""
    if error.errno == errno.EPIPE:  # whoever read standard output has enough
        drop_output()
        return FAILED
    told = file_error(error) or _lost_folder()
    if told is None:
        raise error
    if error.filename == OUTPUT:
        drop_output()
    return _answer(told)


def _lost_folder() -> HarnessError | None:
    try:
        os.getcwd()
    except FileNotFoundError:
        return RequestError("the folder that this command was given in is gone; go to another")
    return None


def _unspellable(error: UnicodeEncodeError) -> HarnessError:
    """An error about a name that the locale, or UTF-8, has no spelling for."""
    shown = error.object.encode("utf-8", "backslashreplace").decode()
    is_utf8 = error.encoding.replace("-", "").lower() == "utf8"
    mend = (
        "the name holds bytes that are not UTF-8; give it another"
        if is_utf8
        else f"the name is no {error.encoding} text, which the locale asks for; set PYTHONUTF8=1"
    )
    return RequestError(f"{shown[:200]}: {mend}")
