"""The simulation runs, and the page's figures lie within the limits that the page states."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fnmatch import fnmatch

import numpy as np
import pytest

from docs.simulation.__main__ import main
from docs.simulation.cells import CELLS
from docs.simulation.lists import draw_list
from docs.simulation.population import Population, scores
from docs.simulation.runner import Plan, Result, run
from docs.simulation.tables import BEGIN, END, PAGE, markdown, write
from harness.metrics.detection import eer

TEXT = PAGE.read_text(encoding="utf-8")
SHOWN = TEXT[TEXT.index(BEGIN) : TEXT.index(END)]
CLAIM = re.compile(r"^- `(.+)` in `(.+)`: ([\d.]+) to ([\d.]+)$", re.MULTILINE)
CLAIMS = CLAIM.findall(TEXT)
TINY = Plan(data_sets=3, truth_speakers=2_000, seed=5)


def figures(text: str) -> dict[tuple[str, str], str]:
    """Every cell of all tables, by its column and the first cell of its row."""
    found, header = {}, [""]
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            header = [""]
        elif header == [""]:
            header = cells
        elif not set(cells[0]) <= {"-"}:
            found |= {(column, cells[0]): cell for column, cell in zip(header, cells, strict=True)}
    return found


def held(claim: tuple[str, str, str, str], table: dict[tuple[str, str], str]) -> list[float]:
    """The figures that a claim is about."""
    column, rows, _, _ = claim
    named = [value for (name, row), value in table.items() if name == column and fnmatch(row, rows)]
    return [float(value) for value in named if value != "–"]


@pytest.fixture(scope="module")
def tiny() -> list[Result]:
    return list(run(["12-equal", "seeds-2-1"], TINY, processes=1))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"{claim[0]} {claim[1]}")
def test_a_claim_holds_in_every_row_that_it_names(claim: tuple[str, str, str, str]) -> None:
    found = held(claim, figures(SHOWN))
    assert found
    assert all(float(claim[2]) <= value <= float(claim[3]) for value in found)


def test_the_page_shows_every_cell_and_claims_something() -> None:
    assert len(CLAIMS) >= 10
    assert {row for _, row in figures(SHOWN)} == {cell.name for cell in CELLS}


def test_claims_name_columns_and_cells_that_there_are(tiny: list[Result]) -> None:
    columns = {column for column, _ in figures(markdown(tiny))}
    for column, rows, low, high in CLAIMS:
        assert column in columns
        assert [cell.name for cell in CELLS if fnmatch(cell.name, rows)]
        assert 0 <= float(low) < float(high) <= 100


def test_a_claim_that_does_not_hold_is_seen(tiny: list[Result]) -> None:
    wrong = replace(tiny[0], means={**tiny[0].means, "hold_speakers_eer": 0.5})
    claim = next(claim for claim in CLAIMS if claim[0] == "speakers, logit-t")
    assert held(claim, figures(markdown([wrong]))) == [50.0]
    assert not float(claim[2]) <= 50.0


def test_rates_are_rates_and_the_truth_is_of_the_population(tiny: list[Result]) -> None:
    sampled, seeded = tiny
    assert 0.03 < sampled.truth["eer"] < 0.10
    assert sampled.truth["min_dcf_0.05"] < sampled.truth["min_dcf_0.01"] < 1
    assert not seeded.truth
    for result in tiny:
        parts = [value for name, value in result.means.items() if not name.startswith("mean")]
        assert all(value * 3 == pytest.approx(round(value * 3)) for value in parts)


def test_results_depend_on_the_seed_and_not_on_the_processes(tiny: list[Result]) -> None:
    assert list(run(["seeds-2-1"], TINY, processes=2)) == tiny[1:]
    assert list(run(["seeds-2-1"], replace(TINY, seed=6), processes=1)) != tiny[1:]


def test_the_command_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--cell", "seeds-2-1", "--data-sets", "2", "--processes", "1", "--json"]
    assert main(asked) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["cells"][0]["data_sets"] == 2
    assert "seeds-2-1: done" in printed.err


def test_the_page_is_not_filled_with_some_of_the_cells() -> None:
    with pytest.raises(SystemExit):
        main(["--cell", "seeds-2-1", "--write"])


def test_writing_changes_what_is_between_the_marks_alone(tiny: list[Result], tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n", encoding="utf-8")
    write(tiny, page)
    text = page.read_text(encoding="utf-8")
    assert text == f"before\n\n{BEGIN}\n\n{markdown(tiny)}\n\n{END}\n\nafter\n"
    assert figures(text)["degrees of freedom", "seeds-2-1"] == "1"


@pytest.mark.parametrize("unevenness", [0.0, 1.0])
def test_every_speaker_enrols_once_and_is_tested_with_all_the_rest(unevenness: float) -> None:
    rng = np.random.default_rng(0)
    listed = draw_list(rng, 30, unevenness=unevenness, nontargets=500)
    owner, labels = listed.speaker, listed.is_target
    first = np.searchsorted(owner, np.arange(30))
    assert set(listed.enrol) == set(first)
    assert not set(listed.test) & set(first)
    assert np.array_equal(np.bincount(owner[listed.test[labels]]), listed.counts - 1)
    assert np.count_nonzero(~labels) == 500
    pairs = set(zip(listed.enrol.tolist(), listed.test.tolist(), strict=True))
    assert len(pairs) == len(listed.enrol)
    assert len(np.unique(listed.session)) == listed.sessions
    assert np.bincount(listed.session).max() <= 5
    assert (len(set(listed.counts)) == 1) == (unevenness == 0)


def test_more_noise_makes_a_worse_system_and_shared_parts_make_alike_ones() -> None:
    rng = np.random.default_rng(0)
    listed = draw_list(rng, 300, unevenness=0.0, nontargets=5_000)
    labels = listed.is_target
    better, worse = scores(rng, Population(), listed, np.array([1.0, 1.6]))
    assert eer(better[labels], better[~labels]).value < eer(worse[labels], worse[~labels]).value
    both = [
        np.corrcoef(scores(rng, Population(shared=share), listed, np.ones(2))[:, ~labels])[0, 1]
        for share in (0.0, 0.7)
    ]
    assert abs(both[0]) < 0.1
    assert both[1] > 0.3
