"""The stage `evaluate` scores a checkpoint, or the baseline, and logs each use of a test set.

A use is logged beside the records of its dataset before its scores are known, so that one that
fails afterwards counts too, and clearing caches forgets none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.recipes import EvenCrops
from harness.errors import JobFailed
from harness.metrics.classifier_scores import averaged_logits
from harness.records.damage import DamagedFile, set_aside
from harness.records.documents import canonical_json, digest, sha256_file
from harness.records.files import append_text, lock, read_bytes, write_text
from harness.records.recipe_name import read_recipe_name
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.job.context import JobContext
from harness.run.job.results import (
    EMBEDDINGS,
    OWN,
    SCORES,
    save_embeddings,
    save_scores,
    stage_name,
)
from harness.run.job.spec import JobSpec
from harness.tasks.task import Scores, Side, TaskOptions, training_lists
from harness.train.training_progress import FINAL

MIB = 2**20

TEST_USES = "test-looks.jsonl"

PLACE = "of"
"""Key of a use: suite, profile and dataset, as folders name them; lines of older logs lack it."""

SPLIT = "split"
"""Key of a use that was of another split than test."""

USE_KEYS = {"model", "loss", "seed", "configuration", "evaluation"}


@dataclass(frozen=True)
class UseCounts:
    """Counts of one system (model and loss) at one training budget, on one test set.

    The budgets that a suite names are points of a curve, each a row of its own: none was chosen.

    Attributes:
        test: evaluations with this seed, this one included.
        configurations: recipes or checkpoints that were evaluated, or tried on validation.
    """

    test: int
    configurations: int


def log_test_use(spec: JobSpec, evaluation: str) -> UseCounts:
    """Log that a system is scored on test, and count its uses of this test set.

    Args:
        spec: the job.
        evaluation: a name of this evaluation.
    """
    return log_use(spec.folder.parent.parent, _use(spec, evaluation))


def log_trial(spec: JobSpec) -> UseCounts:
    """Log that a configuration is tried on validation, by which one of several is chosen.

    It counts among the configurations of whichever is scored on test later, and is no use of test.
    """
    key = spec.train.key if spec.train else spec.configuration
    use = _use(spec, stage_name("validate", key)) | {SPLIT: "validation"}
    return log_use(spec.folder.parent.parent, use)


def count_configurations(spec: JobSpec) -> int:
    """Return how many configurations of a job's system were tried or tested on its dataset."""
    path = spec.folder.parent.parent / TEST_USES
    with lock(path):
        uses = _earlier_uses(path)
    return len({each["configuration"] for each in _of_one_system(uses, _use(spec, ""))})


def _use(spec: JobSpec, evaluation: str) -> dict[str, Any]:
    return {
        "model": spec.model.name,
        "loss": spec.loss.name if spec.loss else None,
        "seed": spec.seed,
        "recipe": spec.recipe_name,
        "configuration": spec.configuration,
        "evaluation": evaluation,
    }


def log_use(folder: Path, use: dict[str, Any]) -> UseCounts:
    """Log a use of a test set, and count those of its system.

    Args:
        folder: of the dataset's records.
        use: its system, configuration and evaluation.
    """
    path = folder / TEST_USES
    with lock(path):
        earlier = _earlier_uses(path)
        append_text(path, _line(use, path))
    uses = [*earlier, use]
    same = _of_one_system(uses, use)
    return UseCounts(
        test=sum(each["seed"] == use["seed"] and SPLIT not in each for each in same),
        configurations=len({each["configuration"] for each in same}),
    )


def _of_one_system(uses: Sequence[dict[str, Any]], use: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the uses of a use's model and loss at its budget."""

    def system(each: dict[str, Any]) -> tuple[Any, ...]:
        return each["model"], each["loss"], read_recipe_name(each["recipe"]).budget

    return [each for each in uses if system(each) == system(use)]


def _earlier_uses(path: Path) -> list[dict[str, Any]]:
    """Read a log of uses; one with damaged lines is made again, by the records beside it too.

    Every evaluation that became a record can be told from it; one that failed afterwards cannot.
    """
    if not path.exists():
        return []
    content = read_bytes(path)
    lines = content.splitlines()
    uses = [use for line in lines if (use := _parse_line(line, _place(path))) is not None]
    if lines and len(uses) == len(lines) and content.endswith(b"\n"):
        return uses
    there = {use["evaluation"] for use in uses}
    uses += [use for use in _recorded_uses(path.parent) if use["evaluation"] not in there]
    set_aside(path, "not all of it can be read", "it is made again of the records beside it")
    write_text(path, "".join(_line(use, path) for use in uses))
    return uses


def _recorded_uses(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a use for every evaluation that a dataset's records name."""
    seen = set()
    for path in sorted(folder.glob("*/*/attempt-*.json")):
        try:
            record = read_record(path)
        except DamagedFile:
            continue
        stage = record.stages.get("evaluate")
        if stage is not None and stage.key not in seen:
            seen.add(stage.key)
            yield use_of(record, stage_name("evaluate", stage.key))


def use_of(record: Record, evaluation: str) -> dict[str, Any]:
    """Return a use of the test set by the system of a record, as the log has it."""
    stage = record.stages.get("evaluate")
    checkpoint = stage.inputs.get("checkpoint") if stage else None
    made = record.recipe or (checkpoint if checkpoint != "baseline" else None)
    loss = record.loss
    return {
        "model": record.model.name,
        "loss": loss.name if loss else None,
        "seed": record.seed,
        "recipe": record.recipe_name,
        "configuration": digest([record.model.fields, loss and loss.fields, made]),
        "evaluation": evaluation,
    }


def _line(use: dict[str, Any], path: Path) -> str:
    """Spell a use with its log's place and a hash of both; lines of older logs have neither."""
    placed = {**use, PLACE: _place(path)}
    return canonical_json({**placed, OWN: digest(placed)[:16]}) + "\n"


def _parse_line(line: bytes, place: str) -> dict[str, Any] | None:
    """Return the use that a line of a place's log tells of; None if it is none of there."""
    try:
        use = dict(json.loads(line))
        own = use.pop(OWN, None)
        whole = own in (None, digest(use)[:16]) and use.keys() >= USE_KEYS
    except (ValueError, TypeError, RecursionError):
        return None
    return use if whole and use.get(PLACE, place) == place else None


def _place(path: Path) -> str:
    """Return what a log of uses is of, by the folder that it lies in."""
    return "/".join(path.parts[-3:-1])


def evaluate_system(context: JobContext, checkpoint: Path | None, folder: Path) -> dict[str, Any]:
    """Score a checkpoint (None: the baseline) on test, with thresholds from validation."""
    spec, task, dataset = context.spec, context.task, context.dataset
    outputs, unused = system_outputs(context, checkpoint)

    def side(split: str) -> Side:
        lists, found = task.lists(dataset.listing, split, dataset.left_out), outputs(split)
        if len(found) != len(lists.items):
            raise JobFailed(f"{split}: {len(found):,} outputs for {len(lists.items):,} items")
        return Side(found, lists)

    validation, test = side("validation"), side("test")
    training = None
    if task.scores_with_training:
        training = Side(outputs("train"), training_lists(dataset.listing, dataset.left_out))
    context.begin("score", 1, is_quiet=True)
    uses = log_test_use(spec, folder.name)
    scores = _score(context, validation, test, training)
    judgement = task.judge(test.lists, scores)
    save_scores(folder / SCORES, scores)
    kept = task.output == "embedding" and save_embeddings(
        folder / EMBEDDINGS, test.outputs, spec.keep_embeddings * MIB
    )
    return {
        "metrics": {name: metric.model_dump() for name, metric in judgement.metrics.items()},
        "left_one_out": judgement.left_one_out,
        "notes": [*judgement.notes, *_crop_notes(spec.test_crops), *filter(None, [unused])],
        "test_looks": uses.test,
        "searched": uses.configurations,
        "scores": _named(folder / SCORES),
        **({"embeddings": _named(folder / EMBEDDINGS)} if kept else {}),
    }


def _score(context: JobContext, validation: Side, test: Side, training: Side | None) -> Scores:
    """Return the scores of test, of a further baseline by its own rule."""
    spec, options = context.spec, TaskOptions.of(context.task)
    if spec.is_baseline and spec.model.name in options.further_baselines:
        if options.score_baseline is None:
            raise TypeError(f"{spec.protocol.suite}: its task has baselines and scores none")
        return options.score_baseline(spec.model.name, validation, test)
    return context.task.score(validation, test, training)


def _named(path: Path) -> dict[str, Any]:
    """Return hash and size of a file, as a record names it."""
    return {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def _crop_notes(crops: EvenCrops | None) -> list[str]:
    """Return the note of a row whose items were judged by crops."""
    if crops is None:
        return []
    every = "one crop" if crops.count == 1 else f"{crops.count} evenly spaced crops"
    return [
        f"items longer than {crops.seconds:g} s were judged by {every} of {crops.seconds:g} s, "
        "their outputs averaged, not as a whole"
    ]


def system_outputs(
    context: JobContext, checkpoint: Path | None
) -> tuple[Callable[[str], NDArray[np.float32]], str]:
    """Return split -> outputs of its items, and a note of the weights that are not used."""
    if context.spec.members:
        return _averaged_outputs(context), ""
    if checkpoint is None:
        return lambda split: context.task.baseline(context.dataset, split), ""
    from harness.train.system import outputs_of
    from harness.train.weight_matching import give_weights

    system = context.system()
    fit = give_weights(system, checkpoint, needs_head=context.task.output == "logits")
    crops = context.spec.test_crops

    def outputs(split: str) -> NDArray[np.float32]:
        subset = context.dataset.subset(split)
        context.begin(f"evaluate {split}", len(subset))
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            context.advance(done)

        return outputs_of(system, subset, context.task.output, context.device, advance, crops=crops)

    return outputs, fit.note


def _averaged_outputs(context: JobContext) -> Callable[[str], NDArray[np.float32]]:
    """Return split -> the mean of the members' outputs of its items."""
    spec = context.spec
    members = [
        system_outputs(context.of(each), each.stage_folder("train", each.train.key) / FINAL)[0]
        for each in spec.members
        if each.train is not None
    ]

    def outputs(split: str) -> NDArray[np.float32]:
        found = [output(split) for output in members]
        return averaged_logits(found, spec.average).astype(np.float32)

    return outputs
