"""TOML as the library writes it, with every unprintable character escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w


def document_text(document: Mapping[str, Any]) -> str:
    """Return a document as TOML."""
    return _spell(tomli_w.dumps(document))


def key_text(name: str) -> str:
    r"""Return a key, in quotes if it is no plain name.

    >>> key_text("a-1"), key_text("a\nb")
    ('a-1', '"a\\nb"')
    """
    return _spell(tomli_w.dumps({name: 0}).removesuffix(" = 0\n"))


def value_text(value: Any) -> str:
    r"""Return a value on one line: tables are written within braces.

    >>> value_text({"a": [1, "b\u2028"], "c": {}})
    '{ a = [1, "b\\u2028"], c = {} }'
    """
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{key_text(key)} = {value_text(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(value_text, value))}]"
    return _spell(tomli_w.dumps({"v": value}).removeprefix("v = ").removesuffix("\n"))


def comment(text: str) -> str:
    r"""Return a comment of one line, whatever the text holds.

    >>> comment("a\n[b]")
    '# a\\n[b]'
    """
    return "# " + "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _spell(text: str) -> str:
    """Escape unprintable characters: the library leaves them as they are within quotes."""
    codes = {ord(each) for each in text if not each.isprintable() and each != "\n"}
    return text.translate(
        {code: f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}" for code in codes}
    )
