"""Which runs of a report can be told apart, by the paired test of the published tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from harness.board.standing.figures import plain
from harness.metrics.significance import ComparedEntry, can_rank, p_values
from harness.report.finding import Finding
from harness.report.run import Run
from harness.report.text import value_text


def comparisons(runs: Sequence[Run]) -> list[Finding]:
    """Say of each pair of runs that were judged on the same test if they can be told apart."""
    judged = [
        run for run in runs if run.record and run.record.protocol.primary in run.record.left_one_out
    ]
    groups: dict[tuple[str, str], list[Run]] = {}
    for run in judged:
        if run.record is not None:
            groups.setdefault((run.record.protocol.digest, run.record.dataset.lock), []).append(run)
    return [
        finding
        for group in groups.values()
        if len(group) > 1
        for finding in (*_pairs(group), *_unlike_trainings(group))
    ]


def _pairs(runs: Sequence[Run]) -> Iterator[Finding]:
    records = [run.record for run in runs if run.record is not None]
    primary = records[0].protocol.primary
    facts = records[0].protocol.facts[primary]
    entries = [
        ComparedEntry(
            run.name,
            record.metrics[primary].value,
            tuple(record.left_one_out[primary]),
            np.array(list(record.left_one_out[primary].values())),
        )
        for run, record in zip(runs, records, strict=True)
    ]
    if not can_rank(len(entries[0].units)):
        yield Finding("comparison", "too_few_units", {"units": len(entries[0].units)})
        return
    table = p_values(entries, scale="logit" if facts.unit == "%" else "plain")
    for one in range(len(runs)):
        for other in range(one + 1, len(runs)):
            pair = sorted(
                (one, other),
                key=lambda i: entries[i].estimate * (-1 if facts.higher_is_better else 1),
            )
            better, worse = (entries[place] for place in pair)
            p = float(table[one, other])
            yield Finding(
                "comparison",
                "apart" if p < 0.05 else "not_apart",
                {
                    "better": better.name,
                    "worse": worse.name,
                    "metric": facts.title,
                    "metric_name": primary,
                    "one": plain(better.estimate, facts),
                    "other": plain(worse.estimate, facts),
                    "unit": facts.unit,
                    "p": "< 0.001" if p < 0.001 else f"= {p:.3f}",
                },
            )


def _unlike_trainings(runs: Sequence[Run]) -> Iterator[Finding]:
    """Say how recipes differ, since then a difference is not the networks' or losses' alone."""
    recipes = [run.record.recipe for run in runs if run.record and run.record.recipe]
    if len(recipes) < 2:
        return
    keys = dict.fromkeys(key for recipe in recipes for key in recipe)
    values = {
        key: list(dict.fromkeys(value_text(each.get(key)) for each in recipes)) for key in keys
    }
    unlike = {key: found for key, found in values.items() if len(found) > 1}
    # Tables in a table say too much for a sentence: they are named alone.
    told = [
        key if any("{" in value for value in found) else f"{key} ({' / '.join(found)})"
        for key, found in unlike.items()
    ]
    if told:
        yield Finding("comparison", "unlike_trainings", {"keys": ", ".join(told)})
