"""`harness data freeze`: a fixed subset of a corpus, its list written and locked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.records.documents import sha256_file

if TYPE_CHECKING:
    from harness.datasets.freezing import FrozenSubset

OWN_FILE = Path("benchmark.toml")
"""The list goes beside a benchmark file of the user's own, never beside the shipped one."""


def freeze(
    name: Annotated[str, typer.Argument(help="Name of the subset: a dataset, new or declared.")],
    *,
    of: Annotated[
        str | None, typer.Option("--from", help="Dataset that it is cut from.", metavar="CORPUS")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="Utterances in all, exactly.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the choice.")] = None,
    validation: Annotated[
        int | None, typer.Option("--validation", min=1, help="Speakers to validate on.")
    ] = None,
    test: Annotated[int | None, typer.Option("--test", min=1, help="Speakers to test on.")] = None,
    speakers: Annotated[
        int | None, typer.Option("--speakers", min=2, help="Speakers to train on; else the rest.")
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="Trials of each held-out split, exactly.")
    ] = None,
    targets: Annotated[
        float | None, typer.Option("--targets", help="Share of target trials.")
    ] = None,
    cross_session: Annotated[
        float | None, typer.Option("--cross-session", help="Share of the target trials.")
    ] = None,
    same_gender: Annotated[
        float | None, typer.Option("--same-gender", help="Share of the nontarget trials.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="Add its table to the benchmark file.")
    ] = True,
    config: Annotated[
        Path, typer.Option("--config", help="Benchmark file; the list lies beside it.")
    ] = OWN_FILE,
    json: options.Json = False,
) -> None:
    """Cut a fixed subset out of a corpus: exactly so many utterances, whole speakers apart."""
    from harness.config.loader import load
    from harness.datasets.freeze_request import SubsetRequest
    from harness.datasets.freezing import freeze_subset

    rule = {
        "count": count,
        "seed": seed,
        "validation": validation,
        "test": test,
        "speakers": speakers,
    }
    drawn = {
        "count": trials,
        "targets": targets,
        "cross_session": cross_session,
        "same_gender": same_gender,
    }
    request = SubsetRequest(name, of, _given(rule), _given(drawn), write)
    subset = freeze_subset(load(config), request)
    if json:
        give_json(_document(name, subset))
    else:
        give(_lines(name, subset))
    if subset.declared and "trials" not in subset.counts["test"]:
        say(f"{name} has no trials; have some drawn: draw_trials = {{ count = N }} in its table")
    if not subset.declared:
        say(f"{config} was not changed; add this table to it, then `harness data check {name}`:")
        say(f"\n{subset.table}")


def _given(options_: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in options_.items() if value is not None}


def _document(name: str, subset: FrozenSubset) -> dict[str, object]:
    return {
        "schema": 1,
        "dataset": name,
        "list": str(subset.path),
        "sha256": sha256_file(subset.path),
        "written": subset.written,
        "counts": subset.counts,
        "table": subset.table,
        "declared": subset.declared,
        "lock": subset.locked,
    }


def _lines(name: str, subset: FrozenSubset) -> str:
    items = sum(counts["items"] for counts in subset.counts.values())
    state = "written now" if subset.written else "as it lay there"
    lines = [f"{name}: {items:,} utterances, listed in {subset.path} ({state})"]
    for split, counts in subset.counts.items():
        lines.append(f"  {split}: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()))
    lines += [f"  lock ({profile}): {state}" for profile, state in subset.locked.items()]
    return "\n".join(lines)
