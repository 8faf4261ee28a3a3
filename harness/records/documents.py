"""JSON documents: one canonical spelling, hashes, and validated reading."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import RequestError, naming, unreadable
from harness.records.damage import DamagedFile

_MAY_BE_HALF = re.compile(r"\\u[dD][89a-fA-F]")

Model = TypeVar("Model", bound=BaseModel)

Document = dict[str, Any]
"""An object of plain JSON types."""

LARGEST = 20_000_000
"""Bytes of a document that are read at most; a published record has some 20,000."""

DEEPEST = 32
"""Lists and tables within each other at most; those of records and their companions are 7."""

LONGEST = 10_000
"""Characters of a text, or of a name, within a document."""

_DIGITS = 20
"""Of an integer: more than any that a record counts or seeds by, and less than Python refuses."""


class Part(BaseModel):
    """A part of a document: frozen, unknown keys and numbers that JSON cannot hold refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def canonical_json(document: Any) -> str:
    """Spell a document with sorted keys and no spaces; NaN and infinity are refused.

    Raises:
        ValueError: a number is not finite.

    >>> canonical_json({"b": 1, "a": [1.5, None]})
    '{"a":[1.5,null],"b":1}'
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def readable_json(document: Any) -> str:
    """Spell a document indented, for people and for line-by-line differences."""
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n"


def digest(document: Any) -> str:
    """Return the sha256 of a document's canonical JSON, in hexadecimal."""
    return sha256(canonical_json(document).encode())


def sha256(content: bytes) -> str:
    """Return the sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with naming(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def leaves(content: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every plain value within tables and lists, with its dotted place.

    >>> list(leaves({"a": [1, {"b": 2}], "c": None}))
    [('a.0', 1), ('a.1.b', 2), ('c', None)]
    """
    if not isinstance(content, dict | list | tuple):
        yield place, content
        return
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield from leaves(value, f"{place}.{key}" if place else str(key))


def finite_or_none(value: float) -> float | None:
    """Return a number that JSON can hold: None for NaN and infinity."""
    return value if math.isfinite(value) else None


def read_document(
    path: Path, model: type[Model], called: str, current: Callable[[Any, str], Document]
) -> Model:
    """Read a JSON file as a model.

    Args:
        path: the file.
        model: class of its content.
        called: the model's name in errors, with its article: `a record`.
        current: returns the file's content as the model's schema has it, or refuses it; takes the
            content and the file's name.

    Raises:
        RequestError: the file is absent.
        DamagedFile: it is not JSON, tells a key twice, is beyond the bounds of documents
            (`LARGEST`, `DEEPEST`, `LONGEST`), or does not fit the model.
    """
    try:
        content = _parse(path)
        return model.model_validate(current(content, str(path)))
    except OSError as error:
        raise RequestError(unreadable(path, error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DamagedFile(f"{path}: not {called}: {where:.200}: {first['msg']:.200}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path}: not JSON ({error})") from error


def _parse(path: Path) -> Any:
    """Read a file of JSON within the bounds of documents.

    Raises:
        DamagedFile: it is too large, too deep, holds a text that is too long or half a letter.
        ValueError, RecursionError: it is not JSON, or tells a key twice.
    """
    with path.open("rb") as file:
        read = file.read(LARGEST + 1)
    if len(read) > LARGEST:
        raise DamagedFile(f"{path}: more than {LARGEST:,} bytes, which no document of ours has")
    text = read.decode()
    content = json.loads(
        text,
        parse_float=_finite,
        parse_constant=_finite,
        parse_int=_integer,
        object_pairs_hook=_table,
    )
    if holds_half_letters(text, content):
        raise DamagedFile(f"{path}: escapes half a letter (\\ud800 to \\udfff)")
    if reason := _beyond_bounds(content):
        raise DamagedFile(f"{path}: {reason}")
    return content


def _beyond_bounds(content: Any) -> str:
    """Say how a document is too deep, or a text in it too long; empty if it is not."""
    level = [content]
    for _ in range(DEEPEST + 1):
        inside = [each for each in level if isinstance(each, dict | list)]
        texts = (each for each in level if isinstance(each, str))
        names = (name for each in inside if isinstance(each, dict) for name in each)
        if any(len(text) > LONGEST for text in chain(texts, names)):
            return f"holds a text of more than {LONGEST:,} characters"
        if not inside:
            return ""
        level = [
            value
            for each in inside
            for value in (each.values() if isinstance(each, dict) else each)
        ]
    return f"more than {DEEPEST} lists and tables within each other"


def holds_half_letters(text: str, value: Any) -> bool:
    r"""Return True if JSON escapes half of a surrogate pair, which no written text may hold.

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
    """Read a number that JSON can hold.

    Raises:
        ValueError: NaN, infinity, or more than a float holds: no document of ours could say it.
    """
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:24]} is no finite number")
    return value


def _integer(text: str) -> int:
    """Read a whole number of a size that something is counted in.

    Raises:
        ValueError: it has more digits.
    """
    if len(text) > _DIGITS:
        raise ValueError(f"{text[:_DIGITS]}... has {len(text)} digits, at most {_DIGITS} are read")
    return int(text)


def _table(pairs: list[tuple[str, Any]]) -> Document:
    """Return a table whose keys are told once: readers differ in which of two they take.

    Raises:
        ValueError: a key comes twice.
    """
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice[:60]!r} is told twice")
    return table


def check_schema(schema: int, called: str, content: Any, where: str) -> Document:
    """Return a file's content if it is of the one schema that there is.

    Args:
        schema: its number.
        called: name of the schema in errors.
        content: what the file holds.
        where: the file, for errors.

    Raises:
        RequestError: it is of none, or of another.
    """
    found = content.get("schema") if isinstance(content, dict) else None
    # The type is compared too: JSON's true equals 1 in Python, and so does 1.0.
    if type(found) is not int or found != schema:
        raise RequestError(f"{where}: {called} schema {found!r}; this program reads {schema}")
    return dict(content)
