"""What a network takes, read off its source: nothing is imported for it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from adapters.upstream_source import Source


@dataclass(frozen=True)
class Signature:
    """The arguments of a network.

    Attributes:
        network: its name, for errors.
        names: those that can be given by name.
        required: those that must be.
        defaults: the values of the others, where they are plain.
        any_other: whether it takes others too.
    """

    network: str
    names: tuple[str, ...]
    required: tuple[str, ...]
    defaults: dict[str, Any]
    any_other: bool

    def check(self, arguments: dict[str, Any]) -> None:
        """Hold arguments against what the network takes.

        Raises:
            ValueError: one is unknown, or one is missing.
        """
        for name in arguments:
            if name not in self.names and not self.any_other:
                close = get_close_matches(name, self.names, n=1)
                mend = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(self.names)}"
                raise ValueError(f"arguments.{name}: {self.network} does not take it; {mend}")
        missing = [name for name in self.required if name not in arguments]
        if missing:
            raise ValueError(
                f"arguments.{missing[0]}: missing; {self.network} must be given "
                f"{', '.join(self.required)}"
            )


def signature(source: Source) -> Signature:
    """The arguments of a network by its source; of a class, those of its `__init__`."""
    return _signature(source.digest, source.name, source.files[source.module].read_bytes())


@cache
def _signature(digest: str, name: str, text: bytes) -> Signature:
    del digest
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return _of(name, node.args, bound=False)
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _of_class(name, node)
    return Signature(name, (), (), {}, any_other=True)


def _of_class(name: str, node: ast.ClassDef) -> Signature:
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return _of(name, inner.args, bound=True)
    return Signature(name, (), (), {}, any_other=True)  # its base's, which is elsewhere


def _of(network: str, takes: ast.arguments, *, bound: bool) -> Signature:
    places = takes.args[bound:]
    given: list[ast.expr | None] = [None] * (len(places) - len(takes.defaults))
    values = dict(zip([each.arg for each in places], [*given, *takes.defaults], strict=False))
    values |= {a.arg: d for a, d in zip(takes.kwonlyargs, takes.kw_defaults, strict=True)}
    return Signature(
        network,
        names=tuple(values),
        required=tuple(name for name, value in values.items() if value is None),
        defaults={name: value.value for name, value in values.items() if _plain(value)},  # type: ignore[union-attr]
        any_other=takes.kwarg is not None,
    )


def _plain(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant)
