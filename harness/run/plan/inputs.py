"""The inputs that models declare, asked of their code in a worker."""

from __future__ import annotations

from harness.adapter import Input
from harness.config.tables import Component
from harness.errors import HarnessError
from harness.run.plan.adapters import WORKERS
from harness.run.plan.description import AskInput


def declared_input(name: str, table: Component) -> Input | None:
    """The input that a model declares; None where its adapter cannot tell it.

    Args:
        name: the model.
        table: its table in the benchmark file.
    """
    asked = AskInput(table.adapter, table.fields, f"models.{name}")
    try:
        return WORKERS.recall(asked).declared
    except HarnessError:  # its job's to fail with, in its own row
        return None
