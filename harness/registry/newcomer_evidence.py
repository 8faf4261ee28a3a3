"""The evidence that new records bring, held against the signers of the revision before them.

What counts is the signers file that was there before: a change that lists a key and signs with it
would vouch for itself.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.board.companions import signature_fault, signature_files
from harness.board.evidence import digest_chain, finished_at, may_publish_scores, parse_time
from harness.board.git_tree import git
from harness.board.record_paths import details_path, is_signature, record_of
from harness.board.record_store import Held
from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.records.documents import sha256
from harness.records.provenance import DIRTY
from harness.records.record import Record, Trust
from harness.records.signature import SIGNERS, SignatureError, Signers, read_signers
from harness.registry.verify_record import verify

SHOWN = 5
"""Numbers of a record that are told to differ."""

SLACK = timedelta(hours=1)
"""So far may the clock of the machine that made a record be ahead."""


def wrong_numbers(folder: Path, earned: Held, loaded: LoadedBenchmark) -> Iterator[str]:
    """Judge the scores of records again, and the details beside them.

    Scores that cannot be judged here are no evidence here; a signature that counts is.

    Args:
        folder: the published tables.
        earned: new records, with the trust that they have earned.
        loaded: the benchmark.
    """
    for name, record in earned.records.items():
        if record.state != "done" or record.trust == "claimed" or name in earned.unseen:
            continue
        verdict = verify(loaded, folder / name, folder)  # no stage of a run is there
        if verdict.answer == "differs":
            more = len(verdict.reasons) - SHOWN
            yield from (f"{name}: {reason}" for reason in verdict.reasons[:SHOWN])
            yield from [f"{name}: and {more} more numbers that differ"] * (more > 0)
        elif verdict.answer != "verified" and record.trust == "rescored":
            yield (
                f"{name}: nobody judged its scores again ({'; '.join(verdict.reasons)}); admit it "
                "on a machine that can, or sign it: `harness publish --sign KEY`"
            )


def unshown(record: Record, earned: Trust) -> Iterator[str]:
    """Say what a new record lacks to have a rank, if it asks for one.

    Args:
        record: as its file says it.
        earned: the trust that the files beside it give.
    """
    if earned != "claimed" or record.trust == "claimed":
        return
    if may_publish_scores(record):
        mend = "publish its scores beside it, with `harness publish`"
    else:
        mend = (
            "its scores may not lie there, so that a signature has to, by a key that the file "
            f"{SIGNERS!r} listed before this change: `harness publish --sign KEY`"
        )
    yield f"it says {record.trust}, and nothing beside it shows that; {mend}"


def wrong_signatures(
    folder: Path, records: Mapping[str, Record], before: Mapping[str, bytes], signers: Signers
) -> Iterator[str]:
    """Name new or changed signatures that do not count by the signers of before, and now.

    A key that no longer counts signs nothing new, whatever date a record bears.

    Args:
        folder: the published tables.
        records: path below them -> record.
        before: the files of the revision, by their paths.
        signers: those that it lists.
    """
    now = datetime.now(UTC)
    current = Signers(tuple(each for each in signers.listed if each.counted_at(now)))
    for name in signature_files(folder):
        record = records.get(record_of(name))
        if record is None or before.get(name) == (folder / name).read_bytes():
            continue
        if not (fault := signature_fault(folder, name, record, current)):
            continue
        if not signature_fault(folder, name, record, read_signers(folder / SIGNERS)):
            fault += (
                "; this change itself lists it, and a key counts once it is on the branch that the "
                f"change goes to: let a change of {SIGNERS!r} alone be merged first"
            )
        yield f"{name}: {fault}"


def lost_signatures(
    folder: Path, records: Mapping[str, Record], before: Mapping[str, bytes]
) -> Iterator[str]:
    """Name signatures that were removed and would still count.

    Args:
        folder: the published tables.
        records: path below them -> record.
        before: the files of the revision, by their paths.
    """
    signers = read_signers(folder / SIGNERS)
    for name, content in before.items():
        beside = record_of(name)
        if beside not in before or beside not in records:
            continue
        if not is_signature(name.rpartition("/")[2]) or (folder / name).exists():
            continue
        record, details = records[beside], before.get(details_path(beside))
        chain = digest_chain(record, sha256(before[beside]), sha256(details) if details else None)
        with suppress(SignatureError):  # Whoever's key is listed no longer may be forgotten.
            signer = signers.verify(chain, content.decode(errors="replace"), finished_at(record))
            yield f"{name}: removed, and {signer.name} signed it; restore it from git"


def signers_change(before: Signers, now: Signers) -> list[str]:
    """Tell which keys a change lists, and which it lists no longer."""
    changes = (
        ("lists", now.listed, before.listed),
        ("no longer lists", before.listed, now.listed),
    )
    return [
        f"{SIGNERS}: the change {does} {each.name}, {each.key}"
        + "".join(
            f", {word} {time:%Y-%m-%d %H:%M}"
            for word, time in (("after", each.after), ("before", each.before))
            if time
        )
        for does, here, there in changes
        for each in here
        if each not in there
    ]


def wrong_times_and_counts(record: Record) -> Iterator[str]:
    """Name dates that are none or lie in the future, and counts that cannot be."""
    latest = datetime.now(UTC) + SLACK
    ends = {f"stages.{name}.finished": stage.finished for name, stage in record.stages.items()}
    for where, text in {"finished": record.finished, **ends}.items():
        if not text:
            continue
        if (time := parse_time(text)) is None:
            yield f"{where} is {text[:40]!r}, no time of ISO 8601"
        elif time > latest:
            yield f"{where} is {text!r}, which lies in the future"
    looked = record.trust != "claimed" and record.state == "done"
    for name, least in (("attempt", 1), ("searched", 1), ("test_looks", int(looked))):
        if (count := getattr(record, name)) < least:
            yield f"{name} is {count}; at least {least} is possible"


def unknown_commits(top: Path, records: Mapping[str, Record]) -> list[str]:
    """Name records of code that the repository does not know.

    Args:
        top: the work tree.
        records: path -> new record.

    Raises:
        RequestError: the clone holds only a part of the history, so that nobody can say.
    """
    ran = {
        name: {record.code, *(stage.code for stage in record.stages.values())} - {""}
        for name, record in records.items()
        if record.trust != "claimed"
    }
    return unknown_codes(top, ran)


def unknown_codes(top: Path, ran: Mapping[str, Collection[str]]) -> list[str]:
    """Name files of code that the repository does not know.

    Args:
        top: the work tree.
        ran: path -> the code that made what the file says.

    Raises:
        RequestError: the clone holds only a part of the history, so that nobody can say.
    """
    known = _commits(top, {code for codes in ran.values() for code in codes if _is_name(code)})
    unknown = {
        name: sorted(code for code in codes if _is_name(code) and code not in known)
        for name, codes in ran.items()
    }
    lines = [
        f"{name}: code {code[:12]} is no commit of this repository; push the commit that made it"
        for name, codes in unknown.items()
        for code in codes
    ]
    if lines and os.fsdecode(git(top, "rev-parse", "--is-shallow-repository")).strip() == "true":
        first = next(code for codes in unknown.values() for code in codes)
        raise RequestError(
            f"{top}: a shallow clone, which does not know commit {first[:12]} that made a new "
            "record and may not know others; fetch the whole history: git fetch --unshallow"
        )
    return lines


def _is_name(code: str) -> bool:
    """Check if code names a commit and nothing else; rules of their own refuse all other."""
    return code.isalnum() and not code.endswith(DIRTY)


def _commits(top: Path, names: Collection[str]) -> set[str]:
    """Return those names that are commits of a repository."""
    if not names:
        return set()
    asked = sorted(names)
    given = "".join(f"{name}\n" for name in asked).encode()
    found = os.fsdecode(git(top, "cat-file", "--batch-check=%(objecttype)", given=given))
    return {name for name, kind in zip(asked, found.splitlines(), strict=True) if kind == "commit"}
