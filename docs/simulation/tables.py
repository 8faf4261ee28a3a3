"""What was found as tables, and their place on the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from docs.marks import filled, marks
from docs.simulation.cells import CELLS, Cell
from docs.simulation.runner import Result
from harness.records.files import write_text

PAGE = Path(__file__).resolve().parent.parent / "statistics.md"
NAME = "simulation"
BEGIN, END = marks(NAME)

UNKNOWN = "–"

BY_NAME = {cell.name: cell for cell in CELLS}

Rows = list[dict[str, str]]


def markdown(results: Sequence[Result]) -> str:
    """The tables of coverage, of calls, and of seeds, those of them that have rows."""
    sampled = [result for result in results if result.truth]
    seeded = [result for result in results if not result.truth]
    parts = [
        ("How many intervals of 100 hold the population's value:", _coverage(sampled)),
        ("How many of 100 pairs of equal systems are called different at 5 %:", _calls(sampled)),
        ("The same of entries trained with several seeds:", _seeds(seeded)),
    ]
    return "\n\n".join(f"{title}\n\n{_table(rows)}" for title, rows in parts if rows)


def write(results: Sequence[Result], page: Path = PAGE) -> None:
    """Puts the tables between the page's two marks."""
    text = page.read_text(encoding="utf-8")
    write_text(page, filled(text, NAME, markdown(results)))


def _coverage(results: Sequence[Result]) -> Rows:
    return [
        _head(result)
        | {
            "true EER %": f"{100 * result.truth['eer']:.2f}",
            "speakers, logit-t": _percent(result, "hold_speakers_eer"),
            "speakers, percentile": _percent(result, "hold_percentile_eer"),
            "trials resampled": _percent(result, "hold_trials_eer"),
            "binomial": _percent(result, "hold_binomial_eer"),
            "true minDCF(0.01)": f"{result.truth['min_dcf_0.01']:.3f}",
            "its mean": f"{result.means['mean_min_dcf_0.01']:.3f}",
            "minDCF(0.01)": _percent(result, "hold_speakers_min_dcf_0.01"),
            "minDCF(0.05)": _percent(result, "hold_speakers_min_dcf_0.05"),
        }
        for result in results
    ]


def _calls(results: Sequence[Result]) -> Rows:
    return [
        _head(result)
        | {
            "EER, jackknife": _percent(result, "call_jackknife_eer"),
            "EER, bootstrap": _percent(result, "call_bootstrap_eer"),
            "minDCF(0.01), jackknife": _percent(result, "call_jackknife_min_dcf_0.01"),
            "minDCF(0.01), bootstrap": _percent(result, "call_bootstrap_min_dcf_0.01"),
        }
        for result in results
    ]


def _seeds(results: Sequence[Result]) -> Rows:
    return [
        {
            "cell": result.name,
            "data sets": f"{result.data_sets:,}",
            "seeds": " and ".join(map(str, _cell(result).seeds[-2:])),
            "degrees of freedom": str(sum(_cell(result).seeds) - len(_cell(result).seeds)),
            "without seeds": _percent(result, "call_without_seeds"),
            "pooled as they are": _percent(result, "call_plain"),
            "pooled as logits": _percent(result, "call_logit"),
        }
        for result in results
    ]


def _head(result: Result) -> dict[str, str]:
    return {"cell": result.name, "data sets": f"{result.data_sets:,}"}


def _cell(result: Result) -> Cell:
    return BY_NAME[result.name]


def _percent(result: Result, name: str) -> str:
    return f"{100 * result.means[name]:.1f}" if name in result.means else UNKNOWN


def _table(rows: Rows) -> str:
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)
