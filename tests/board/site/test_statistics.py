"""Comparisons on the page against those of the tables: the same rule, in another language."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import t as student

from harness.board.publishing.published_tables import read_folder
from harness.board.record_paths import slug
from harness.board.site.page_data import pairs
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, family, newest, page_place, tables
from harness.board.standing.table_ranks import rank
from harness.metrics.intervals import jackknife_error
from harness.metrics.significance import ComparedEntry, p_values
from tests.board.site.conftest import PUBLISHED


def entries(table) -> list[ComparedEntry]:
    """The table's ranked rows, as its ranks compare them."""
    primary = table.protocol.primary
    made = []
    for row, place in zip(table.rows, table.ranking.ranks, strict=True):
        if place is None:
            continue
        left, figure = row.left_one_out(primary), row.figure(primary)
        seeds = () if row.first.is_baseline else [r.metrics[primary].value for r in row.results]
        made.append(
            ComparedEntry(row.name, figure.value, tuple(left), np.array([*left.values()]), seeds)
        )
    return made


@pytest.fixture
def records(make):
    """Ten entries, near and far from each other, some with several seeds, on 30 speakers."""
    draw = random.Random(7)
    units = [f"spk{i:02}" for i in range(30)]
    made = []
    for number in range(10):
        value = 0.05 + 0.006 * number
        for seed in range(1 + number % 3):
            seen = value * (1 + 0.04 * draw.gauss(0, 1))
            left = {"eer": {unit: seen + 0.0006 * draw.gauss(0, 1) for unit in units}}
            made.append(make(f"model-{number}", value=seen, seed=seed, left_one_out=left))
    return made


def table_of(records):
    return tables(FiledRecord(record, f"records/{i}.json") for i, record in enumerate(records))[0]


def test_what_a_page_holds_of_a_row_gives_the_standard_error_of_every_difference(records):
    table = table_of(records)
    told, wanted = pairs(table), entries(table)
    left = np.array(told["left"], dtype=float) * 10.0 ** told["power"]
    for i, one in enumerate(wanted):
        assert told["estimates"][i] == pytest.approx(one.estimate, rel=1e-8)
        for k, other in enumerate(wanted[:i]):
            exact = jackknife_error(one.left_out - other.left_out)
            assert jackknife_error(left[i] - left[k]) == pytest.approx(exact, rel=1e-4)
    assert max(len(str(abs(value))) for row in told["left"] for value in row) == 6


def test_a_table_without_ranks_says_why_nothing_is_compared(make):
    assert pairs(table_of([make("one", units=8), make("two", units=8)])) == {
        "reason": "ranks cannot be told with 8 test speakers; 20 are needed"
    }


def test_student_s_t_is_that_of_scipy(tab, published_site):
    page = tab().open(published_site / "index.html")
    for freedom in (1.0, 1.7, 3.0, 12.4, 49.0, 196.5, 5000.0):
        t = np.concatenate([[0.0, 1e-6], np.logspace(-3, 2.5, 40)])
        found = page.evaluate(
            "([t, f]) => t.map((x) => board.twoSidedP(x, f))", [t.tolist(), freedom]
        )
        assert found == pytest.approx(2 * student.sf(t, freedom), rel=1e-9, abs=1e-250)
        p = [0.5, 0.05, 0.01, 1e-6]
        reach = page.evaluate("([p, f]) => p.map((x) => board.tQuantile(x, f))", [p, freedom])
        assert reach == pytest.approx(student.isf(np.array(p) / 2, freedom), rel=1e-9)


def all_pairs(page) -> list[list[float]]:
    """Value, error, freedom, both p values and interval of each pair of the first table."""
    return page.evaluate(
        """async () => {
          const { pairs, data } = board.page.views[0];
          const adjust = await pairs.adjusting();
          const found = [];
          data.pairs.rows.forEach((one, i) => data.pairs.rows.slice(i + 1).forEach((other) => {
            const each = pairs.of(one, other);
            const { value, error, freedom, p, low, high } = each;
            found.push([value, error, freedom, p, adjust(p), low, high]);
          }));
          return found;
        }"""
    )


def test_p_values_on_the_page_are_those_behind_the_ranks(tab, site_of, records):
    table = table_of(records)
    page = tab().open(site_of(records) / "speaker.html")
    found = np.array(all_pairs(page))
    wanted = entries(table)
    upper = np.triu_indices(len(wanted), k=1)
    exact = p_values(wanted)[upper]
    assert found[:, 4] == pytest.approx(exact, rel=2e-3, abs=1e-12)
    assert (found[:, 4] < 0.05).tolist() == (exact < 0.05).tolist()
    assert 0.1 < np.mean(exact < 0.05) < 0.9
    holds = (found[:, 5] <= 0) & (found[:, 6] >= 0)
    assert holds.tolist() == (found[:, 3] > 0.05).tolist()


def test_p_values_of_every_published_table_are_those_behind_its_ranks(tab, published_site):
    records, _ = read_folder(PUBLISHED)
    suites: dict[str, list[Table]] = {}
    found = tables(FiledRecord(record, path) for path, record in records.items())
    last = newest(found)
    for table in found:
        if table.protocol.version == last[family(table)]:
            suites.setdefault(table.protocol.suite, []).append(table)
    assert any(any(table.ranking.ranks) for held in suites.values() for table in held)
    for suite, held in suites.items():
        page = tab().open(published_site / f"{slug(suite)}.html")
        for number, table in enumerate(sorted(held, key=page_place)):
            keys = "(n) => board.page.views[n].pairs.reason"
            assert bool(page.evaluate(keys, number)) == (not any(table.ranking.ranks))
            if any(table.ranking.ranks):
                page.evaluate(
                    "(n) => board.page.views.unshift(...board.page.views.splice(n, 1))", number
                )
                found = np.array(all_pairs(page))
                scale = "logit" if table.facts[table.protocol.primary].unit == "%" else "plain"
                exact = p_values(entries(table), scale=scale)
                upper = np.triu_indices(len(exact), k=1)
                assert found[:, 4] == pytest.approx(exact[upper], rel=5e-3, abs=1e-9)
                page.reload()


def test_equal_rows_are_not_told_apart_and_rows_apart_without_spread_are(tab, site_of, make):
    units = {f"spk{i:02}": 0.0 for i in range(24)}
    level = [("one", 0.05), ("same", 0.05), ("worse", 0.06)]
    records = [
        make(name, value=value, left_one_out={"eer": dict.fromkeys(units, value)})
        for name, value in level
    ]
    assert rank(table_of(records).rows, records[0].protocol, "speaker").ranks == (1, 1, 3)
    found = all_pairs(tab().open(site_of(records) / "speaker.html"))
    assert [each[4] for each in found] == [1, 0, 0]
