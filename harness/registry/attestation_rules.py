"""The rules by which a new attestation may lie beside a published record.

What it says is held against all that can be seen: its scores are judged again, its range is
computed again, its code is looked up. What is left to be believed is that somebody else, whose key
is listed, did make the record again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from harness.board.evidence import finished_at, parse_time
from harness.board.made_again import attesting_signer
from harness.board.record_paths import record_of
from harness.config.loader import LoadedBenchmark
from harness.records.attestation import MARK, Attestation, read_attestation
from harness.records.documents import digest
from harness.records.record import Record
from harness.records.signature import SignatureError, Signers
from harness.registry.admission_rules import COMMIT
from harness.registry.attested_scores import is_near, wrong_scores_of
from harness.registry.newcomer_evidence import SLACK, unknown_codes
from harness.registry.rescoring import NotHereError, UnusableError, find_rescoring
from harness.registry.tolerance import ToleratedRange, range_of, same_table, same_to_the_bit

NOT_RERUN = ("checkpoint", "ensemble")
"""Tracks of records that have no training of their own to be made again."""


def wrong_attestations(
    folder: Path,
    names: Iterable[str],
    records: Mapping[str, Record],
    loaded: LoadedBenchmark,
    top: Path,
    signers: Signers,
) -> Iterator[str]:
    """Name all that is wrong with new attestations.

    Args:
        folder: the published tables.
        names: paths of new files below them.
        records: path -> every published record, with the trust that it has earned.
        loaded: the benchmark.
        top: the git work tree, whose commits are known.
        signers: those whose signatures count.
    """
    asked = {
        name: read_attestation(folder / name)
        for name in names
        if MARK in name and name.endswith(".json") and record_of(name) in records
    }
    yield from unknown_codes(top, {name: {told.code} for name, told in asked.items()})
    for name, told in asked.items():
        beside = record_of(name)
        record, others = records[beside], (r for path, r in records.items() if path != beside)
        lines = [
            *_wrong_signer(folder / name, folder / beside, record, signers),
            f"code is {told.code[:40]!r}, no commit" * (not COMMIT.fullmatch(told.code)),
            *_wrong_time(told, record),
            *_wrong_sameness(told, record),
            *_wrong_range(told, record, loaded, same_table(record, others)),
            *_wrong_again(folder / name, told, record, loaded, folder / beside),
        ]
        yield from (f"{name}: {line}" for line in filter(None, lines))


def _wrong_signer(path: Path, file: Path, record: Record, signers: Signers) -> Iterator[str]:
    """A key that no longer counts signs nothing new, whatever date an attestation bears."""
    try:
        signer = attesting_signer(path, file, record, signers)
    except SignatureError as error:
        yield f"it lifts nothing: {error}"
    else:
        if not signer.counted_at(datetime.now(UTC)):
            yield f"signed by {signer.name} with a key that counts no longer"


def _wrong_time(told: Attestation, record: Record) -> Iterator[str]:
    ended = parse_time(told.finished)
    if ended is None:  # Which its signature is refused for.
        return
    if ended > datetime.now(UTC) + SLACK:
        yield f"finished is {told.finished!r}, which lies in the future"
    if ended < finished_at(record):
        yield f"finished is {told.finished!r}, which is before its record was made"


def _wrong_sameness(told: Attestation, record: Record) -> Iterator[str]:
    """Hold what it says to be the same as the record's against what can be seen of both."""
    own = digest(told.environment.model_dump(mode="json")) if told.environment else ""
    same = own == record.environment_digest != ""
    if told.same_environment != same:
        yield f"same_environment is {told.same_environment}, the two environments say {same}"
    has_weights = "checkpoint" in record.artefacts
    if (told.same_checkpoint is not None) is not has_weights:
        known = "names" if has_weights else "has no"
        yield f"same_checkpoint is {told.same_checkpoint}, and its record {known} weights"
    if told.same_checkpoint and same and not is_near(told.reproduced, told.recorded):
        yield "the same weights in the same environment gave another value"


def _wrong_range(
    told: Attestation, record: Record, loaded: LoadedBenchmark, others: list[Record]
) -> Iterator[str]:
    """Compute the range again, from the published records."""
    if record.state != "done" or record.submission is not None or record.track in NOT_RERUN:
        yield "there is no job of its record that could be made again"
        return
    if record.protocol.suite not in loaded.benchmark.suites:
        yield f"{loaded.path.name} has no suite {record.protocol.suite!r}"
        return
    own = record.metrics[record.protocol.primary].value
    wanted = range_of(loaded, record, others)
    if told.reproduced == own and _is_range(told, same_to_the_bit(own)):
        return
    if not _is_range(told, wanted):
        yield (
            f"its range is {told.low:g} to {told.high:g} ({told.rule}: {told.told[:80]}), the "
            f"published records give {wanted.low:g} to {wanted.high:g} ({wanted.rule}: "
            f"{wanted.told})"
        )


def _is_range(told: Attestation, wanted: ToleratedRange) -> bool:
    return (
        (told.rule, told.told) == (wanted.rule, wanted.told)
        and is_near(told.low, wanted.low)
        and is_near(told.high, wanted.high)
    )


def _wrong_again(
    path: Path, told: Attestation, record: Record, loaded: LoadedBenchmark, beside: Path
) -> Iterator[str]:
    """Judge its scores again."""
    if told.scores is None:
        return
    try:
        yield from wrong_scores_of(path, told, find_rescoring(loaded, record, beside))
    except NotHereError as error:
        yield f"its scores cannot be judged here: {error}; admit it where its data are"
    except UnusableError as error:
        yield str(error)
