"""The commands, and what an error becomes: a message and an exit code."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import typer
from typer.core import TyperGroup

from harness.cli.endings import INTERRUPTED, STOPPED
from harness.cli.lazy import lazy_commands
from harness.cli.output import complain, output_for_results

ASKS_FOR_HELP = "harness.asks_for_help"


COMMANDS = {
    "run": "run:run",
    "plan": "plan:plan",
    "measure": "measure:measure",
    "evaluate": "evaluate:evaluate",
    "recipe": "recipe:recipe",
    "score": "score:score",
    "submit": "submit:submit",
    "reproduce": "reproduce:reproduce",
    "publish": "publish:publish",
    "verify": "verify:verify",
    "details": "details:details",
    "doctor": "doctor:doctor",
}
"""The function behind each command: `module:function`, the module in this folder."""

DATA = {
    "list": "data:list_",
    "check": "data:check",
    "prepare": "prepare:prepare",
    "freeze": "freeze:freeze",
}
BOARD = {
    "build": "board:build",
    "check": "board:check",
    "admit": "admit:admit",
    "diff": "board:diff",
}
HISTORY = {
    "add": "history:add",
    "show": "history:show",
    "judge": "history:judge_lines",
    "build": "history:build",
    "check": "history:check",
}
RUNS = {"list": "runs:list_", "show": "runs:show", "gc": "runs:gc"}

GROUPS = {
    "data": ("Corpora: which are here, and whether they can be used.", DATA),
    "board": ("Published tables: made from records, held against them.", BOARD),
    "history": ("Figures night by night: added, judged, shown.", HISTORY),
    "runs": ("Stored runs: list, show, and clear what is no longer needed.", RUNS),
}
"""The help of each group, and its commands."""


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
def harness() -> None:
    """A benchmark and leaderboard harness for speaker verification and its neighbours."""
