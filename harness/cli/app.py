"""The commands, and what an error becomes: a message and an exit code."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import typer
from typer.core import TyperGroup

from harness.cli import (
    board,
    data,
    details,
    doctor,
    evaluate,
    history,
    measure,
    plan,
    publish,
    recipe,
    reproduce,
    run,
    runs,
    score,
    submit,
    verify,
)
from harness.cli.endings import INTERRUPTED, STOPPED
from harness.cli.output import complain, output_for_results

ASKS_FOR_HELP = "harness.asks_for_help"


class _Commands(TyperGroup):
    """The group of all commands; typer would end an interrupted one without a word."""

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
    help="A benchmark and leaderboard harness for speaker verification and its neighbours.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("measure")(measure.measure)
app.command("evaluate")(evaluate.evaluate)
app.command("recipe")(recipe.recipe)
app.command("score")(score.score)
app.add_typer(data.app, name="data")
app.command("submit")(submit.submit)
app.command("reproduce")(reproduce.reproduce)
app.command("publish")(publish.publish)
app.add_typer(board.app, name="board")
app.add_typer(history.app, name="history")
app.add_typer(runs.app, name="runs")
app.command("verify")(verify.verify)
app.command("details")(details.details)
app.command("doctor")(doctor.doctor)
