"""The rules by which a new record may join an entry that is published, and what a change worsens.

The name of an entry is its owner's. Who trains it again with the same keys, adds a seed of the same
training, or publishes a version of it that was raised, goes on with the entry; whatever else bears
its name would take its row.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.board.standing.choice import EVIDENCE, level_of, names_of, place_of, strength_of
from harness.board.standing.figures import plain
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, key_of, table_key, tables
from harness.board.versions.value_changes import entries, match
from harness.errors import RequestError
from harness.records.record import Record, RecordedComponent

FREE: Mapping[str, tuple[str, ...]] = {
    "train": ("seed", "dataset", "teacher", "parent"),
    "evaluate": ("checkpoint", "protocol", "members"),
    "claim": (),
}
"""Stages that make a result, and their inputs that may differ between the records of one row.

Other seeds and folds are trainings of the same entry, and each makes weights of its own, as do its
teacher, the training that it goes on from, and the members of an ensemble, whose names are fields
of recipe and model; data and protocol are those of the table, of which each fold has some of its
own.
"""

OTHER_NAME = "give the entry another name"


def wrong_replacements(
    records: Mapping[str, Record], old: Container[str], sources: Path
) -> Iterator[str]:
    """Name each new record that may not join the published entry whose name it bears.

    Args:
        records: path -> record, with the trust that its evidence gives it.
        old: paths of those that were published before.
        sources: the folder that modules of adapters lie below, which declare their versions.
    """
    published = defaultdict[object, list[FiledRecord]](list)
    for path, record in records.items():
        if path in old:
            published[_entry(record)].append(FiledRecord(record, path))
    for path, record in sorted(records.items()):
        theirs = published.get(_entry(record), [])
        if theirs and path not in old:
            found = _wrong(FiledRecord(record, path), theirs, sources)
            yield from (f"{path}: {line}" for line in found)


def worsened(records: Mapping[str, Record], old: Container[str]) -> list[str]:
    """Name each row that new records make worse, or take the rank or the evidence of.

    That others are better than it makes no row worse.

    Args:
        records: path -> record, with the trust that its evidence gives it.
        old: paths of those that were published before.
    """
    filed = [FiledRecord(record, path) for path, record in records.items()]
    try:
        before = {_key(table): table for table in tables(f for f in filed if f.path in old)}
        touched = {key_of(each.record) for each in filed if each.path not in old}
        return [
            f"{now.protocol.suite}/{now.protocol.profile}/{now.dataset.name}: {line}"
            for now in tables(each for each in filed if key_of(each.record) in touched)
            if _key(now) in before
            for line in _worse_rows(before[_key(now)], now)
        ]
    except RequestError as error:
        return [f"no table can be compared: {error}"]


def _entry(record: Record) -> object:
    return key_of(record), names_of(record)


def _key(table: Table) -> object:
    return table_key(table)


def _wrong(new: FiledRecord, theirs: Sequence[FiledRecord], sources: Path) -> Iterator[str]:
    """Say why a record may not join an entry's published ones."""
    record, name = new.record, new.record.entry
    done = [each for each in theirs if each.record.state == "done"]
    level = max(level_of(each.record) for each in done or theirs)
    if level_of(record) < level:
        yield (
            f"less evidence ({record.trust}) than behind the published records of {name} "
            f"({EVIDENCE[level]}); bring as much, or {OTHER_NAME}"
        )
    seat = [each for each in done if place_of(each.record) == place_of(record)]
    last = max(seat, key=strength_of, default=None)
    if last and last.record.trust == "reproduced" != record.trust:
        yield f"would follow {last.path}, which was made again; attest that of this one too"
    if last and record.state != "done":
        yield f"has no result ({record.state}), and would take the place of {last.path}, which has"
    if record.trust == "rescored" and _is_lower(record, [each.record for each in done]):
        yield (
            f"{record.protocol.primary} is worse than the interval of every published record of "
            f"{name}, and scores alone do not show that it is theirs; have it signed by a listed "
            f"key, or {OTHER_NAME}"
        )
    if record.state == "done" and _loses_rank(record, [each.record for each in done]):
        primary, unit = record.protocol.primary, record.dataset.unit
        yield f"{primary} is not given without each {unit} of {name}, which would lose its rank"
    if not any(_is_continued(each.record, record) for each in theirs):
        yield from _not_raised(record, [each.record for each in theirs], sources)


def _is_lower(new: Record, done: Sequence[Record]) -> bool:
    """Return True if a result is worse than the interval of each published one of its fold."""
    primary, fold = new.protocol.primary, place_of(new)[1]
    found, facts = new.metrics.get(primary), new.protocol.facts.get(primary)
    rivals = [each.metrics[primary] for each in done if place_of(each)[1] == fold]
    if found is None or facts is None or not rivals:
        return False
    if facts.higher_is_better:
        return all(each.low is not None and found.value < each.low for each in rivals)
    return all(each.high is not None and found.value > each.high for each in rivals)


def _loses_rank(new: Record, done: Sequence[Record]) -> bool:
    """Return True if an entry that can be ranked could not be with a record of other units."""
    fold = place_of(new)[1]
    units, *known = (
        frozenset(each.left_one_out.get(new.protocol.primary, {})) for each in (new, *done)
    )
    own = {each for each, old in zip(known, done, strict=True) if place_of(old)[1] == fold}
    return bool(known) and all(known) and units not in (own or {units} - {frozenset()})


def _is_continued(old: Record, new: Record) -> bool:
    """Return True if a record is of an entry's own training, of its seed or another one.

    Stages' keys are digests of their inputs (`registry.consistency`), which are compared here, as
    the keys of two seeds or folds differ. The machine that measured costs may be any.
    """
    return all(_inputs(old, stage) == _inputs(new, stage) for stage in FREE)


def _inputs(record: Record, stage: str) -> dict[str, Any] | None:
    made = record.stages.get(stage)
    return {k: v for k, v in made.inputs.items() if k not in FREE[stage]} if made else None


def _not_raised(new: Record, theirs: Sequence[Record], sources: Path) -> Iterator[str]:
    """Say why a record of another training is no raised version of an entry."""
    parts = [(new.model, [each.model for each in theirs])]
    if new.loss:
        parts.append((new.loss, [each.loss for each in theirs if each.loss]))
    raised = False
    for part, before in parts:
        last = max(each.version for each in before)
        raised |= part.version > last
        if part.version < last:
            yield f"is of version {part.version} of {part.name}, and {last} is published"
        if part.version > last and (declared := declared_version(sources, part)) != part.version:
            said = f"{part.adapter} declares {declared}" if declared else f"no {part.adapter} is"
            yield f"is of version {part.version} of {part.name}, and {said} in this change"
    if not raised:
        yield (
            f"is of another training than the published {new.entry}: no stage of it has the keys "
            f"of theirs, and no version of an adapter or of the protocol was raised; {OTHER_NAME}"
        )


def declared_version(sources: Path, part: RecordedComponent) -> int | None:
    """Return the version that the source of an adapter's class declares; none of its code is run.

    Args:
        sources: the folder that its module lies below.
        part: a model or a loss.

    Returns:
        None if the module is not there, is no Python, or declares none.
    """
    module, _, name = part.adapter.partition(":")
    names = module.split(".")
    try:
        path = sources.joinpath(*names).with_suffix(".py")
        tree = ast.parse(path.read_bytes() if all(map(str.isidentifier, names)) else b"")
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    found = [
        line.value.value
        for each in tree.body
        if isinstance(each, ast.ClassDef) and each.name == name
        for line in each.body
        if isinstance(line, ast.AnnAssign)
        and isinstance(line.target, ast.Name)
        and line.target.id == "version"
        and isinstance(line.value, ast.Constant)
    ]
    return found[0] if found and type(found[0]) is int else None


def _worse_rows(before: Table, after: Table) -> Iterator[str]:
    facts = after.protocol.facts[after.protocol.primary]
    sign = -1 if facts.higher_is_better else 1
    why = dict(zip(after.labels, after.ranking.apart, strict=False))
    for was, now in match(entries(before), entries(after)):
        if was is None:
            continue
        if now is None:
            yield f"{was.name} is no longer there"
            continue
        old, new = (each.row.figure(after.protocol.primary) for each in (was, now))
        if old and new and sign * (new.value - old.value) > 0:
            shown = f"{plain(old.value, facts)} to {plain(new.value, facts)}"
            yield f"{now.name} gets worse: {facts.title} {shown}"
        if was.rank is not None and now.rank is None:
            reason = why.get(now.name) or after.ranking.reason or f"it is {now.row.state}"
            yield f"{now.name} loses its rank {was.rank}: {reason}"
        if EVIDENCE.index(now.row.trust) < EVIDENCE.index(was.row.trust):
            yield f"{now.name} was {was.row.trust}, and is {now.row.trust}"
        elif was.row.is_done and not now.row.is_done:
            yield f"{now.name} had a result, and is {now.row.state}"
