"""What a training came to: the values that its schedules ended at, and its fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.records.record import Record
from harness.report.recorded import PATTERNS, recorded_values


def fine_tuned_from(record: Record | None) -> int | None:
    """Return the last step of the training that was fine-tuned; None if none was."""
    values = recorded_values("fine_tuned", record.selected_on) if record is not None else None
    return int(values["first"]) if values else None


def are_averaged(record: Record | None) -> bool:
    """Check if the kept weights are an average of checkpoints, which no validation has judged."""
    return record is not None and record.selected_on.startswith(PATTERNS["average"])


def are_validated(record: Record) -> bool:
    """Check if the kept weights are those that were best by validation."""
    return record.selected_on.startswith("validation")


def fine_tuning(record: Record) -> Mapping[str, Any]:
    """Return the table of the recipe's fine-tuning, empty if there is none."""
    return (record.recipe or {}).get("fine_tune") or {}


def own_value(record: Record, name: str) -> Any:
    """Return a value of the loss as its entry has it, `margin` or `scale`; None if it has none."""
    return record.loss.fields.get(name) if record.loss is not None else None


def value_after(record: Record, name: str, phase: Mapping[str, Any]) -> Any:
    """Return what a value of the loss is at the end of a phase: its schedule's, else its own.

    Args:
        record: of the training.
        name: `margin` or `scale`.
        phase: the recipe, or the table of its fine-tuning.
    """
    rise = (phase.get("schedules") or {}).get(name) or {}
    final = rise.get("final_value")
    return own_value(record, name) if final is None else final


def value_at_end(record: Record, name: str) -> Any:
    """Return what a value of the loss is at the end of the whole training."""
    return value_after(record, name, fine_tuning(record) or record.recipe or {})
