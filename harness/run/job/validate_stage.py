"""The stage `validate` judges a checkpoint on the validation split alone, with intervals.

One of several configurations is chosen by it. Test is neither embedded nor scored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import JobFailed
from harness.records.record import Metric, Record, Stage
from harness.run.job.context import JobContext
from harness.run.job.evaluate_stage import system_outputs
from harness.run.job.record_writing import bare_record
from harness.run.job.spec import JobSpec
from harness.tasks.task import Side, training_lists


def validate_system(context: JobContext, checkpoint: Path) -> dict[str, Any]:
    """Judge a checkpoint's outputs on validation as `evaluate_system` judges those on test.

    Metrics of a decision (errors at a threshold) are left out: validation would decide on itself.

    Raises:
        JobFailed: there are not as many outputs as items.
    """
    task, dataset = context.task, context.dataset
    outputs, _ = system_outputs(context, checkpoint)
    lists, found = (
        task.lists(dataset.listing, "validation", dataset.left_out),
        outputs("validation"),
    )
    if len(found) != len(lists.items):
        raise JobFailed(f"validation: {len(found):,} outputs for {len(lists.items):,} items")
    training = None
    if task.scores_with_training:
        training = Side(outputs("train"), training_lists(dataset.listing, dataset.left_out))
    context.begin("score", 1, is_quiet=True)
    side = Side(found, lists)
    judged = task.judge(lists, task.score(side, side, training))
    kept = {task.primary, *judged.left_one_out}
    return {
        "metrics": {name: judged.metrics[name].model_dump() for name in kept & {*judged.metrics}},
        "left_one_out": judged.left_one_out,
        "notes": list(judged.notes),
    }


def validation_record(spec: JobSpec, results: dict[str, dict[str, Any]]) -> Record:
    """Return the figures of validation in the form of a record, which is never written.

    Args:
        spec: the job.
        results: of the stages `train` and `validate`.
    """
    training, judged = results["train"], results["validate"]
    record = bare_record(spec, "done", "")
    resources = record.resources.model_copy(update={"training_seconds": training["seconds"]})
    return record.model_copy(
        update={
            "dataset": spec.dataset.model_copy(update={"left_out": spec.left_out}),
            "stages": {name: Stage(**result["stage"]) for name, result in results.items()},
            "metrics": {name: Metric(**value) for name, value in judged["metrics"].items()},
            "left_one_out": judged["left_one_out"],
            "selected_on": "validation",
            "resources": resources,
            "notes": (*spec.notes, *judged["notes"], *training.get("notes", ())),
        }
    )
