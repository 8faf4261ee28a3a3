"""Publishing: chosen records go into the published folder, and its tables are made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.board.git_tree import changes_outside
from harness.board.publishing.published_tables import build
from harness.board.record_paths import details_path, record_path, scores_path
from harness.errors import RequestError
from harness.records.details_schema import Details
from harness.records.documents import sha256
from harness.records.files import read_bytes, write_bytes
from harness.records.provenance import DIRTY
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.details import content_at
from harness.registry.guarding.check import publishes_scores

DetailsOf = Callable[[Path], Details | None]
"""The companion of a run's record; None where it has none."""


def without_details(run: Path) -> None:
    """No companion."""


def publish(
    runs: Sequence[Path],
    folder: Path,
    repository: Path,
    *,
    details: DetailsOf = without_details,
    include_failed: bool = False,
) -> list[Path]:
    """Copy records into `folder/records/` and rebuild the tables; all of them, or none.

    Args:
        runs: the `record.json` files chosen.
        folder: the published tables, mostly `leaderboards`.
        repository: the git work tree whose commit the records name.
        details: makes what is to lie beside a record.
        include_failed: publish rows without a result too.

    Returns:
        The files written: records, scores, details, tables.

    Raises:
        RequestError: the tree is dirty, or a record may not be published as it is.
    """
    _require_clean(repository, folder)
    for run in runs:
        _check_allowed(run, include_failed=include_failed)
    planned = _planned(runs, folder, details)
    new = [path for path, content in planned.items() if not _is_there(path, content)]
    for path in new:
        write_bytes(path, planned[path])
    return new + build(folder)


def _require_clean(repository: Path, folder: Path) -> None:
    changed = changes_outside(repository, folder)
    if changed:
        more = f" and {len(changed) - 10} more" if len(changed) > 10 else ""
        raise RequestError(
            f"the work tree is not clean: {', '.join(changed[:10])}{more}; commit or stash these, "
            "so that the published numbers have a commit that made them"
        )


def _planned(runs: Iterable[Path], folder: Path, details: DetailsOf) -> dict[Path, bytes]:
    """Every file to be there, with its content; nothing is written yet."""
    planned: dict[Path, bytes] = {}
    for run in runs:
        for path, content in _files(run, folder, details(run)).items():
            if planned.setdefault(path, content) != content:
                raise RequestError(f"{run}: another record of this call is published as {path}")
    return planned


def _check_allowed(run: Path, *, include_failed: bool) -> None:
    if reason := _refused(read_record(run), include_failed=include_failed):
        raise RequestError(f"{run}: {reason}")


def _files(run: Path, folder: Path, details: Details | None) -> dict[Path, bytes]:
    record = read_record(run)
    path = record_path(record)
    files = {folder / path: read_bytes(run)}
    if publishes_scores(record):
        files[folder / scores_path(path)] = _scores(run.with_name("scores.npz"), record)
    if details is not None:
        beside = folder / details_path(path)
        files[beside] = content_at(beside, details)
    return files


def _refused(record: Record, *, include_failed: bool) -> str:
    """Why a record may not be published; empty where it may."""
    dirty = {record.code, *(stage.code for stage in record.stages.values())}
    if any(code.endswith(DIRTY) for code in dirty):
        return (
            f"made by code that is in no commit ({', '.join(sorted(dirty - {''}))}); commit it, "
            "delete this folder and the stages it names (`harness runs show`), and run again"
        )
    if record.dataset.left_out:
        return f"{len(record.dataset.left_out)} items were left out; mend the data and run again"
    if record.protocol.primary not in record.protocol.facts:
        return f"its protocol has no facts of its primary metric {record.protocol.primary!r}"
    if record.state != "done" and not include_failed:
        return f"it is {record.state} ({record.reason}); failed rows must be asked for"
    return ""


def _scores(file: Path, record: Record) -> bytes:
    """The scores that the record names, from its run's folder."""
    if not file.is_file():
        raise RequestError(f"{file}: missing; the record's scores are published beside it")
    content = read_bytes(file)
    if sha256(content) != record.artefacts["scores"].sha256:
        raise RequestError(f"{file}: not the scores that its record names; evaluate again")
    return content


def _is_there(path: Path, content: bytes) -> bool:
    """Whether a file is there already; a published file is never edited."""
    if not path.exists():
        return False
    if read_bytes(path) == content:
        return True
    raise RequestError(f"{path}: published already with another content, which is never edited")
