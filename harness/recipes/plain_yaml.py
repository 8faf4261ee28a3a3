"""Plain YAML of other projects: tables, lists, texts and numbers, bounded in all that can grow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import yaml

from harness.config.merging import read_source
from harness.errors import ConfigError, quoted

MOST_BYTES = 1 << 17
"""Recipes are a few KiB; reading so much takes a second."""

MOST_VALUES = 5_000
"""Values of a file, those that aliases repeat counted each time."""

DEEPEST = 32
"""Tables and lists within each other."""

LONGEST_TEXT = 4_096

LARGEST = 2**63
"""Integers of TOML have 64 bits."""

NAME = re.compile(r"\w[\w+-]{0,99}")
"""A plain name: letters, digits and _+-. A dot would be read as a table's."""

TAG = "tag:yaml.org,2002:"


BASES = {"0x": 16, "0o": 8, "0b": 2}

# The first pattern that a scalar matches gives its type: an integer comes before a float. Digits
# may be set apart by _ as in YAML 1.1 and in TOML; 1.1's octal 010 and minutes 1:30 are not read.
PATTERNS: tuple[tuple[str, str, list[str]], ...] = (
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", "(?i:yes|no|true|false|on|off)", list("yYnNtTfFoO")),
    ("int", "[-+]?([0-9][0-9_]*|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
    ("merge", "<<", ["<"]),
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a file of plain YAML, its numbers as YAML 1.2 has them (`1e-4` is one).

    No object of it is made, whatever it names.

    Raises:
        ConfigError: it is absent, holds something else, or more than a recipe can hold.
    """
    content = read_source(path, "the YAML file in it", MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ConfigError(
            f"{path}: not plain YAML of a recipe: longer than {MOST_BYTES:,} bytes; "
            "give the file that the recipe is in"
        )
    try:
        loader = _Loader(content)
        document = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        why = _one_line(", ".join(filter(None, (error.context, error.problem))))
        raise ConfigError(f"{path}: {place}not plain YAML: {why}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not plain YAML: {_one_line(str(error))}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: holds no table of parameters")
    return document


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if line.isprintable() and len(line) <= 200 else quoted(line, 200)


class _Refused(yaml.MarkedYAMLError):  # type: ignore[misc]
    def __init__(self, why: str, node: yaml.Node) -> None:
        super().__init__(problem=why, problem_mark=node.start_mark)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML's safe loader without its types beyond JSON's, and with bounds.

    Whether a file is within them is found while its nodes are put together, before anything is
    made of them: what aliases stand for is counted, and never written out.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        TAG + kind: yaml.SafeLoader.yaml_constructors[TAG + kind] for kind in ("null", "seq", "map")
    }

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._open = 0
        self._count = 0
        self._sizes: dict[yaml.Node, tuple[int, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        """Compose a node, and measure it with all that it holds."""
        event = self.peek_event()
        if self._open > DEEPEST:
            raise _Refused(f"more than {DEEPEST} tables and lists within each other", event)
        if self._count > MOST_VALUES:
            raise _Refused(f"more than {MOST_VALUES:,} values", event)
        self._open += 1
        self._count += 1
        node = super().compose_node(parent, index)
        self._open -= 1
        if isinstance(event, yaml.AliasEvent):
            if node not in self._sizes:
                raise _Refused("a value that holds itself", event)
        else:
            self._measure(node)
        return node

    def _measure(self, node: yaml.Node) -> None:
        inner: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            inner = [each for pair in node.value for each in pair]
            _check_keys(self, node)
        elif isinstance(node, yaml.SequenceNode):
            inner = node.value
        elif len(node.value) > LONGEST_TEXT:
            raise _Refused(f"a text of {len(node.value):,} characters", node)
        sizes = [self._sizes[each] for each in inner]
        count = 1 + sum(size for size, _ in sizes)
        depth = 1 + max((depth for _, depth in sizes), default=0)
        if count > MOST_VALUES:
            raise _Refused(f"more than {MOST_VALUES:,} values", node)
        if depth > DEEPEST:
            raise _Refused(f"more than {DEEPEST} tables and lists within each other", node)
        self._sizes[node] = count, depth

    def are_equal(self, one: yaml.Node, other: yaml.Node) -> bool:
        """Tell whether two nodes are one, or one value: `True` and `true` are."""
        if one is other:
            return True
        if not (isinstance(one, yaml.ScalarNode) and isinstance(other, yaml.ScalarNode)):
            return False
        same = self.construct_object(one) == self.construct_object(other)
        return one.tag == other.tag and bool(same)


def _check_keys(loader: _Loader, node: yaml.MappingNode) -> None:
    """Take every key as the text that it is, a plain name; two of one name must agree."""
    seen: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _Refused("a key that is a table or a list", key)
        if key.tag == TAG + "merge":
            continue
        if not NAME.fullmatch(key.value):
            raise _Refused(
                f"the key {quoted(key.value)} is no plain name "
                "(a name of letters, digits, _ + and - is expected)",
                key,
            )
        if not loader.are_equal(seen.setdefault(key.value, value), value):
            raise _Refused(f"the key {key.value} is given twice, with another value", key)
        key.tag = TAG + "str"


def _integer(_: _Loader, node: yaml.ScalarNode) -> int:
    text = str(node.value).replace("_", "").lower()
    base = next((base for sign, base in BASES.items() if text.lstrip("+-").startswith(sign)), 10)
    try:
        value = int(text, base)
    except ValueError as error:
        raise _Refused(f"{quoted(node.value)} is no integer", node) from error
    if not -LARGEST <= value < LARGEST:
        raise _Refused(f"the integer {quoted(node.value, 24)} does not fit 64 bits", node)
    return value


def _number(_: _Loader, node: yaml.ScalarNode) -> float:
    text = str(node.value).replace("_", "").lower()
    if text.lstrip("+-") in (".inf", ".nan"):
        text = text.replace(".", "")
    try:
        return float(text)
    except ValueError as error:
        raise _Refused(f"{quoted(node.value)} is no number", node) from error


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    text = loader.construct_scalar(node)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Refused("half of a surrogate pair, which is no character", node) from error
    return str(text)


def _flag(loader: _Loader, node: yaml.ScalarNode) -> bool:
    value = loader.bool_values.get(str(node.value).lower())
    if value is None:
        raise _Refused(f"{quoted(node.value)} is neither true nor false", node)
    return bool(value)


def _object(_: _Loader, node: yaml.Node) -> None:
    raise _Refused(
        f"the tag {quoted(node.tag, 50)} makes an object (of Python, or HyperPyYAML's); "
        "only tables, lists, texts and numbers are read",
        node,
    )


for _kind, _pattern, _first in PATTERNS:
    _Loader.add_implicit_resolver(TAG + _kind, re.compile(f"(?:{_pattern})$"), _first)
for _kind, _make in {"bool": _flag, "int": _integer, "float": _number, "str": _text}.items():
    _Loader.add_constructor(TAG + _kind, _make)
_Loader.add_constructor(None, _object)
