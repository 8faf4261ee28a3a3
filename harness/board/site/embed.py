"""Data within a page: text that no parser takes for anything but JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from markupsafe import Markup

_ESCAPES = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})


def embedded(document: Any) -> Markup:
    r"""Write a document as JSON that may stand within a `script` element.

    >>> str(embedded({"name": "</script>"}))
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # The characters escaped may only stand within strings, where an escape means the same.
    return Markup(text.translate(_ESCAPES))


def source_hash(text: str) -> str:
    """The name by which a content security policy allows an inline script or style sheet."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
