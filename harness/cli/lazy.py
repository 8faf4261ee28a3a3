"""Commands that are imported when they are called, so that a list of them costs no library."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

FOLDER = Path(__file__).parent


class LazyCommand(TyperCommand):
    """A command that stands for a function until it is called.

    Args:
        name: of the command.
        target: `module:function`, the module below `harness.cli`.
    """

    def __init__(self, name: str, target: str) -> None:
        super().__init__(name)
        self._module, _, self._function = target.partition(":")

    def _docstring(self) -> str | None:
        source = (FOLDER / f"{self._module}.py").read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef) and node.name == self._function:
                return ast.get_docstring(node)
        raise LookupError(f"{self._module}.py: no function {self._function}")

    # The base class sets a text when it is made; parsing the source waits until help is read.
    help = property(_docstring, lambda _self, _text: None)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Begin a call; the context holds the imported command, which is invoked."""
        return self._imported().make_context(*args, **extra)

    def _imported(self) -> Any:
        module = import_module(f"harness.cli.{self._module}")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(self.name)(getattr(module, self._function))
        return typer.main.get_command(app)


def lazy_commands(targets: Mapping[str, str]) -> dict[str, Any]:
    """Make a command of each name and its target."""
    return {name: LazyCommand(name, target) for name, target in targets.items()}
