"""The commands, each imported when it is called, so that a list of them costs no library."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from harness.cli.endings import INTERRUPTED, STOPPED
from harness.cli.output import complain, output_for_results
from harness.config.trust import trust_only
from harness.errors import RequestError

ASKS_FOR_HELP = "harness.asks_for_help"
FOLDER = Path(__file__).parent

COMMANDS = {
    "run": "run:run",
    "extend": "extend:extend",
    "sweep": "sweep:sweep",
    "search": "search:search",
    "plan": "plan:plan",
    "choose": "choose:choose",
    "measure": "measure:measure",
    "evaluate": "evaluate:evaluate",
    "recipe": "recipe:recipe",
    "score": "score:score",
    "submit": "submit:submit",
    "reproduce": "reproduce:reproduce",
    "audit": "audit:audit",
    "report": "report:report",
    "health": "health:health",
    "compare": "compare:compare",
    "embed": "embed:embed",
    "predict": "predict:predict",
    "export": "export:export",
    "publish": "publish:publish",
    "verify": "verify:verify",
    "details": "verify:details",
    "series": "series:series",
    "watch": "watch:watch",
    "doctor": "doctor:doctor",
}
"""The function behind each command: `module:function`, the module in this folder."""

DATA = {
    "list": "data:list_",
    "check": "data:check",
    "prepare": "data:prepare",
    "freeze": "freeze:freeze",
}
BOARD = {
    "build": "board:build",
    "check": "board:check",
    "admit": "board:admit",
    "diff": "board:diff",
}
HISTORY = {
    "add": "history:add",
    "show": "history:show",
    "judge": "history:judge_lines",
    "board": "history:board",
    "build": "history:build",
    "check": "history:check",
}
RUNS = {
    "list": "runs:list_",
    "show": "runs:show",
    "watch": "runs:watch",
    "gc": "runs:gc",
}

GROUPS = {
    "data": ("Corpora: which are here, and whether they can be used.", DATA),
    "board": ("Published tables: made from records, held against them.", BOARD),
    "history": ("Figures night by night: added, judged, shown.", HISTORY),
    "runs": ("Runs: list, show and watch them, and clear what is no longer needed.", RUNS),
}
"""The help of each group, and its commands."""


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


class _Commands(TyperGroup):
    """The group of all commands; typer would end an interrupted one without a word."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = lazy_commands(COMMANDS)
        for name, (about, targets) in GROUPS.items():
            group = TyperGroup(name=name, help=about, commands=lazy_commands(targets))
            self.commands[name] = group

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note a wish for help, which is a result that typer prints by itself."""
        ctx.meta[ASKS_FOR_HELP] = "--help" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was chosen."""
        try:
            with nullcontext() if ctx.meta[ASKS_FOR_HELP] else output_for_results():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            complain(STOPPED)
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    name="harness",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def harness(
    safe: Annotated[
        bool,
        typer.Option(
            "--safe", help="Run no code that a benchmark file brings: only listed packages."
        ),
    ] = False,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", help="With --safe: an installed package to trust (repeatable)."),
    ] = None,
) -> None:
    """A benchmark and leaderboard harness for speaker verification and its neighbours."""
    if trust and not safe:
        raise RequestError("--trust: names a package that a --safe call may use; give --safe too")
    if safe:
        trust_only(trust or [])
