"""A choice as a document and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.board.standing.figures import UNKNOWN, plain, plural
from harness.search.candidates import Candidate
from harness.search.choose import EntryChoice
from harness.search.power import POWER, KnownPair, Power
from harness.search.run_plan import command_lines, time_text, undecided

GIB = 2**30
COLUMNS = ("entry", "GPU GiB", "fits", "a seed", "seeds done", "seeds to run", "tested", "")
NAMED = 6
"""Pairs that are told one by one."""


def document(choice: EntryChoice, words: Sequence[str]) -> dict[str, Any]:
    """Return a choice as plain JSON types; rates as fractions.

    Args:
        choice: the choice.
        words: of the commands that run its plan (see `command_lines`).
    """
    power, plan = choice.known.power, choice.plan
    return {
        "schema": 1,
        "suite": choice.first.protocol.suite,
        "profile": choice.first.protocol.profile,
        "dataset": choice.first.dataset.name,
        "metric": choice.first.protocol.primary,
        "entries": [_entry(choice, each) for each in choice.candidates],
        "power": _power(power, choice.known.source) if power else None,
        "pairs": [_pair(each) for each in choice.known.pairs],
        "undecided": [_pair(each) for each in _undecided(choice)],
        "seconds": plan.seconds,
        "packing_seconds": choice.packing,
        "cut": plan.cut,
        "commands": command_lines(choice.candidates, plan.seeds, words),
    }


def _entry(choice: EntryChoice, candidate: Candidate) -> dict[str, Any]:
    title, job = candidate.title, candidate.jobs[0]
    return {
        "model": job.model.name,
        "loss": job.loss.name if job.loss else None,
        "recipe": job.recipe_name,
        "memory": candidate.memory,
        "fits": candidate.fits,
        "settings": list(candidate.settings),
        "seed_seconds": candidate.seed_seconds,
        "seeds_done": candidate.done,
        "seeds_wanted": choice.wanted.get(title),
        "seeds": choice.plan.seeds.get(title, 0),
        "left_out": choice.plan.left_out.get(title),
        "outlook": [vars(each) for each in choice.outlooks[title]],
        "can_win": title not in choice.lost,
    }


def _power(power: Power, source: str) -> dict[str, Any]:
    seeds = range(1, 6)
    return {
        "units": power.units,
        "source": source,
        "never_below": power.limit,
        "visible": {str(count): power.visible(count) for count in seeds},
        "found": {str(count): power.found(count) for count in seeds},
        "seed_spread": power.spread.at(power.typical) if power.spread else None,
        "worthwhile_seeds": power.worthwhile_seeds,
    }


def _pair(pair: KnownPair) -> dict[str, Any]:
    return {
        "first": pair.first.first.entry,
        "second": pair.second.first.entry,
        "difference": pair.difference,
        "never_below": pair.power.limit,
        "seeds": pair.seeds,
        "decided": pair.is_decided,
    }


def _undecided(choice: EntryChoice) -> list[KnownPair]:
    entries = [each.title for each in choice.candidates]
    return undecided(choice.known.pairs, choice.plan.seeds, entries)


def table(choice: EntryChoice) -> list[tuple[str, ...]]:
    """Return a line of text an entry (`COLUMNS`)."""
    return [_line(choice, each) for each in choice.candidates]


def _line(choice: EntryChoice, candidate: Candidate) -> tuple[str, ...]:
    title, facts = candidate.title, choice.facts
    row = (choice.known.tested or {}).get(title)
    figure = row.figure(choice.first.protocol.primary) if row else None
    said = choice.plan.left_out.get(title, "")
    ahead = [each for each in choice.outlooks[title] if not each.is_done]
    if ahead:
        best, worst = sorted((plain(ahead[0].best, facts), plain(ahead[0].worst, facts)), key=float)
        said = f"validation will be {best} to {worst}" + (f"; {said}" if said else "")
    return (
        title,
        UNKNOWN if candidate.memory is None else f"{candidate.memory / GIB:.2f}",
        _fits(candidate),
        _time(candidate.seed_seconds),
        str(candidate.done),
        str(choice.plan.seeds.get(title, 0)),
        plain(figure.value, facts) if figure else "",
        said,
    )


def _fits(candidate: Candidate) -> str:
    if candidate.fits is None:
        return UNKNOWN
    return " ".join(candidate.settings) or "yes" if candidate.fits else "no"


def _time(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else time_text(seconds)


def sentences(choice: EntryChoice) -> Iterator[str]:
    """Yield what a choice says of its question, a sentence each."""
    power, facts, plan = choice.known.power, choice.facts, choice.plan
    unit = " points" if facts.unit == "%" else f" {facts.unit}".rstrip()
    if power is None:
        yield (
            "Nothing was tested on this dataset or another of the suite yet, so which differences "
            "it can decide is not known: ask again after the first seeds."
        )
    else:
        yield from _power_told(choice, power, unit)
    yield from _pairs(choice, unit)
    if not plan.seeds:
        yield "Nothing can be run within these limits."
        return
    entries = plural(len(plan.seeds), "entry")
    yield f"Cheapest plan: {entries}, about {_time(plan.seconds)}, by the commands below."
    if len(plan.seeds) == 1 and not choice.known.pairs:
        yield "One entry alone is compared with nothing but the baseline."
    if plan.whole is not None:
        yield f"One seed of every entry that fits would take {_time(plan.whole)}."
    if plan.cut:
        wanted = max(choice.wanted[title] for title in plan.seeds)
        yield f"It has fewer seeds than the {wanted} that would decide, for want of time."


def _power_told(choice: EntryChoice, power: Power, unit: str) -> Iterator[str]:
    facts, seeds = choice.facts, max(choice.plan.seeds.values(), default=1)
    units = plural(power.units, choice.first.dataset.unit)
    tell = f"By {choice.known.source}, {units} tell differences of {facts.title} above"
    found = f"a difference of {plain(power.found(seeds), facts)}{unit} is found"
    if power.spread is None:
        least = f"{plain(power.limit, facts)}{unit}"
        yield f"{tell} {least} apart, and {found} {POWER * 10:.0f} times in 10."
        yield "No entry was trained twice there, so what seeds add to that is not known."
        return
    yield (
        f"{tell} {plain(power.visible(seeds), facts)}{unit} apart with {plural(seeds, 'seed')} an "
        f"entry, above {plain(power.limit, facts)}{unit} with any number; {found} "
        f"{POWER * 10:.0f} times in 10."
    )


def _pairs(choice: EntryChoice, unit: str) -> Iterator[str]:
    facts = choice.facts

    def named(pair: KnownPair) -> str:
        names = f"{pair.first.first.entry} and {pair.second.first.entry}"
        return f"{names} ({plain(abs(pair.difference), facts)}{unit})"

    never = [pair for pair in choice.known.pairs if pair.seeds is None]
    if never:
        more = f" and {len(never) - NAMED} more" if len(never) > NAMED else ""
        listed = "; ".join(map(named, never[:NAMED]))
        yield f"If they differ as they did so far, no seeds tell apart: {listed}{more}."
    open_ = [pair for pair in _undecided(choice) if pair.seeds is not None]
    if open_:
        listed = "; ".join(f"{named(pair)}, {pair.seeds} seeds" for pair in open_[:NAMED])
        yield f"Left undecided by this plan: {listed}."
