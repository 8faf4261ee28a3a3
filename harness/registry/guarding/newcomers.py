"""The rules by which a new record, and what lies beside it, may join the published ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.board.companions import SCORES_LIMIT
from harness.board.record_paths import is_record, record_path
from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import LockFile
from harness.errors import ConfigError
from harness.records.documents import readable_json
from harness.records.record import Record
from harness.records.record_files import to_document
from harness.registry.guarding.consistency import contradictions
from harness.registry.guarding.locked import unknown_to

RECORD_LIMIT = 2_000_000
"""Bytes of a record, or of what lies beside it apart from scores."""

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
        locks: those by which its record may have been made.
        loaded: the benchmark.
    """
    size = (folder / name).stat().st_size
    limit = SCORES_LIMIT if name.endswith(".npz") else RECORD_LIMIT
    if size > limit:
        yield f"{name}: {size:,} bytes; at most {limit:,} may be published"
    if name.endswith(".npz"):
        return
    if not name.endswith(".json"):
        yield f"{name}: neither a record nor what lies beside one; delete it"
    elif not is_record(name.rpartition("/")[2]):
        return  # Held with its record, by `companions`.
    elif name in records:
        record = records[name]
        complaints = [
            *_spelled(folder / name, record),
            *_placed(name, record),
            *contradictions(record),
            *unknown_to(locks, record),
            *_trusted(record),
            *_whole(record),
            *_licensed(record, loaded),
        ]
        yield from (f"{name}: {line}" for line in complaints)


def _spelled(path: Path, record: Record) -> Iterator[str]:
    """A record is spelled in one way; one of an older schema in that of its own content."""
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    now = to_document(record)
    wanted = now if document.get("schema") == now["schema"] else document
    if text != readable_json(wanted):
        yield "not spelled as the harness writes it; publish it with `harness publish`"


def _placed(name: str, record: Record) -> Iterator[str]:
    place = record_path(record)
    if place != name:
        yield f"what it says belongs at {place}"


def _trusted(record: Record) -> Iterator[str]:
    """What a record must tell to be trusted as it asks to be."""
    submission = record.submission
    if record.trust == "reproduced":
        yield "its trust is 'reproduced', which only an attestation beside a record can say"
    elif record.trust == "claimed":
        if submission is None or not submission.source.strip():
            yield "a claim without its source; tell where it was published"
        if record.artefacts or record.left_one_out or "evaluate" in record.stages:
            yield "a claim with results of its own; submit the scores instead"
    else:
        yield from _made_by_commits(record)
        if (record.trust == "measured") is (submission is not None):
            yield f"its trust is {record.trust!r}, and it was {_came(record)}"


def _came(record: Record) -> str:
    return "made elsewhere" if record.submission else "not submitted"


def _made_by_commits(record: Record) -> Iterator[str]:
    """Stages of first records do not tell what ran them; where they do it must be a commit."""
    told = {f"stage `{name}`": stage.code for name, stage in record.stages.items() if stage.code}
    for where, code in {"code": record.code, **told}.items():
        if not COMMIT.fullmatch(code):
            yield f"{where} is {code!r}; a {record.trust} record names a commit without changes"
    if record.state == "done" and "evaluate" not in record.stages:
        yield f"it is {record.trust}, and has no stage `evaluate`"


def _whole(record: Record) -> Iterator[str]:
    """What keeps a record out of a table."""
    if record.dataset.left_out:
        yield f"{len(record.dataset.left_out)} items were left out; mend the data and run again"
    if record.protocol.primary not in record.protocol.facts:
        yield f"its protocol has no facts of its primary metric {record.protocol.primary!r}"


def _licensed(record: Record, loaded: LoadedBenchmark) -> Iterator[str]:
    """Licence and permission are those of the benchmark, where it knows the data."""
    try:
        config = loaded.dataset(record.dataset.name)
    except ConfigError:
        yield f"dataset {record.dataset.name!r} is not of {loaded.path.name}"
        return
    if record.dataset.licence != config.licence:
        yield f"dataset.licence is {record.dataset.licence!r}, the benchmark's {config.licence!r}"
    if record.dataset.publish_scores and not config.publish_scores:
        yield f"dataset.publish_scores, and the benchmark forbids it of {record.dataset.name}"
