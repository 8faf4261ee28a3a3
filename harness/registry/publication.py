"""Publishing: chosen records go into the published folder, and its tables are made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from harness.board.evidence import publishes_scores
from harness.board.git_tree import changes_outside
from harness.board.publishing.published_tables import build
from harness.board.record_paths import (
    SIGNATURE_ENDING,
    details_path,
    record_path,
    scores_path,
    series_path,
)
from harness.errors import RequestError
from harness.records.details_schema import Details
from harness.records.documents import sha256
from harness.records.files import read_bytes, write_bytes
from harness.records.provenance import DIRTY
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.consistency import gaps
from harness.registry.record_details import details_content
from harness.registry.signing import make_signatures
from harness.series.series_file import PUBLISHED

DetailsOf = Callable[[Path, Record], Details | None]
"""Makes the details of a run's record, which its file holds; None if it has none."""


def publish(
    runs: Mapping[Path, Record],
    folder: Path,
    repository: Path,
    *,
    details: DetailsOf = lambda _path, _record: None,
    include_failed: bool = False,
    key: Path | None = None,
) -> list[Path]:
    """Copy records into `folder/records/` and rebuild the tables; all of them, or none.

    Args:
        runs: the `record.json` files chosen, each with its record.
        folder: the published tables, mostly `leaderboards`.
        repository: the git work tree whose commit the records name.
        details: makes the details to be published beside a record.
        include_failed: publish rows without a result too.
        key: signs each of the records (`harness.records.signature.sign`); None for none.

    Returns:
        The files written: records, scores, details, signatures, tables.

    Raises:
        RequestError: the tree is dirty, a record may not be published as it is, or the key signs
            nothing.
    """
    changed = changes_outside(repository, folder)
    if changed:
        more = f" and {len(changed) - 10} more" if len(changed) > 10 else ""
        raise RequestError(
            f"the work tree is not clean: {', '.join(changed[:10])}{more}; commit or stash these, "
            "so that the published numbers have a commit that made them"
        )
    for run, record in runs.items():
        if reason := _refusal(record, include_failed=include_failed):
            raise RequestError(f"{run}: {reason}")
    contents = _contents(runs, folder, details)
    if key is not None:
        own = {published_place(record, folder): record for record in runs.values()}
        contents |= make_signatures(own, contents, key)
    new = [path for path, content in contents.items() if not _is_there(path, content)]
    for path in new:
        write_bytes(path, contents[path])
    return new + build(folder)


def published_otherwise(runs: Mapping[Path, Record], folder: Path) -> list[Path]:
    """Return those of the runs whose place holds another run's record of the same keys.

    A training that was made again tells other times, and nothing else that is new; what was
    published stays, as records are never edited.
    """
    places = ((run, published_place(record, folder)) for run, record in runs.items())
    return [run for run, there in places if there.exists() and read_bytes(there) != read_bytes(run)]


def published_place(record: Record, folder: Path) -> Path:
    """Return the file of a record in the published folder.

    A record of the same keys under another version of the protocol keeps its place.
    """
    usual = folder / record_path(record)
    if not usual.exists() or read_record(usual).protocol.version == record.protocol.version:
        return usual
    return folder / record_path(record, raised=True)


def _refusal(record: Record, *, include_failed: bool) -> str:
    """Return why a record may not be published; empty if it may."""
    dirty = {record.code, *(stage.code for stage in record.stages.values())}
    if any(code.endswith(DIRTY) for code in dirty):
        return (
            f"made by code that is in no commit ({', '.join(sorted(dirty - {''}))}); commit it, "
            "delete this folder and the stages it names (`harness runs show`), and run again"
        )
    if gap := next(gaps(record), ""):
        return gap
    if record.state != "done" and not include_failed:
        return f"it is {record.state} ({record.reason}); failed rows must be asked for"
    return ""


def _contents(
    runs: Mapping[Path, Record], folder: Path, details_of: DetailsOf
) -> dict[Path, bytes]:
    """Return every file to be there, with its content; nothing is written yet."""
    contents: dict[Path, bytes] = {}
    for run, record in runs.items():
        place, details = published_place(record, folder), details_of(run, record)
        path = place.relative_to(folder).as_posix()
        files = {place: read_bytes(run)}
        if publishes_scores(record):
            files[folder / scores_path(path)] = _named(
                run.with_name("scores.npz"), record, "scores"
            )
        if "series" in record.artefacts:
            files[folder / series_path(path)] = _named(run.with_name(PUBLISHED), record, "series")
        if details is not None:
            beside = folder / details_path(path)
            files[beside] = details_content(beside, details)
        for file, content in files.items():
            if contents.setdefault(file, content) != content:
                raise RequestError(f"{run}: another record of this call is published as {file}")
    return contents


def _named(file: Path, record: Record, what: str) -> bytes:
    """Return the scores or the series that the record names, from its run's folder."""
    if not file.is_file():
        raise RequestError(f"{file}: missing; the record's {what} are published beside it")
    content = read_bytes(file)
    if sha256(content) != record.artefacts[what].sha256:
        raise RequestError(f"{file}: not the {what} that its record names; evaluate again")
    return content


def _is_there(path: Path, content: bytes) -> bool:
    """True if a file is there already; but for a signature, a published file is never edited."""
    if not path.exists():
        return False
    if read_bytes(path) == content:
        return True
    if path.name.endswith(SIGNATURE_ENDING):
        return False
    raise RequestError(f"{path}: published already with another content, which is never edited")
