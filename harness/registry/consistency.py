"""The consistency of a record with itself, and with the others of its table.

A stage's key is the digest of all that went into it, and the name of a published file comes of its
keys. So a record's model, recipe, data and rules are compared with the inputs of its stages, and
these with their keys. Numbers are compared with their scores by `harness verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from harness.records.documents import canonical_json, digest
from harness.records.record import Record, Stage

_Statement = tuple[str, Any, Any]
"""A part of a record, its value, and the value that a stage has."""

BASELINE = "baseline"
"""Stands for the checkpoint if nothing was trained."""


def contradictions(record: Record) -> list[str]:
    """Name all in which a record contradicts itself.

    Returns:
        One line a contradiction; none if there is none.
    """
    return [
        *(line for name, stage in record.stages.items() for line in _wrong_key(name, stage)),
        *(
            f"{what} is {short(here)}, its stage `{name}` went by {short(there)}"
            for name, stage in record.stages.items()
            for what, here, there in _statements(record, name, stage.inputs)
            if here != there
        ),
        *_wrong_environment(record),
        *_wrong_numbers(record),
    ]


def gaps(record: Record) -> Iterator[str]:
    """Name what keeps a record out of a table."""
    if record.dataset.left_out:
        yield f"{len(record.dataset.left_out)} items were left out; mend the data and run again"
    if record.protocol.primary not in record.protocol.facts:
        yield f"its protocol has no facts of its primary metric {record.protocol.primary!r}"


def disagreements(records: Mapping[str, Record]) -> list[str]:
    """Name records that say other data or rules than their table's others with equal digests.

    Args:
        records: path -> record.
    """
    return [
        f"{path}: {what} is {short(value)}, other records of that {of} say {short(usual)}"
        for of, key, what in _SHARED
        for path, value, usual in _outliers(records, key, attrgetter(what))
    ]


def _wrong_key(name: str, stage: Stage) -> Iterator[str]:
    found = digest(stage.inputs)
    if stage.key != found:
        yield f"stage `{name}` has key {stage.key[:12]}, its inputs give {found[:12]}"
    if stage.inputs.get("stage") != name:
        yield f"stage `{name}` has the inputs of {stage.inputs.get('stage')!r}"


def _statements(record: Record, stage: str, inputs: Mapping[str, Any]) -> Iterator[_Statement]:
    """Yield what a record says of itself that a stage says too; nothing of unknown stages."""
    if stage in ("train", "evaluate", "measure"):
        yield "model", record.model.model_dump(mode="json"), inputs.get("model")
        if "loss" in inputs:  # First evaluations did not know of it.
            loss = record.loss.model_dump(mode="json") if record.loss else None
            yield "loss", loss, inputs["loss"]
    if stage in _OWN:
        yield from _OWN[stage](record, inputs)
    left = inputs.get("left_out")  # In first records only whether some might be.
    if stage in ("train", "evaluate") and isinstance(left, list) and record.state == "done":
        yield "dataset.left_out", list(record.dataset.left_out), left


def _of_training(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Statement]:
    data = table_within(inputs, "dataset")
    yield "recipe", record.recipe, inputs.get("recipe")
    yield "seed", record.seed, inputs.get("seed")
    yield "dataset.name", record.dataset.name, data.get("name")
    yield "protocol.profile", record.protocol.profile, data.get("profile")


def table_within(inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a table of a stage's inputs; an empty one if they hold something else there."""
    found = inputs.get(name)
    return found if isinstance(found, dict) else {}


def _of_evaluation(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Statement]:
    yield "protocol.digest", record.protocol.digest, inputs.get("protocol")
    if "checkpoint" in record.artefacts or record.is_baseline:
        checkpoint = record.artefacts.get("checkpoint")
        named = checkpoint.sha256 if checkpoint else BASELINE
        yield "artefacts.checkpoint", named, inputs.get("checkpoint")
    if record.submission is not None:
        files = {option: file.sha256 for option, file in record.submission.files.items()}
        yield "submission.files", files, inputs.get("received")


def _of_measurement(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Statement]:
    yield "dataset.name", record.dataset.name, inputs.get("dataset")
    yield "dataset.counts.train", record.dataset.counts.get("train"), inputs.get("classes")
    recipe = record.recipe or {}
    for name in ("batch", "crop_seconds"):
        yield f"recipe.{name}", recipe.get(name), inputs.get(name)


def _of_claim(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Statement]:
    values = {name: metric.value for name, metric in record.metrics.items()}
    yield "metrics", values, inputs.get("metrics")
    source = record.submission.source if record.submission else None
    yield "submission.source", source, inputs.get("source")


_OWN: dict[str, Callable[[Record, Mapping[str, Any]], Iterator[_Statement]]] = {
    "train": _of_training,
    "evaluate": _of_evaluation,
    "measure": _of_measurement,
    "claim": _of_claim,
}


def _wrong_environment(record: Record) -> Iterator[str]:
    """Compare the environment with that of the stage that measured, and with its digest."""
    if record.environment is None:
        return
    measured = record.stages.get("measure")
    there = measured.inputs.get("environment") if measured else None
    own = record.environment.model_dump(mode="json")
    if there is not None and there != own:
        yield "environment is not the one that its stage `measure` ran in"
    if digest(own) != record.environment_digest:
        yield (
            f"environment_digest is {record.environment_digest[:12]}, "
            f"its environment gives {digest(own)[:12]}"
        )


def _wrong_numbers(record: Record) -> Iterator[str]:
    for name, metric in sorted(record.metrics.items()):
        low, high = metric.low, metric.high
        if (low is not None and low > metric.value) or (high is not None and high < metric.value):
            yield f"metrics.{name} is {metric.value:g}, out of its interval {low} to {high}"
    for name in sorted(record.left_one_out.keys() - record.metrics.keys()):
        yield f"left_one_out.{name} is of no metric"
    if record.state == "done" and record.protocol.primary not in record.metrics:
        yield f"it is done without its primary metric {record.protocol.primary!r}"


def _data(record: Record) -> str:
    dataset = record.dataset
    return "/".join((dataset.name, record.protocol.profile, dataset.lock))


def _protocol(record: Record) -> str:
    return record.protocol.digest


_SHARED: tuple[tuple[str, Callable[[Record], str], str], ...] = (
    # A protocol's digest covers the lock of its data, so that one of two locks is wrong.
    ("protocol digest", _protocol, "dataset.lock"),
    ("protocol digest", _protocol, "protocol.task"),
    ("protocol digest", _protocol, "protocol.parameters"),
    ("lock", _data, "dataset.counts"),
    ("lock", _data, "dataset.publish_scores"),
)


def _outliers(
    records: Mapping[str, Record], key: Callable[[Record], str], read: Callable[[Record], Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield path, value and the usual value of each record whose value is another."""
    ordered = sorted(records.items(), key=lambda item: (key(item[1]), item[0]))
    for _, group in groupby(ordered, key=lambda item: key(item[1])):
        found = [(path, read(record)) for path, record in group]
        spelled = [canonical_json(value) for _, value in found]
        usual = max(sorted(set(spelled)), key=spelled.count)
        value = found[spelled.index(usual)][1]
        yield from ((path, own, value) for path, own in found if canonical_json(own) != usual)


def short(value: Any) -> str:
    """Return a value for a message: the first digits of a hash, the digest of a long text."""
    text = value if isinstance(value, str) else canonical_json(value)
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    return text if len(text) <= 60 else f"{text[:40]}... ({digest(value)[:8]})"
