"""One spelling for every JSON document, so that equal content has equal bytes and hashes."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

from harness.errors import naming


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
    """The same content, indented for people and for line-by-line differences."""
    text = json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n"


def digest(document: Any) -> str:
    """Sha256 of a document's canonical JSON, in hexadecimal."""
    return sha256(canonical_json(document).encode())


def sha256(content: bytes) -> str:
    """Sha256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """Sha256 of a file's bytes, in hexadecimal."""
    with naming(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def finite_or_none(value: float) -> float | None:
    """A number that JSON can hold: None stands for NaN and infinity."""
    return value if math.isfinite(value) else None
