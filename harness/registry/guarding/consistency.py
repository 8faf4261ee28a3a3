"""Whether a record agrees with itself, and with the others of its table.

A stage's key is the digest of all that went into it, and the name of a published file comes of its
keys. So what a record says of its model, recipe, data and rules is held against what its stages
say, and that against their keys. Numbers are held against their scores by `harness verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from harness.records.documents import canonical_json, digest
from harness.records.record import Record, Stage

_Difference = tuple[str, Any, Any]
"""What differs, what the record says, and what its stage says."""

BASELINE = "baseline"
"""What stands for the checkpoint where nothing was trained."""


def contradictions(record: Record) -> list[str]:
    """Name all in which a record contradicts itself.

    Returns:
        One line a contradiction; none where there is none.
    """
    return [
        *(line for name, stage in record.stages.items() for line in _stage(name, stage)),
        *(
            f"{what} is {_short(here)}, its stage `{name}` went by {_short(there)}"
            for name, stage in record.stages.items()
            for what, here, there in _SAID.get(name, _nothing)(record, stage.inputs)
            if here != there
        ),
        *_environment(record),
        *_numbers(record),
    ]


def disagreements(records: Mapping[str, Record]) -> list[str]:
    """Name records that say other data or rules than their table's others with equal digests.

    Args:
        records: path -> record.
    """
    return [
        f"{path}: {what} is {_short(value)}, other records of that {of} say {_short(usual)}"
        for of, key, what, read in _SHARED
        for path, value, usual in _outliers(records, key, read)
    ]


def _stage(name: str, stage: Stage) -> list[str]:
    found = digest(stage.inputs)
    wrong = []
    if stage.key != found:
        wrong.append(f"stage `{name}` has key {stage.key[:12]}, its inputs give {found[:12]}")
    if stage.inputs.get("stage") != name:
        wrong.append(f"stage `{name}` has the inputs of {stage.inputs.get('stage')!r}")
    return wrong


def _trained(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    yield from _components(record, inputs)
    yield "recipe", record.recipe, inputs.get("recipe")
    yield "seed", record.seed, inputs.get("seed")
    data = inputs.get("dataset", {})
    yield "dataset.name", record.dataset.name, data.get("name")
    yield "protocol.profile", record.protocol.profile, data.get("profile")
    yield from _left_out(record, inputs)


def _evaluated(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    yield from _components(record, inputs)
    yield "protocol.digest", record.protocol.digest, inputs.get("protocol")
    if "checkpoint" in record.artefacts or record.is_baseline:
        checkpoint = record.artefacts.get("checkpoint")
        named = checkpoint.sha256 if checkpoint else BASELINE
        yield "artefacts.checkpoint", named, inputs.get("checkpoint")
    if record.submission is not None:
        files = {option: file.sha256 for option, file in record.submission.files.items()}
        yield "submission.files", files, inputs.get("received")
    yield from _left_out(record, inputs)


def _measured(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    yield from _components(record, inputs)
    yield "dataset.name", record.dataset.name, inputs.get("dataset")
    yield "dataset.counts.train", record.dataset.counts.get("train"), inputs.get("classes")
    recipe = record.recipe or {}
    for name in ("batch", "crop_seconds"):
        yield f"recipe.{name}", recipe.get(name), inputs.get(name)


def _claimed(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    values = {name: metric.value for name, metric in record.metrics.items()}
    yield "metrics", values, inputs.get("metrics")
    yield "submission.source", _source(record), inputs.get("source")


def _source(record: Record) -> str | None:
    return record.submission.source if record.submission else None


def _nothing(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    """A stage of which nothing is known."""
    del record, inputs
    yield from ()


_SAID: dict[str, Callable[[Record, Mapping[str, Any]], Iterator[_Difference]]] = {
    "train": _trained,
    "evaluate": _evaluated,
    "measure": _measured,
    "claim": _claimed,
}


def _components(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    """Model and loss; the loss only where a stage knows of it, as first evaluations did not."""
    yield "model", record.model.model_dump(mode="json"), inputs.get("model")
    if "loss" in inputs:
        loss = record.loss.model_dump(mode="json") if record.loss else None
        yield "loss", loss, inputs["loss"]


def _left_out(record: Record, inputs: Mapping[str, Any]) -> Iterator[_Difference]:
    """Items left out: their names, or in first records whether some might be."""
    told = inputs.get("left_out")
    if isinstance(told, list) and record.state == "done":
        yield "dataset.left_out", list(record.dataset.left_out), told


def _environment(record: Record) -> Iterator[str]:
    """The environment is measured in, and known by its digest."""
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


def _numbers(record: Record) -> Iterator[str]:
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


_SHARED: tuple[tuple[str, Callable[[Record], str], str, Callable[[Record], Any]], ...] = (
    # A protocol's digest covers the lock of its data, so that one of two locks is wrong.
    ("protocol digest", lambda r: r.protocol.digest, "dataset.lock", lambda r: r.dataset.lock),
    ("protocol digest", lambda r: r.protocol.digest, "protocol.task", lambda r: r.protocol.task),
    (
        "protocol digest",
        lambda r: r.protocol.digest,
        "protocol.parameters",
        lambda r: r.protocol.parameters,
    ),
    ("lock", _data, "dataset.counts", lambda r: r.dataset.counts),
    ("lock", _data, "dataset.publish_scores", lambda r: r.dataset.publish_scores),
)


def _outliers(
    records: Mapping[str, Record], key: Callable[[Record], str], read: Callable[[Record], Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Path, value and the most frequent value of each record whose value is another."""
    ordered = sorted(records.items(), key=lambda item: (key(item[1]), item[0]))
    for _, group in groupby(ordered, key=lambda item: key(item[1])):
        told = [(path, read(record)) for path, record in group]
        spelled = [canonical_json(value) for _, value in told]
        usual = max(sorted(set(spelled)), key=spelled.count)
        value = told[spelled.index(usual)][1]
        yield from ((path, own, value) for path, own in told if canonical_json(own) != usual)


def _short(value: Any) -> str:
    """A value as a message tells it: hashes by their first digits, long ones by their digest."""
    text = value if isinstance(value, str) else canonical_json(value)
    if isinstance(value, str) and len(value) == 64:
        return value[:12]
    return text if len(text) <= 60 else f"{text[:40]}... ({digest(value)[:8]})"
