"""The cheapest plan of runs that decides between entries, as command lines."""

from __future__ import annotations

import math
import shlex
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.search.candidates import Candidate
from harness.search.power import KnownPair, Power

Seeds = Mapping[str, int]
"""Title of an entry -> how many seeds of it are run."""


@dataclass(frozen=True)
class RunPlan:
    """Runs that decide between entries.

    Attributes:
        seeds: of each entry that is run, done ones included; fewest are 1.
        left_out: entries -> the reason why they are not run.
        seconds: of all that is still to be run, as far as it is known.
        cut: True if fewer seeds are run than would decide, for want of time.
        whole: of one seed of each entry, where some are left out for want of time; else None.
    """

    seeds: Seeds
    left_out: Mapping[str, str]
    seconds: float
    cut: bool = False
    whole: float | None = None


def wanted_seeds(
    candidates: Sequence[Candidate], pairs: Sequence[KnownPair], power: Power | None
) -> dict[str, int]:
    """Return the fewest seeds of each entry that decide every pair which seeds can decide.

    An entry that was not tested yet has the seeds from which on more of them help little.

    Args:
        candidates: entries that may be run.
        pairs: those of them that were tested on the same units.
        power: of a typical pair; None if it is not known.
    """
    unknown = min(power.worthwhile_seeds if power else 1, *map(_planned, candidates))
    tested: dict[str, int] = {}
    for pair in pairs:
        for row in (pair.first, pair.second):
            needed = pair.seeds or 1
            tested[row.first.entry] = max(tested.get(row.first.entry, 1), needed)
    return {each.title: min(tested.get(each.title, unknown), _planned(each)) for each in candidates}


def _planned(candidate: Candidate) -> int:
    return len(candidate.seeds)


def plan_runs(
    candidates: Sequence[Candidate],
    wanted: Seeds,
    hours: float,
    out: Mapping[str, str],
    packing: float = 0.0,
) -> RunPlan:
    """Return the runs that fit the hours: first fewer seeds of all, then fewer entries.

    The entry that takes longest is left out first, so that most are compared.

    Args:
        candidates: entries of a suite on one dataset.
        wanted: seeds that would decide.
        hours: that there are.
        out: entries that are not run, with the reason why.
        packing: seconds of reading the dataset.
    """
    left, reasons = [each for each in candidates if each.title not in out], dict(out)
    limit = hours * 3600 - packing
    most = max((wanted[each.title] for each in left), default=1)
    cap = next((cap for cap in range(most, 0, -1) if _cost(left, wanted, cap) <= limit), 1)
    late = []
    while left and _cost(left, wanted, cap) > limit:
        late.append(max(left, key=lambda each: _cost([each], wanted, cap)))
        left.remove(late[-1])
    spare = limit - _cost(left, wanted, cap)
    rest = f"{time_text(spare)} are" if spare >= 60 else "nothing is"
    for each in late:
        needed = time_text(_cost([each], wanted, cap))
        reasons[each.title] = f"takes {needed}, and {rest} left for it"
    seeds = {each.title: min(wanted[each.title], cap) for each in left}
    cut = any(seeds[title] < wanted[title] for title in seeds)
    whole = _cost([*left, *late], wanted, 1) + packing if late else None
    return RunPlan(seeds, reasons, _cost(left, seeds, most) + packing, cut, whole)


def time_text(seconds: float) -> str:
    """Return a duration as people plan with it.

    >>> time_text(20.0), time_text(2700.0), time_text(7000.0)
    ('1 min', '45 min', '1.9 h')
    """
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{max(1, round(seconds / 60))} min"


def _cost(candidates: Sequence[Candidate], wanted: Seeds, cap: int) -> float:
    return math.fsum(
        each.seconds(seed) or 0.0
        for each in candidates
        for seed in each.seeds[: min(wanted[each.title], cap)]
    )


def command_lines(candidates: Sequence[Candidate], seeds: Seeds, words: Sequence[str]) -> list[str]:
    """Return the command lines that run a plan, as few as can be.

    Models that share loss, seeds and settings are named together, since a call runs every pair of
    its models and losses.

    Args:
        candidates: entries of a suite.
        seeds: of each entry that is run; done ones are no work.
        words: of the call that all share: suite, profile, dataset, folder of runs.
    """
    groups: dict[tuple[str, tuple[int, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for each in candidates:
        if (count := seeds.get(each.title)) and _has_work(each, count):
            model, loss = each.name
            groups[loss, each.seeds[:count], each.settings].append(model)
    lines = []
    for (loss, numbers, settings), models in groups.items():
        named = [word for model in dict.fromkeys(models) for word in ("--model", model)]
        own = ["--seeds", ",".join(map(str, numbers))]
        own += [word for setting in settings for word in ("--set", setting)]
        chosen = [*named, *(["--loss", loss] if loss else []), *own]
        lines.append(shlex.join(["harness", "run", *words, *chosen]))
    return lines


def _has_work(candidate: Candidate, count: int) -> bool:
    return any(candidate.seconds(seed) != 0 for seed in candidate.seeds[:count])


def undecided(
    pairs: Sequence[KnownPair], seeds: Seeds, entries: Collection[str]
) -> list[KnownPair]:
    """Return the tested pairs that the plan leaves undecided, whichever reason it has."""
    found = []
    for pair in pairs:
        names = pair.first.first.entry, pair.second.first.entry
        if set(names) <= set(entries):
            planned = min(seeds.get(name, 0) for name in names)
            if not pair.is_decided and (pair.seeds is None or planned < pair.seeds):
                found.append(pair)
    return found
