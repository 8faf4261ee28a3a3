"""One line of a JSON lines file, read as whatever JSON value it holds."""

from __future__ import annotations

import json
from typing import Any

from harness.errors import DataError
from harness.records.documents import holds_half_letters


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
    if holds_half_letters(line, value):
        raise DataError(f"{where}: escapes half a letter (\\ud800 to \\udfff); write it whole")
    return value
