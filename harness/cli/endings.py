"""How a command ends: what it leaves on its streams, and its exit code."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable

from harness.cli.output import complain
from harness.errors import HarnessError, RequestError, file_error

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130

STOPPED = "stopped; the same command goes on from the last checkpoint"

PLAIN = "harness.plain"
"""The name of `_plain` among the ways to encode what an encoding does not know."""

ALIKE = str.maketrans("→←↑↓–—−×·…“”„‘’†‡●█▇▆▅▄▃▂▁", "><^v---x..\"\"\"''+#o########")
"""One character for one, so that the columns of a table stay."""


def run_command(command: Callable[[], object]) -> int:
    """Run a command line to its end.

    Args:
        command: ends by itself with `SystemExit`, or raises.

    Returns:
        The exit code: 0 done, 1 something ran and failed, 2 the request was wrong.
    """
    prepare_streams()
    if sys.stdout is None:
        complain("standard output is closed; give it a place, as in > result.txt")
        return FAILED
    return _flushed(_ended(command))


def prepare_streams() -> None:
    """Let standard output and standard error take any text, whatever their encoding is."""
    _open_standard_descriptors()
    codecs.register_error(PLAIN, _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=PLAIN)


def _ended(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as ended:
        return _status(ended.code)
    except KeyboardInterrupt:
        complain(STOPPED)
        return INTERRUPTED
    except HarnessError as error:
        return _refused(error)
    except BrokenPipeError:
        return FAILED  # whoever read has enough
    except UnicodeEncodeError as error:
        complain(_unspellable(error))
        return REFUSED
    except OSError as error:
        told = _output_error() or file_error(error) or _of_folder(error)
        if told is None:
            raise
        return _refused(told)
    return DONE


def _flushed(status: int) -> int:
    """Flush standard output; the interpreter would say of an error only that it ignored it."""
    failed = _output_error()
    if failed is None:
        return status
    if status == DONE:
        complain(str(failed))
    sys.stdout = open(os.devnull, "w", encoding="utf-8")
    return status or FAILED
