"""Whether `benchmark.lock` agrees with itself, with its former self, and with records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.datasets.lock import DatasetLock, LockFile, ProtocolLock
from harness.records.documents import digest
from harness.records.record import Record


def edited_lock(lock: LockFile, before: LockFile) -> list[str]:
    """Name every entry that is not what the harness writes, or was changed behind a version.

    Args:
        lock: as it is now.
        before: as it was.
    """
    return [
        *_false_protocols(lock),
        *_changed_protocols(lock, before),
        *_changed_data(lock, before),
    ]


def unknown_to(locks: Sequence[LockFile], record: Record) -> list[str]:
    """Name what of a record's data and rules no lock pins.

    Args:
        locks: those that hold for it: of now, of before, of benchmarks below.
        record: the record.
    """
    protocol, dataset = record.protocol, record.dataset
    data = f"{dataset.name}/{protocol.profile}"
    rules = f"{protocol.suite}/{protocol.profile}/{dataset.name}"
    pinned = [each.datasets[data] for each in locks if data in each.datasets]
    ruled = [each.protocols[rules] for each in locks if rules in each.protocols]
    return [
        *_unknown_data(record, data, pinned),
        *_unknown_rules(record, rules, ruled),
    ]


def _unknown_data(record: Record, name: str, pinned: Sequence[DatasetLock]) -> Iterator[str]:
    own = [each for each in pinned if each.digest == record.dataset.lock]
    if not own:
        yield f"unknown lock {record.dataset.lock[:12]} of {name}; {_known(pinned)}"
        return
    lock = own[0]
    if record.dataset.counts != lock.counts:
        yield f"dataset.counts are not those of lock {lock.digest[:12]} of {name}"
    trained = record.stages.get("train")
    data = trained.inputs.get("dataset", {}) if trained else {}
    for part, pin in (
        ("manifest", lock.manifest),
        ("split", lock.split),
        ("content", lock.content),
    ):
        if part in data and data[part] != pin:
            yield f"trained on another {part} of {name} than lock {lock.digest[:12]} pins"


def _unknown_rules(record: Record, name: str, ruled: Sequence[ProtocolLock]) -> Iterator[str]:
    own = record.protocol.version, record.protocol.digest
    if own not in {(each.version, each.digest) for each in ruled}:
        yield f"unknown protocol {own[1][:12]} (version {own[0]}) of {name}; {_known(ruled)}"


def _known(pinned: Sequence[DatasetLock] | Sequence[ProtocolLock]) -> str:
    told = sorted({each.digest[:12] for each in pinned})
    return f"benchmark.lock has {', '.join(told)}" if told else "benchmark.lock has none of it"


def _false_protocols(lock: LockFile) -> Iterator[str]:
    for name, protocol in sorted(lock.protocols.items()):
        if protocol.rests_on and digest(_nested(protocol.rests_on)) != protocol.digest:
            yield f"protocols.{name}: its digest is not that of what it rests on"
        data = lock.datasets.get("/".join(reversed(name.split("/")[1:])))
        rests = json.loads(protocol.rests_on.get("dataset", "null"))
        if data is not None and rests is not None and rests != data.digest:
            yield (
                f"protocols.{name}: rests on lock {rests[:12]}, "
                f"its dataset's entries give {data.digest[:12]}"
            )


def _changed_protocols(lock: LockFile, before: LockFile) -> Iterator[str]:
    for name in sorted(lock.protocols.keys() & before.protocols.keys()):
        new, old = lock.protocols[name], before.protocols[name]
        if new.version < old.version:
            yield f"protocols.{name}: version {new.version} after {old.version}"
        elif new.version == old.version and new.digest != old.digest:
            yield f"protocols.{name}: changed, and its version {new.version} was not raised"


def _changed_data(lock: LockFile, before: LockFile) -> Iterator[str]:
    for name in sorted(lock.datasets.keys() & before.datasets.keys()):
        new, old = lock.datasets[name], before.datasets[name]
        filled = old.content == "" and old == new.model_copy(update={"content": ""})
        if new == old or filled:
            continue
        for rules in _resting_on(before, name):
            raised = lock.protocols.get(rules)
            if raised and raised.version <= before.protocols[rules].version:
                yield f"datasets.{name}: changed, and the version of {rules} was not raised"


def _resting_on(lock: LockFile, name: str) -> list[str]:
    """The protocols of a dataset and profile."""
    dataset, profile = name.rsplit("/", 1)
    return sorted(each for each in lock.protocols if each.endswith(f"/{profile}/{dataset}"))


def _nested(flat: dict[str, str]) -> dict[str, Any]:
    """What a protocol rests on, before it was flattened; empty parameters leave no key."""
    nested: dict[str, Any] = {"parameters": {}}
    for key, value in flat.items():
        *above, last = key.split(".")
        place = nested
        for part in above:
            place = place.setdefault(part, {})
        place[last] = json.loads(value)
    return nested
