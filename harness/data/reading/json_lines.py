"""One line of a JSON lines file, read as whatever JSON value it holds."""

from __future__ import annotations

import json
import re
from typing import Any

from harness.errors import DataError

_MAY_BE_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def read_json_line(line: str, where: str) -> Any:
    """Read the value of a line.

    Args:
        line: the text.
        where: file and line, for the error.

    Raises:
        DataError: it is no JSON, nests or counts further than Python reads, or escapes half a
            letter, which no file name and no text may hold.
    """
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: no JSON ({error.msg} at character {error.pos + 1})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: no JSON that can be read ({error})") from error
    if _MAY_BE_HALF.search(line) and not _is_text(json.dumps(value, ensure_ascii=False)):
        raise DataError(f"{where}: escapes half a letter (\\ud800 to \\udfff); write the letter itself")
    return value


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
