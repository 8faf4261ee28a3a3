"""Admission of a change of the published tables: its new records, checked against a revision.

`check` says whether files are what their records give. This says whether the records may be there:
nothing published was edited or removed, and every new record is whole, in its place, of data and
rules that the lock pins, from code that can be found again, with no more beside it than its data's
licence allows, and with evidence: scores that are judged again here, or a signature that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from harness.board.companions import wrong_companions
from harness.board.record_paths import (
    DETAILS_ENDING,
    SIGNATURE_ENDING,
    is_signature,
    scores_path,
    series_path,
)
from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import read_lock
from harness.errors import in_one_line
from harness.records.record import Trust
from harness.records.signature import SIGNERS, read_signers
from harness.registry.admission_rules import lock_edits, wrong_newcomer
from harness.registry.attestation_rules import wrong_attestations
from harness.registry.change import RECORDS, Change, is_record_file, lock_before, read_change
from harness.registry.consistency import disagreements
from harness.registry.details_admission import wrong_details
from harness.registry.entry_names import wrong_names
from harness.registry.history.line import FOLDER as HISTORY
from harness.registry.history.night_page import check_history
from harness.registry.newcomer_evidence import (
    lost_signatures,
    signers_change,
    unknown_commits,
    unshown,
    wrong_numbers,
    wrong_signatures,
)
from harness.registry.replacement import worsened, wrong_replacements
from harness.registry.scores_admission import judge_scores


@dataclass(frozen=True)
class Admission:
    """The verdict on a change.

    Attributes:
        base: the commit that it was checked against.
        new: paths of new records below the published folder.
        complaints: all that is wrong, each beginning with the file it is about.
        worse: rows that it makes worse, or takes the rank or the evidence of.
        unreadable: True if a file among the records is none, so that no table can be made.
        first: True if nothing was published before.
        trusts: path of a new record -> the trust that the files beside it give.
        told: what a reader of the change has to know, and is not wrong.
        remarks: what is not wrong by any rule, and whoever admits the change should look at.
    """

    base: str
    new: tuple[str, ...]
    complaints: tuple[str, ...]
    worse: tuple[str, ...]
    unreadable: bool
    first: bool
    trusts: Mapping[str, Trust]
    told: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def admit(folder: Path, base: str, loaded: LoadedBenchmark) -> Admission:
    """Check the published tables of a work tree against those of a revision.

    Args:
        folder: the published tables, mostly `leaderboards`.
        base: the revision, as git calls it.
        loaded: the benchmark that the tables are of.

    Raises:
        RequestError: no git work tree, no such revision, or a lock that is none.
    """
    change = read_change(folder, base, loaded)
    scores = judge_scores(folder, change.new, change.records, loaded)
    complaints = [
        *_wrong_files(change),
        *_wrong_records(change),
        *_wrong_evidence(change),
        *scores.complaints,
        *check_history(folder),
    ]
    return Admission(
        change.revision.commit,
        tuple(name for name in change.new if is_record_file(name)),
        _lines(complaints),
        _lines(worsened(change.trusted.records, change.before)),
        unreadable=bool(change.unreadable),
        first=not any(is_record_file(name) for name in change.before),
        trusts=change.trusts,
        told=_lines(_told(change)),
        remarks=_lines(scores.remarks),
    )


def _lines(found: Iterable[str]) -> tuple[str, ...]:
    """Return each once, in one line: what a change says is told with its own names and values."""
    return tuple(dict.fromkeys(map(in_one_line, found)))


def _wrong_files(change: Change) -> Iterator[str]:
    """Name what is wrong with files, whatever new records say."""
    yield from _lost(change.before, change.now)
    yield from _links(change.folder)
    yield from change.unreadable
    yield from wrong_details(
        change.folder, change.before, change.now, change.records, change.loaded
    )


def _wrong_records(change: Change) -> Iterator[str]:
    """Name what new records say that they may not, and what the lock may not say."""
    own, old = read_lock(change.loaded.lock_path), lock_before(change.loaded, change.revision)
    locks = (own, old, *(read_lock(path) for path in change.loaded.base_lock_paths))
    for name in change.new:
        yield from wrong_newcomer(change.folder, name, change.records, locks, change.loaded)
    yield from wrong_replacements(change.trusted.records, change.before, change.revision.top)
    yield from disagreements(change.records)
    yield from unknown_commits(change.revision.top, change.new_records)
    yield from wrong_names(change.new, change.records, change.loaded)
    yield from (f"{change.loaded.lock_path.name}: {line}" for line in lock_edits(own, old))


def _wrong_evidence(change: Change) -> Iterator[str]:
    """Name what new records, attestations and signatures promise and nothing shows."""
    folder, records, listed = change.folder, change.records, change.listed
    for name, trust in change.trusts.items():
        yield from (f"{name}: {line}" for line in unshown(records[name], trust))
    yield from wrong_numbers(folder, change.earned, change.loaded)
    if change.unreadable:
        return
    yield from wrong_attestations(
        folder, change.new, change.trusted.records, change.loaded, change.revision.top, listed
    )
    yield from wrong_signatures(folder, records, change.before, listed)
    yield from lost_signatures(folder, records, change.before)
    about = {*change.new, *(of(name) for name in change.new for of in (scores_path, series_path))}
    for line in wrong_companions(folder, records):
        if _is_about(line.partition(": ")[0], about):
            yield line


def _told(change: Change) -> list[str]:
    """Tell which keys come or go; of a change that cannot be read nothing is told."""
    if change.unreadable:
        return []
    return signers_change(change.listed, read_signers(change.folder / SIGNERS))


def _links(folder: Path) -> Iterator[str]:
    for path in filter(Path.is_symlink, sorted(folder.rglob("*"))):
        yield f"{path.relative_to(folder).as_posix()}: a link; put the file itself there"


def _may_change(name: str) -> bool:
    """Check if a file may be made anew: details, and a signature, which are held to their rules."""
    return name.endswith(DETAILS_ENDING) or is_signature(name.rpartition("/")[2])


def _is_about(name: str, new: Set[str]) -> bool:
    """Check if a file is of a new record, or a signature, which any change beside it breaks."""
    return name in new or name.endswith(SIGNATURE_ENDING)


def _lost(before: Mapping[str, bytes], now: Mapping[str, Path]) -> Iterator[str]:
    """Name what was published and is no longer as it was."""
    for name, content in sorted(before.items()):
        if name.startswith(RECORDS) and not _may_change(name):
            if name not in now:
                yield f"{name}: removed; what was published stays, restore it from git"
            elif now[name].read_bytes() != content:
                yield f"{name}: edited; what was published is never edited, restore it from git"
        elif name.startswith(f"{HISTORY}/") and name.endswith(".jsonl"):
            if name not in now:
                yield f"{name}: removed; a history is only added to, restore it from git"
            elif not now[name].read_bytes().startswith(content):
                yield f"{name}: lines were edited or removed; a history is only added to"
