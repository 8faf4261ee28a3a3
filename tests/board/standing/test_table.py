"""Which rows a table has, in which order, with which ranks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, table_before, tables
from harness.board.writing.captions import footnotes
from harness.errors import RequestError
from harness.records.record import Metric, MetricFacts, Record, Stage


def made(*records: Record) -> list[Table]:
    return tables(FiledRecord(record) for record in records)


def names(table: Table) -> list[str]:
    return [row.name for row in table.rows]


def test_lower_is_first_where_facts_say_so(make):
    table = made(make("a", value=0.2), make("b", value=0.1))[0]
    assert names(table) == ["b + aam", "a + aam"]


def test_higher_is_first_where_facts_say_so_whatever_the_name(make, protocol):
    facts = {"eer": MetricFacts(title="EER", unit="%", higher_is_better=True)}
    rules = protocol(facts=facts)
    records = [make("a", value=0.1, protocol=rules), make("b", value=0.2, protocol=rules)]
    assert names(made(*records)[0]) == ["b + aam", "a + aam"]


def test_entries_that_cannot_be_told_apart_share_a_rank(several):
    table = made(*several)[0]
    assert names(table)[2:] == [
        "resnet34 + aam",
        "mean-fbank (no training)",
        "eres2net + aam",
    ]
    # Of its two seeds' spread little is known: resnet34 is certainly worse than one of the first.
    assert table.ranking.ranks == (1, 1, 2, 4, None)


def test_seeds_that_agree_tell_more_apart_than_seeds_that_do_not(make):
    def ranks(*seeds: float) -> tuple[int | None, ...]:
        first = [make("a", value=value, seed=seed) for seed, value in enumerate(seeds)]
        return made(*first, make("bb", value=0.06))[0].ranking.ranks

    assert ranks(0.05) == ranks(0.049, 0.05, 0.051) == (1, 2)
    assert ranks(0.04, 0.05, 0.06) == (1, 1)


def test_the_spread_is_pooled_as_logits_and_a_baseline_has_none(make):
    records = [make("a", value=value, seed=seed) for seed, value in enumerate((0.04, 0.06))]
    alone = made(*records, make("bb", value=0.2))[0].ranking.spread
    assert alone is not None
    assert (alone.sd, alone.freedom) == (pytest.approx(0.02 / 2**0.5 / 0.05 / 0.95), 1)
    baselines = [make("b", None, value=value, seed=None) for value in (0.3, 0.4)]
    assert made(*records, *baselines)[0].ranking.spread == alone


def test_a_metric_that_is_no_rate_is_pooled_as_it_is(make, protocol):
    facts = {"eer": MetricFacts(title="time", unit="s", higher_is_better=False)}
    rules = protocol(facts=facts)
    records = [
        make("a", value=value, seed=seed, protocol=rules) for seed, value in enumerate((4.0, 6.0))
    ]
    spread = made(*records)[0].ranking.spread
    assert spread is not None
    assert (spread.sd, spread.scale) == (pytest.approx(2**0.5), "plain")


def test_one_seed_an_entry_shows_no_spread(make):
    ranking = made(make("a"), make("bb", value=0.2))[0].ranking
    assert ranking.spread is None
    assert ranking.ranks == (1, 2)


def test_footnotes_say_whether_the_spread_of_seeds_is_in_the_ranks(make):
    one = footnotes(made(make("a"), make("bb", value=0.2))[0])
    assert "the spread of seeds is not in it" in one[0]
    assert "(one comparison at 5 %; more" in one[1]
    assert "One seed an entry: how much training itself varies is not known." in one
    seeds = [make("a", value=value, seed=seed) for seed, value in enumerate((0.04, 0.06))]
    several = footnotes(made(*seeds, make("bb", value=0.2))[0])
    assert "the spread of seeds is in it" in several[0]
    assert "(one comparison at 5 %, the spread of seeds in it; more" in several[1]
    # 0.02 / sqrt(2) at 5 %, as a logit 0.298, and so 3.26 points at the median of 5 and 20 %.
    assert (
        "pooled over all entries with several seeds it is 3.26 at the median EER of 12.50, pooled "
        "as logits (1 degree of freedom), and entries with one seed borrow it."
    ) in several[3]


def test_a_footnote_says_where_several_seeds_show_no_spread(make):
    records = [make("a", value=0.0, seed=seed) for seed in (0, 1)]
    notes = footnotes(made(*records, make("bb", value=0.2))[0])
    assert "the spread of seeds is not in it" in notes[0]
    assert "all seeds are at an end of the scale" in notes[3]


def test_no_done_entry_still_has_footnotes(make):
    failed = make(state="failed", reason="loss became NaN at step 812", metrics={})
    assert "Ranks are left blank: ranks need two entries with results." in footnotes(
        made(failed)[0]
    )


def test_a_row_joins_seeds_and_keeps_their_spread_apart(make):
    row = made(make(value=0.04, seed=1), make(value=0.06, seed=0))[0].rows[0]
    figure = row.figure("eer")
    assert figure is not None
    assert figure.value == pytest.approx(0.05)
    assert (figure.low, figure.high) == (pytest.approx(0.04), pytest.approx(0.06))
    assert figure.spread == pytest.approx(0.02 / 2**0.5)
    assert [record.seed for record in row.records] == [0, 1]


def test_a_failed_seed_is_a_row_beside_the_done_ones(make):
    failed = make(seed=1, state="failed", reason="loss became NaN at step 812", metrics={})
    assert [row.is_done for row in made(failed, make(seed=0))[0].rows] == [True, False]


def test_few_units_leave_ranks_blank(make):
    ranking = made(make("a", units=12), make("b", value=0.2, units=12))[0].ranking
    assert ranking.ranks == (None, None)
    assert ranking.reason == "ranks cannot be told with 12 test speakers; 20 are needed"
    assert ranking.visible is not None


ODD = {
    "other units": ({"units": 25}, "its test speakers are not the others'"),
    "none": ({"left_one_out": {}}, "the metric without each speaker is not known of it"),
}


@pytest.mark.parametrize(("changes", "why"), ODD.values(), ids=list(ODD))
def test_a_row_that_cannot_be_paired_takes_no_rank_from_others(make, changes, why):
    """Every place of the odd row, first and last by merit."""
    whole = [make("a"), make("bb", value=0.2)]
    without = made(*whole)[0].ranking
    for value in (0.001, 0.9):
        odd = [make("odd", value=value * (1 + seed / 9), seed=seed, **changes) for seed in range(2)]
        table = made(*whole, *odd)[0]
        ranks = dict(zip(table.labels, table.ranking.ranks, strict=True))
        assert ranks == {"a + aam": 1, "bb + aam": 2, "odd + aam": None}
        assert replace(table.ranking, ranks=(), apart=()) == replace(without, ranks=(), apart=())
        assert f"Left out of ranking, and of the others' ranks: odd + aam ({why})." in "\n".join(
            footnotes(table)
        )


@pytest.mark.parametrize(("changes", "why"), ODD.values(), ids=list(ODD))
def test_two_rows_that_cannot_be_paired_have_no_ranks(make, changes, why):
    ranking = made(make("a"), make("b", value=0.2, **changes))[0].ranking
    assert ranking.ranks == (None, None)
    assert ranking.reason == "ranks need two entries on the same test speakers"
    assert ranking.apart == ("", why)


def test_a_namesake_without_left_one_out_values_is_told_from_the_other(make):
    table = made(make(), make(recipe_name="long", left_one_out={}))[0]
    assert "ranks: ecapa-512 + aam [recipe long] (the metric" in "\n".join(footnotes(table))


def test_of_units_as_frequent_as_others_those_of_the_first_record_are_ranked(make):
    late = {"finished": "2027-01-01T00:00:00Z", "units": 30}
    new = [make("a", **late), make("bb", value=0.2, **late)]
    old = [make("ccc", finished="2026-01-01T00:00:00Z"), make("dddd", value=0.3)]
    table = made(*new, *old)[0]
    ranked = {n for n, rank in zip(table.labels, table.ranking.ranks, strict=True) if rank}
    assert ranked == {"ccc + aam", "dddd + aam"}


def test_versions_digests_and_locks_never_share_a_table(make, protocol, data):
    records = [
        make(protocol=protocol(version=1)),
        make(protocol=protocol(version=2)),
        make(protocol=protocol(version=2, digest="c" * 64)),
        make(dataset=data(lock="d" * 64)),
    ]
    made_tables = made(*records)
    assert [table.protocol.version for table in made_tables] == [2, 2, 1, 1]


def test_the_latest_record_of_an_entry_and_seed_is_shown(make):
    old = make(value=0.9)
    new = make(value=0.1, stages={"train": Stage(key="k", inputs={}, finished="2027-01-01T00Z")})
    table = made(new, old)[0]
    assert table.superseded == 1
    assert [row.first.metrics["eer"].value for row in table.rows] == [0.1]


LATER = "2027-01-01T00:00:00Z"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("trust", "weaker"),
    [
        ("measured", "claimed"),
        ("measured", "rescored"),
        ("rescored", "claimed"),
        ("reproduced", "rescored"),
    ],
)
def test_a_later_record_of_less_evidence_is_passed_over_and_told(make, seed, trust, weaker):
    """Be it of the entry's own seed, or of another that would move its mean."""
    record = make(trust=trust)
    table = made(record, make(value=0.4, seed=seed, trust=weaker, finished=LATER))[0]
    assert [row.results for row in table.rows] == [(record,)]
    assert (table.superseded, len(table.weaker)) == (0, 1)
    assert table_before(table) is None
    assert (
        "Passed over, as there is more evidence for their entries: "
        f"1 record of ecapa-512 + aam (seed {seed}, {weaker})."
    ) in footnotes(table)


def test_a_record_that_was_made_again_stays_before_a_later_one_that_was_not(make):
    again, other = make(trust="reproduced"), make(seed=1)
    table = made(again, make(value=0.4, finished=LATER), other)[0]
    assert [row.results for row in table.rows] == [(again, other)]
    assert (table.superseded, len(table.weaker)) == (0, 1)


def test_a_later_record_of_more_evidence_takes_the_place_of_a_claim(make):
    claim, better = make(value=0.01, trust="claimed"), make(value=0.05, finished=LATER)
    table = made(claim, better)[0]
    assert [row.results for row in table.rows] == [(better,)]
    assert [filed.record for filed in table.older] == [claim]
    assert table.weaker == ()


def test_a_failure_that_nobody_can_check_hides_no_result(make):
    failed = {"state": "failed", "metrics": {}, "left_one_out": {}, "finished": LATER}
    table = made(make(), make(trust="claimed", **failed))[0]
    assert [row.state for row in table.rows] == ["done"]
    assert [row.state for row in made(make(), make(**failed))[0].rows] == ["failed"]


def test_columns_stand_in_the_order_that_their_facts_give(make, protocol):
    facts = {
        name: protocol().facts["eer"].model_copy(update={"order": order})
        for name, order in (("zeta", 1), ("alpha", 2), ("eer", 3))
    }
    rules = protocol().model_copy(update={"facts": facts})
    more = {name: Metric(value=0.5, unit="%") for name in ("alpha", "zeta")}
    record = make()
    changed = {"protocol": rules, "metrics": record.metrics | more}
    table = made(record.model_copy(update=changed))[0]
    assert list(table.facts) == ["eer", "zeta", "alpha"]


def test_a_primary_metric_without_facts_is_refused(make, protocol):
    with pytest.raises(RequestError, match="no facts of its primary metric 'eer'"):
        made(make(protocol=protocol(facts={})))
