"""JSON files of a known shape: read whole, or refused with the file and the place named."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import RequestError

_MAY_BE_HALF = re.compile(r"\\u[dD][89a-fA-F]")

Model = TypeVar("Model", bound=BaseModel)

Document = dict[str, Any]
"""An object of plain JSON types."""


def read_document(
    path: Path, model: type[Model], called: str, current: Callable[[Any, str], Document]
) -> Model:
    """Read a JSON file as a model.

    Args:
        path: the file.
        model: what it is to hold.
        called: the model's name in errors, with its article: `a record`.
        current: gives the file's content as the model's schema has it, or refuses it; takes the
            content and the file's name.

    Raises:
        RequestError: the file is absent, is not JSON, or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_float=_finite, parse_constant=_finite)
        if holds_half_letters(text, content):
            raise RequestError(f"{path}: escapes half a letter (\\ud800 to \\udfff)")
        return model.model_validate(current(content, str(path)))
    except OSError as error:
        raise RequestError(
            f"{path}: cannot be read: {error.strerror}; check its path and rights"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RequestError(f"{path}: not {called}: {where}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise RequestError(f"{path}: not JSON ({error})") from error


def holds_half_letters(text: str, value: Any) -> bool:
    r"""Whether JSON escapes half of a surrogate pair, which no text that is written may hold.

    Args:
        text: the JSON.
        value: what it was read as.

    >>> holds_half_letters(r'"\ud83d\ude00"', "\U0001f600")
    False
    >>> holds_half_letters(r'"\ud83d"', "\ud83d")
    True
    """
    if not _MAY_BE_HALF.search(text):
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _finite(text: str) -> float:
    """A number that JSON can hold.

    Raises:
        ValueError: NaN, infinity, or more than a float holds: no document of ours could say it.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def of_schema(content: Any, schema: int, called: str, where: str) -> Document:
    """A file's content, where it is of the one schema that there is.

    Raises:
        RequestError: it is of none, or of another.
    """
    told = content.get("schema") if isinstance(content, dict) else None
    # Told by type too: JSON's true is 1 to Python, and 1.0 is.
    if type(told) is not int or told != schema:
        raise RequestError(f"{where}: {called} schema {told!r}; this program reads {schema}")
    return dict(content)
