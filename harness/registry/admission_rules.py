"""The rules by which a new record, its data and the lock may join what is published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.board.evidence import SCORES_LIMIT
from harness.board.record_paths import (
    SERIES_ENDING,
    SIGNATURE_ENDING,
    is_record,
    misplaced,
)
from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import DatasetLock, LockFile, ProtocolLock
from harness.errors import DataError
from harness.records.documents import Part, canonical_json, digest, readable_json
from harness.records.record import Record
from harness.records.record_files import to_document
from harness.records.signature import LONGEST
from harness.registry.consistency import contradictions, gaps, short, table_within
from harness.registry.newcomer_evidence import wrong_times_and_counts
from harness.run.job.context import make_task
from harness.run.plan.protocol import make_data, make_protocol
from harness.series.series_file import MOST_PUBLISHED, read_own
from harness.tasks.task import baseline_names

RECORD_LIMIT = 2_000_000
"""Bytes of a record, or of its details and attestations."""

AGAIN = "have it written anew: delete its folder below runs, then `harness run`, or submit it again"
"""Mend of a record that says of its rules and data what the benchmark does not."""

WITHOUT_TRAINING = ("baseline", "checkpoint", "ensemble")
"""Tracks of records that need no stage `train`."""

COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def wrong_newcomer(
    folder: Path,
    name: str,
    records: Mapping[str, Record],
    locks: Sequence[LockFile],
    loaded: LoadedBenchmark,
) -> Iterator[str]:
    """Name all that is wrong with a new file below `records/`.

    Args:
        folder: the published tables.
        name: the file's path below them.
        records: every readable record there.
        locks: those by which its record may have been made: of now, of before, of benchmarks below.
        loaded: the benchmark.
    """
    size = (folder / name).stat().st_size
    limits = {".npz": SCORES_LIMIT, SIGNATURE_ENDING: LONGEST, SERIES_ENDING: MOST_PUBLISHED}
    limit = next((most for end, most in limits.items() if name.endswith(end)), RECORD_LIMIT)
    if size > limit:
        yield f"{name}: {size:,} bytes; at most {limit:,} may be published"
    if name.endswith(SERIES_ENDING):
        yield from _unreadable_series(folder / name, name)
    if name.endswith(tuple(limits)):
        return
    if not name.endswith(".json"):
        yield f"{name}: neither a record nor what lies beside one; delete it"
    elif name in records and is_record(name.rpartition("/")[2]):  # Others are held with theirs.
        record = records[name]
        complaints = [
            *_wrong_spelling(folder / name, record),
            *misplaced(name, record),
            *contradictions(record),
            *_unknown_data(record, locks),
            *_unknown_rules(record, locks),
            *_wrong_trust(record),
            *_wrong_track(record, loaded),
            *wrong_times_and_counts(record),
            *gaps(record),
            *_wrong_facts(record, locks, loaded),
        ]
        yield from (f"{name}: {line}" for line in complaints)


def _unreadable_series(path: Path, name: str) -> Iterator[str]:
    try:
        read_own(path)
    except DataError as error:
        yield f"{name}: {error}"


def lock_edits(lock: LockFile, before: LockFile) -> list[str]:
    """Name every entry that is not what the harness writes, or was changed behind a version.

    Args:
        lock: as it is now.
        before: as it was.
    """
    return [
        *_false_protocols(lock),
        *_protocol_changes(lock, before),
        *_data_changes(lock, before),
    ]


def _wrong_spelling(path: Path, record: Record) -> Iterator[str]:
    """A record is spelled in one way; one of an older schema in that of its own content."""
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    now = to_document(record)
    wanted = now if document.get("schema") == now["schema"] else document
    if text != readable_json(wanted):
        yield "not spelled as the harness writes it; publish it with `harness publish`"


def _unknown_data(record: Record, locks: Sequence[LockFile]) -> Iterator[str]:
    dataset = record.dataset
    name, pinned = f"{dataset.name}/{record.protocol.profile}", _pinned(record, locks)
    lock = _find_lock(record, locks)
    if lock is None:
        yield f"unknown lock {dataset.lock[:12]} of {name}; {_digests(pinned)}"
        return
    if dataset.counts != lock.counts:
        yield f"dataset.counts are not those of lock {lock.digest[:12]} of {name}"
    trained = record.stages.get("train")
    data = table_within(trained.inputs, "dataset") if trained else {}
    for part in ("manifest", "split", "content"):
        if part in data and data[part] != getattr(lock, part):
            yield f"trained on another {part} of {name} than lock {lock.digest[:12]} pins"


def _pinned(record: Record, locks: Sequence[LockFile]) -> list[DatasetLock]:
    """Return what locks pin of a record's data."""
    name = f"{record.dataset.name}/{record.protocol.profile}"
    return [each.datasets[name] for each in locks if name in each.datasets]


def _find_lock(record: Record, locks: Sequence[LockFile]) -> DatasetLock | None:
    return next((p for p in _pinned(record, locks) if p.digest == record.dataset.lock), None)


def _unknown_rules(record: Record, locks: Sequence[LockFile]) -> Iterator[str]:
    protocol = record.protocol
    name = f"{protocol.suite}/{protocol.profile}/{record.dataset.name}"
    pinned = [each.protocols[name] for each in locks if name in each.protocols]
    version, own = protocol.version, protocol.digest
    if (version, own) not in {(each.version, each.digest) for each in pinned}:
        yield f"unknown protocol {own[:12]} (version {version}) of {name}; {_digests(pinned)}"


def _digests(pinned: Sequence[DatasetLock] | Sequence[ProtocolLock]) -> str:
    known = sorted({each.digest[:12] for each in pinned})
    return f"benchmark.lock has {', '.join(known)}" if known else "benchmark.lock has none of it"


def _wrong_trust(record: Record) -> Iterator[str]:
    """Name what a record lacks to be trusted as it asks to be."""
    submission = record.submission
    if record.trust == "reproduced":
        yield "its trust is 'reproduced', which only an attestation beside a record can say"
    elif record.trust == "claimed":
        if submission is None or not submission.source.strip():
            yield "a claim without its source; tell where it was published"
        if record.artefacts or record.left_one_out or "evaluate" in record.stages:
            yield "a claim with results of its own; submit the scores instead"
    else:
        yield from _wrong_code(record)
        if (record.trust == "measured") is (submission is not None):
            came = "made elsewhere" if submission else "not submitted"
            yield f"its trust is {record.trust!r}, and it was {came}"


def _wrong_track(record: Record, loaded: LoadedBenchmark) -> Iterator[str]:
    """Name what a record is not that its track says: trained here, or the suite's baseline."""
    if record.is_baseline and record.protocol.suite in loaded.benchmark.suites:
        task = make_task(loaded, record.protocol.suite)
        own = (task.baseline_name, loaded.suite(record.protocol.suite).task, task.version)
        model, names = record.model, baseline_names(task)
        if record.loss or (model.adapter, model.version) != own[1:] or model.name not in names:
            yield f"its track is baseline, and the suite's is {own[0]!r} of {own[1]}, {own[2]}"
    trains = record.submission is None and record.track not in WITHOUT_TRAINING
    if trains and record.state == "done" and "train" not in record.stages:
        yield f"its track is {record.track}, and it has no stage `train`"


def _wrong_code(record: Record) -> Iterator[str]:
    """Name code that is no commit; stages of first records do not name the code that ran them."""
    ran = {f"stage `{name}`": stage.code for name, stage in record.stages.items() if stage.code}
    for where, code in {"code": record.code, **ran}.items():
        if not COMMIT.fullmatch(code):
            yield f"{where} is {code!r}; a {record.trust} record names a commit without changes"
    if record.state == "done" and "evaluate" not in record.stages:
        yield f"it is {record.trust}, and has no stage `evaluate`"


def _wrong_facts(
    record: Record, locks: Sequence[LockFile], loaded: LoadedBenchmark
) -> Iterator[str]:
    """Name what a record says of its rules and data that the benchmark does not.

    Facts decide how a table sorts, names and shows numbers, a licence what may be published, and
    the digests do not cover them. Rules of another version than the benchmark's have theirs there.
    """
    protocol, name = record.protocol, record.dataset.name
    if name not in loaded.benchmark.datasets and loaded.fold(name) is None:
        yield f"dataset {name!r} is not of {loaded.path.name}"
    elif protocol.suite not in loaded.benchmark.suites:
        yield f"suite {protocol.suite!r} is not of {loaded.path.name}"
    elif lock := _find_lock(record, locks):  # Another one is complained of.
        data = make_data(loaded, protocol.suite, name, lock)
        # What is left out keeps a record from its table anyway.
        told = {"pinned": True, "counts": lock.counts, "left_out": ()}
        parts: list[tuple[str, Part, Part]] = [
            ("dataset", record.dataset.model_copy(update=told), data)
        ]
        rules = make_protocol(loaded, protocol.suite, protocol.profile, lock)
        if protocol.version == rules.version:
            parts.append(("protocol", protocol.model_copy(update={"digest": rules.digest}), rules))
        for where, said, stated in parts:
            for place, here, there in _apart(where, said.model_dump(), stated.model_dump()):
                yield f"{place} is {short(here)}, the benchmark's {short(there)}; {AGAIN}"


def _apart(where: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """Return the places at which two documents differ, with their values; absent is None."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _apart(f"{where}.{key}", one.get(key), other.get(key))
    elif canonical_json(one) != canonical_json(other):
        yield where, one, other


def _false_protocols(lock: LockFile) -> Iterator[str]:
    for name, protocol in sorted(lock.protocols.items()):
        if protocol.rests_on and digest(_nest(protocol.rests_on)) != protocol.digest:
            yield f"protocols.{name}: its digest is not that of what it rests on"
        data = lock.datasets.get("/".join(reversed(name.split("/")[1:])))
        rests = json.loads(protocol.rests_on.get("dataset", "null"))
        if data is not None and rests is not None and rests != data.digest:
            yield (
                f"protocols.{name}: rests on lock {rests[:12]}, "
                f"its dataset's entries give {data.digest[:12]}"
            )


def _protocol_changes(lock: LockFile, before: LockFile) -> Iterator[str]:
    for name in sorted(lock.protocols.keys() & before.protocols.keys()):
        new, old = lock.protocols[name], before.protocols[name]
        if new.version < old.version:
            yield f"protocols.{name}: version {new.version} after {old.version}"
        elif new.version == old.version and new.digest != old.digest:
            yield f"protocols.{name}: changed, and its version {new.version} was not raised"


def _data_changes(lock: LockFile, before: LockFile) -> Iterator[str]:
    for name in sorted(lock.datasets.keys() & before.datasets.keys()):
        new, old = lock.datasets[name], before.datasets[name]
        filled = old.content == "" and old == new.model_copy(update={"content": ""})
        if new == old or filled:
            continue
        dataset, profile = name.rsplit("/", 1)
        for rules, former in sorted(before.protocols.items()):
            raised = lock.protocols.get(rules)
            is_resting = rules.endswith(f"/{profile}/{dataset}")
            if is_resting and raised and raised.version <= former.version:
                yield f"datasets.{name}: changed, and the version of {rules} was not raised"


def _nest(flat: dict[str, str]) -> dict[str, Any]:
    """Return the inputs of a protocol before they were flattened; no parameters leave no key."""
    nested: dict[str, Any] = {"parameters": {}}
    for key, value in flat.items():
        *above, last = key.split(".")
        place = nested
        for part in above:
            place = place.setdefault(part, {})
        place[last] = json.loads(value)
    return nested
