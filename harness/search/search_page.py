"""The page of a search: its trials as a table and as a document, beside the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.board.record_paths import slug
from harness.records.documents import digest, readable_json
from harness.records.files import write_text
from harness.records.recipe_name import read_recipe_name
from harness.search.search import Search, Trial
from harness.search.settings import setting_name

FOLDER = "searches"
COLUMNS = ("trial", "setting", "validation", "")


def write_search(runs: Path, found: Search) -> Path:
    """Write `search.json` and `search.md` into a folder of the search's own.

    Returns:
        The page.
    """
    job, plan = found.job, found.plan
    names = [job.protocol.suite, job.protocol.profile, job.dataset.name, job.model.name]
    space = sorted((key, str(each)) for key, each in plan.space.items())
    asked = [plan.method, plan.seed, space, _recipe(found)]
    place = "-".join(map(slug, [*names, *([job.loss.name] if job.loss else [])]))
    folder = runs / FOLDER / f"{place}-{digest(asked)[:8]}"
    write_text(folder / "search.json", readable_json(document(found)))
    write_text(folder / "search.md", page(found))
    return folder / "search.md"


def document(found: Search) -> dict[str, Any]:
    """Return a search as plain JSON types: validation of every trial, and test of the chosen."""
    job, plan = found.job, found.plan
    return {
        "schema": 1,
        "suite": job.protocol.suite,
        "profile": job.protocol.profile,
        "dataset": job.dataset.name,
        "synthetic": job.dataset.synthetic,
        "model": job.model.name,
        "loss": job.loss.name if job.loss else None,
        "recipe": _recipe(found),
        "metric": job.protocol.primary,
        "selected_on": "validation",
        "method": plan.method,
        "seed": plan.seed,
        "prunes": plan.prunes,
        "searched": found.tried,
        "trials": [
            {
                "setting": dict(each.setting),
                "state": each.state,
                "reason": each.reason,
                "value": each.value,
                "validations": [list(point) for point in each.validations],
            }
            for each in found.trials
        ],
        "chosen": None if found.chosen is None else dict(found.trials[found.chosen].setting),
        "test": [
            {
                "seed": each.seed,
                "state": each.state,
                "reason": each.reason,
                "searched": each.searched,
                "test_looks": each.test_looks,
                "metrics": {name: metric.model_dump() for name, metric in each.metrics.items()},
            }
            for each in found.tested
        ],
    }


def rows(found: Search) -> list[tuple[str, ...]]:
    """Return the table of a search as text, the best on validation first: `COLUMNS` of each."""
    sign = 1 if _facts(found).higher_is_better else -1
    worst = float("inf")
    ordered = sorted(
        enumerate(found.trials),
        key=lambda pair: -sign * pair[1].value if pair[1].value is not None else worst,
    )
    return [
        (
            str(place + 1),
            setting_name(each.setting),
            _value(found, each),
            "chosen" if place == found.chosen else "",
        )
        for place, each in ordered
    ]


def title(found: Search) -> str:
    """Return the heading of a search."""
    job = found.job
    loss = f" + {job.loss.name}" if job.loss else ""
    return f"{job.dataset.name}: {job.model.name}{loss}, searched by {found.plan.method}"


def conclusion(found: Search) -> str:
    """Return what came of a search, in sentences."""
    if found.chosen is None:
        return f"None of {len(found.trials)} settings could be trained."
    pruned = sum(each.state == "pruned" for each in found.trials)
    facts, best = _facts(found), found.trials[found.chosen]
    told = [
        f"Of {len(found.trials)} settings ({pruned} ended early) the best on validation is "
        f"{setting_name(best.setting)}: {facts.title} {_value(found, best)}."
    ]
    for each in found.tested:
        metric = each.metrics.get(each.protocol.primary)
        if metric is not None:
            told.append(
                f"On test, seed {each.seed} gives {_number(found, metric.value)}; {found.tried} "
                "configurations of this entry were tried on this dataset."
            )
    return " ".join(told)


def page(found: Search) -> str:
    """Return the page of a search in Markdown."""
    made = " (synthetic data)" if found.job.dataset.synthetic else ""
    lines = [f"# {title(found)}{made}", "", conclusion(found), ""]
    head = [f"{_facts(found).title} on validation" if each == "validation" else each
            for each in COLUMNS]  # fmt: skip
    lines += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows(found)]
    return "\n".join(lines) + "\n"


def _recipe(found: Search) -> str:
    """Return the name of the recipe that was searched, with its budget."""
    return read_recipe_name(found.job.recipe_name).base


def _facts(found: Search) -> Any:
    return found.job.protocol.facts[found.job.protocol.primary]


def _value(found: Search, trial: Trial) -> str:
    if trial.value is not None:
        return _number(found, trial.value)
    if trial.state == "pruned" and trial.validations:
        step, value = trial.validations[-1]
        return f"ended after step {step} at {_number(found, value)}"
    return f"{trial.state}: {trial.reason}".rstrip(": ")


def _number(found: Search, value: float) -> str:
    return f"{100 * value:.1f} %" if _facts(found).unit == "%" else f"{value:.4g}"
