"""Admission of a change of the published tables: its new records, checked against a revision.

`check` says whether files are what their records give. This says whether the records may be there:
nothing published was edited or removed, and every new record is whole, in its place, of data and
rules that the lock pins, from code that can be found again, with no more beside it than its data's
licence allows, and with evidence: scores that are judged again here, or a signature that counts.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from harness.board.companions import unreadable_companions, wrong_companions
from harness.board.git_tree import Snapshot
from harness.board.record_paths import (
    DETAILS_ENDING,
    SIGNATURE_ENDING,
    is_record,
    is_signature,
    scores_path,
    series_path,
)
from harness.board.record_store import Held, load
from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import LockFile, read_lock
from harness.errors import RequestError
from harness.records.record import Record, Trust
from harness.records.record_files import read_record, usable_record
from harness.records.signature import SIGNERS, Signers, parse_signers, read_signers
from harness.registry.admission_rules import lock_edits, wrong_newcomer
from harness.registry.attestation_rules import wrong_attestations
from harness.registry.consistency import disagreements
from harness.registry.details_admission import wrong_details
from harness.registry.entry_names import wrong_names
from harness.registry.history.line import FOLDER as HISTORY
from harness.registry.history.page import check_history
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

RECORDS = "records/"


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
    revision = Snapshot(folder, base)
    paths = sorted(folder.rglob("*"))
    before = revision.files(folder)
    now = {
        path.relative_to(folder).as_posix(): path
        for path in paths
        if path.is_file() and not path.is_symlink()
    }
    new = sorted(name for name in now.keys() - before.keys() if name.startswith(RECORDS))
    own, old = read_lock(loaded.lock_path), _lock_before(loaded, revision)
    locks = (own, old, *(read_lock(path) for path in loaded.base_lock_paths))
    records, unreadable = _readable(folder, now)
    # Nothing can be said of what lies beside records where some are none.
    sound = {} if unreadable else records
    listed = _signers_before(before)
    trusted = load(folder, [folder / name for name in sound], listed, sound)
    earned = Held({n: trusted.records[n] for n in new if n in sound}, unseen=trusted.unseen)
    trusts = {name: each.trust for name, each in earned.records.items()}
    scores = judge_scores(folder, new, records, loaded)
    complaints = [
        *_lost(before, now),
        *_links(folder, paths),
        *unreadable,
        *(line for name in new for line in wrong_newcomer(folder, name, records, locks, loaded)),
        *wrong_replacements(trusted.records, before, revision.top),
        *wrong_attestations(
            folder, new if sound else (), trusted.records, loaded, revision.top, listed
        ),
        *disagreements(records),
        *(f"{n}: {line}" for n, trust in trusts.items() for line in unshown(records[n], trust)),
        *wrong_numbers(folder, earned, loaded),
        *unknown_commits(revision.top, {name: records[name] for name in new if name in records}),
        *wrong_names(new, records, loaded),
        *wrong_details(folder, before, now, loaded),
        *scores.complaints,
        *check_history(folder),
        *(f"{loaded.lock_path.name}: {line}" for line in lock_edits(own, old)),
    ]
    told: list[str] = []
    if not unreadable:
        about = {*new, *(of(name) for name in new for of in (scores_path, series_path))}
        beside = wrong_companions(folder, records)
        complaints += [
            *wrong_signatures(folder, records, before, listed),
            *lost_signatures(folder, records, before),
            *(line for line in beside if _is_about(line.partition(": ")[0], about)),
        ]
        told = signers_change(listed, read_signers(folder / SIGNERS))
    return Admission(
        revision.commit,
        tuple(name for name in new if _is_record_file(name)),
        tuple(dict.fromkeys(complaints)),
        tuple(worsened(trusted.records, before)),
        unreadable=bool(unreadable),
        first=not any(_is_record_file(name) for name in before),
        trusts=trusts,
        told=tuple(told),
        remarks=scores.remarks,
    )


def _lock_before(loaded: LoadedBenchmark, revision: Snapshot) -> LockFile:
    """Return the lock as the revision has it; an empty one of a benchmark that lies elsewhere."""
    is_inside = loaded.lock_path.resolve().is_relative_to(revision.top.resolve())
    content = revision.file(loaded.lock_path) if is_inside else None
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / loaded.lock_path.name
        if content is not None:
            path.write_bytes(content)
        return read_lock(path)


def _signers_before(before: Mapping[str, bytes]) -> Signers:
    """Return the signers of the revision.

    Raises:
        RequestError: its file holds other lines.
    """
    try:
        text = before.get(SIGNERS, b"").decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{SIGNERS} of the revision: no text ({error}); mend it there"
        ) from error
    return parse_signers(text, f"{SIGNERS} of the revision")


def _links(folder: Path, paths: Iterable[Path]) -> Iterator[str]:
    for path in filter(Path.is_symlink, paths):
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


def _is_record_file(name: str) -> bool:
    is_json = name.startswith(RECORDS) and name.endswith(".json")
    return is_json and is_record(name.rpartition("/")[2])


def _readable(folder: Path, now: Mapping[str, Path]) -> tuple[dict[str, Record], list[str]]:
    """Return records by their paths, and what is wrong with the files that are none."""
    records, unreadable = {}, []
    for name in filter(_is_record_file, sorted(now)):
        try:
            records[name] = usable_record(folder / name, read_record(folder / name))
        except RequestError as error:
            unreadable.append(f"{name}: {error}")
    return records, unreadable + unreadable_companions(folder)
