"""From a question to the runs that answer it: what fits, what it takes, what can be decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.board.record_store import families, load
from harness.board.standing.figures import plural
from harness.board.standing.rows import FiledRecord, Row
from harness.board.standing.table import Table, family_of, tables
from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.records.damage import DamagedFile
from harness.records.record import MetricFacts, Record
from harness.records.record_files import read_record
from harness.run.job.record_writing import RECORD
from harness.run.job.spec import JobSpec
from harness.run.plan.call_plan import Tell
from harness.run.plan.item_lengths import ItemLengths
from harness.run.plan.request import RunRequest
from harness.run.session import find_datasets
from harness.search.candidates import Candidate, list_candidates
from harness.search.outlook import Outlook, cannot_win, outlooks_of
from harness.search.power import KnownPair, Power, known_pairs, scaled, table_power
from harness.search.run_plan import RunPlan, plan_runs, wanted_seeds


@dataclass(frozen=True)
class Known:
    """What earlier runs say of a dataset's test.

    Attributes:
        power: of a typical pair; None if nothing like it was tested.
        source: where that is from, for people.
        pairs: of entries that were tested as they are now.
        tested: title of an entry -> its row.
    """

    power: Power | None
    source: str
    pairs: tuple[KnownPair, ...] = ()
    tested: dict[str, Row] | None = None


@dataclass(frozen=True)
class EntryChoice:
    """What may be run on a dataset, and what should be.

    Attributes:
        candidates: every entry of the suite.
        known: what earlier runs say.
        outlooks: title of an entry -> those of its trainings that have come far enough.
        lost: entries that can no longer win -> the entry that is ahead of them.
        wanted: seeds that would decide, of each entry that may be run.
        plan: what is to be run.
        facts: the primary metric.
        packing: seconds of reading the dataset.
    """

    candidates: tuple[Candidate, ...]
    known: Known
    outlooks: dict[str, tuple[Outlook, ...]]
    lost: dict[str, str]
    wanted: dict[str, int]
    plan: RunPlan
    facts: MetricFacts
    packing: float

    @property
    def first(self) -> JobSpec:
        """A job that speaks for suite, profile and dataset."""
        return self.candidates[0].jobs[0]


def choose(
    loaded: LoadedBenchmark,
    request: RunRequest,
    *,
    memory: str,
    hours: float,
    published: Path,
    tell: Tell,
) -> EntryChoice:
    """Return what fits, how long it takes here, what the corpus can decide, and a plan of runs.

    Args:
        loaded: the benchmark.
        request: the call: one dataset, with all seeds that may be run.
        memory: of the card, as `6 GiB`.
        hours: that there are.
        published: the folder of the published tables.
        tell: receives messages for a person who waits.

    Raises:
        RequestError: no hours, or nothing to choose from.
        ConfigError, CorpusAbsent: as of a plan.
    """
    if not hours > 0:
        raise RequestError(f"--hours {hours:g}: give a number above 0")
    for name in request.datasets:
        if len(loaded.parts(name)) > 1:
            raise RequestError(f"{name} is judged by folds, of which none decides alone")
    candidates, found = list_candidates(loaded, request, memory, tell)
    if not candidates:
        raise RequestError("the suite has no entry on this dataset")
    job = candidates[0].jobs[0]
    facts = job.protocol.facts[job.protocol.primary]
    known = what_is_known(candidates, request.runs, published)
    listing = find_datasets(loaded, request)[0][0]
    items = ItemLengths(listing, request.cache)
    outlooks = {each.title: outlooks_of(each.jobs, items, facts) for each in candidates}
    lost = cannot_win(outlooks, facts)
    out = {each.title: each.why_not for each in candidates if each.why_not}
    out |= {
        each.title: f"how long it takes is not known: {each.why_unknown}"
        for each in candidates
        if each.why_unknown and each.title not in out
    }
    out |= {title: f"can no longer win: {ahead} is ahead" for title, ahead in lost.items()}
    usable = [each for each in candidates if each.title not in out]
    wanted = wanted_seeds(usable, known.pairs, known.power) if usable else {}
    packing = sum(found.packing.values())
    plan = plan_runs(candidates, wanted, hours, out, packing)
    return EntryChoice(tuple(candidates), known, outlooks, lost, wanted, plan, facts, packing)


def what_is_known(candidates: Sequence[Candidate], runs: Path, published: Path) -> Known:
    """Return what records of the runs folder and published ones say of a dataset's test.

    Where no two entries were tested on it, the error is that of another dataset of the suite,
    scaled by the root of the numbers of units.
    """
    job = candidates[0].jobs[0]
    own = [each for each in tables(_records(job, runs, published)) if _is_of(each, job)]
    # Of several budgets the one that is asked about: its entries were tested as they are now.
    own.sort(key=lambda table: -len(_tested(table, candidates)))
    units = job.dataset.counts["test"]["units"]
    for table in own:
        if (power := table_power(table)) is not None:
            tested = _tested(table, candidates)
            pairs = tuple(
                pair
                for pair in known_pairs(table)
                if {pair.first, pair.second} <= set(tested.values())
            )
            return Known(power, _source(table, tested), pairs, tested)
    others = _of_others(job, published)
    if not others:
        return Known(None, "")
    nearest = min(others, key=lambda pair: abs(pair[1].units - units))
    table, power = nearest
    source = f"{table.dataset.name} ({power.units} {table.dataset.unit}s), scaled by their number"
    return Known(scaled(power, units), source)


def _source(table: Table, tested: Mapping[str, Row]) -> str:
    """Return where a power is from: which rows, and whether they are of what would be run."""
    trained = sum(row.is_compared and not row.first.is_baseline for row in table.rows)
    now = "" if tested else ", with recipes that have changed since"
    return f"{plural(trained, 'entry')} tested on it{now}"


def _tested(table: Table, candidates: Sequence[Candidate]) -> dict[str, Row]:
    """Return the rows of a table that are of entries as they would be run now."""
    found = {}
    for each in candidates:
        for job in each.jobs[:1]:
            rows = (row for row in table.rows if row.is_compared and _is_same(row.first, job))
            if (row := next(rows, None)) is not None:
                found[each.title] = row
    return found


def _is_same(record: Record, job: JobSpec) -> bool:
    recipe = job.recipe.model_dump(mode="json") if job.recipe else None
    return (record.model, record.loss, record.recipe) == (job.model, job.loss, recipe)


def _is_of(table: Table, job: JobSpec) -> bool:
    """Return whether a table is of a job's test, under its rules."""
    protocol = table.protocol
    return protocol.digest == job.protocol.digest and table.dataset.lock == job.dataset.lock


def _records(job: JobSpec, runs: Path, published: Path) -> list[FiledRecord]:
    """Return what was tested of a job's suite and dataset, here and in the published tables."""
    folder = job.folder.parent.parent
    found = []
    for path in sorted(folder.glob(f"*/*/{RECORD}")):
        try:
            found.append(FiledRecord(read_record(path), path.relative_to(runs).as_posix()))
        except DamagedFile:  # `harness run` mends it, and says so
            continue
    files = families(published) if (published / "records").is_dir() else {}
    wanted = (job.protocol.suite, job.protocol.profile, job.dataset.name)
    filed = load(published, files.get(wanted, [])).filed() if files.get(wanted) else []
    return [*found, *(each for each in filed if family_of(each.record) == wanted)]


def _of_others(job: JobSpec, published: Path) -> list[tuple[Table, Power]]:
    """Return the power of the newest table of each other dataset of a job's suite."""
    if not (published / "records").is_dir():
        return []
    suite = job.protocol.suite
    held = {key: files for key, files in families(published).items() if key[0] == suite}
    return list(_powers(held.values(), published, job.protocol.primary))


def _powers(
    held: Iterable[Sequence[Path]], published: Path, primary: str
) -> Iterable[tuple[Table, Power]]:
    for files in held:
        for table in tables(load(published, files).filed())[:1]:
            power = table_power(table)
            if power is not None and table.protocol.primary == primary:
                yield table, power


def with_seeds(request: RunRequest, most: int) -> RunRequest:
    """Return a request with all seeds that may be run: those it names, else the first ones."""
    return request if request.seeds else replace(request, seeds=tuple(range(most)))
