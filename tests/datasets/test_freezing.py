"""Frozen subsets: exact, whole speakers apart, level, and fixed whatever the corpus becomes."""

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.config.datasets import FreezeRule, TrialRule
from harness.data.synthesis.catalogue import utterances
from harness.datasets.frozen_list import freeze, read_frozen, restrict, write_frozen
from harness.datasets.trial_drawing import draw_trials
from harness.errors import DataError


def corpus(sizes, split=""):
    rows = [
        (f"{unit}-{n:03}", unit, unit, split) for unit, size in sizes.items() for n in range(size)
    ]
    return pd.DataFrame(rows, columns=["id", "unit", "label", "split"])


def speakers(count, each):
    return {f"s{n:03}": each for n in range(count)}


SIZES = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 9), min_size=8)
RULES = st.builds(
    FreezeRule,
    count=st.integers(12, 40),
    seed=st.integers(0, 3),
    validation=st.integers(1, 2),
    test=st.integers(1, 2),
    speakers=st.none() | st.integers(2, 4),
)


@st.composite
def possible(draw):
    sizes, rule = draw(SIZES), draw(RULES)
    items = corpus(sizes)
    try:
        return items, rule, freeze(items, rule, "d")
    except DataError:
        assume(False)


@settings(deadline=None, max_examples=40)
@given(possible(), st.randoms(use_true_random=False))
def test_the_law_of_freezing(case, random):
    items, rule, frozen = case
    assert len(frozen) == len(set(frozen["id"])) == rule.count
    table = frozen.merge(items[["id", "unit"]], on="id")
    assert (table.groupby("unit")["split"].nunique() == 1).all()
    numbers = table.groupby("split")["unit"].nunique()
    assert (numbers["validation"], numbers["test"]) == (rule.validation, rule.test)
    assert rule.speakers is None or numbers["train"] == rule.speakers

    taken, have = table["unit"].value_counts(), items["unit"].value_counts()
    more_to_give = taken[taken < have[taken.index]]
    if len(more_to_give):
        assert taken.max() <= more_to_give.min() + 1

    order = list(range(len(items)))
    random.shuffle(order)
    assert freeze(items.iloc[order], rule, "d").equals(frozen)


@settings(deadline=None, max_examples=40)
@given(possible())
def test_speakers_come_in_an_order_that_others_do_not_change(case):
    items, rule, frozen = case
    chosen = items[items["id"].isin(frozen["id"])]
    only = items[items["unit"].isin(set(chosen["unit"]))]
    assert freeze(only, rule, "d").equals(frozen)


def test_utterances_come_in_an_order_that_others_do_not_change():
    few, many = (
        freeze(corpus(speakers(8, 20)), FreezeRule(count=count, validation=1, test=2), "d")
        for count in (40, 80)
    )
    assert set(few["id"]) < set(many["id"])


def test_another_seed_is_another_subset():
    items = corpus(speakers(20, 10))
    first, second = (
        freeze(items, FreezeRule(count=60, seed=seed, validation=2, test=4), "d") for seed in (0, 1)
    )
    assert not first.equals(second)


def test_a_subset_known_by_heart():
    # Frozen: another choice would be another benchmark under the same protocol version.
    frozen = freeze(corpus(speakers(5, 3)), FreezeRule(count=10, validation=1, test=1), "d")
    assert [f"{id_} {split}" for id_, split in frozen.to_numpy()] == [
        "s000-001 train",
        "s000-002 train",
        "s001-001 validation",
        "s001-002 validation",
        "s002-001 train",
        "s002-002 train",
        "s003-001 test",
        "s003-002 test",
        "s004-001 train",
        "s004-002 train",
    ]


def test_the_embedded_corpus_is_frozen_to_shares_as_its_own():
    own = utterances("full").rename(columns={"speaker": "unit"}).assign(split="")
    rule = FreezeRule(count=26_666, validation=50, test=100)
    counts = freeze(own, rule, "d")["split"].value_counts()
    assert counts.sum() == 26_666
    assert counts["train"] == pytest.approx(18_667, abs=100)
    assert counts["validation"] == pytest.approx(2_666, abs=50)
    assert counts["test"] == pytest.approx(5_333, abs=100)


def test_the_corpus_keeps_its_own_test_side():
    open_, own = corpus(speakers(20, 10)), corpus({"t0": 10, "t1": 10, "t2": 1}, "test")
    items = pd.concat([open_, own], ignore_index=True)
    frozen = freeze(items, FreezeRule(count=80, validation=4), "d")
    test = frozen.loc[frozen["split"] == "test", "id"]
    assert {id_.partition("-")[0] for id_ in test} == {"t0", "t1"}
    others = frozen.loc[frozen["split"] != "test", "id"]
    assert not others.str.startswith("t").any()


def test_some_of_the_own_test_side_are_enough():
    own = corpus({f"t{n}": 10 for n in range(6)}, "test")
    items = pd.concat([corpus(speakers(20, 10)), own], ignore_index=True)
    frozen = freeze(items, FreezeRule(count=80, validation=4, test=3, speakers=10), "d")
    units = frozen.assign(unit=frozen["id"].str.partition("-")[0])
    numbers = units.groupby("split")["unit"].nunique()
    assert numbers.to_dict() == {"test": 3, "train": 10, "validation": 4}


def test_speakers_of_one_utterance_train():
    items = corpus({**speakers(4, 6), **{f"single{n}": 1 for n in range(30)}})
    frozen = freeze(items, FreezeRule(count=50, validation=2, test=2), "d")
    held_out = frozen[frozen["split"] != "train"]
    assert not held_out["id"].str.startswith("single").any()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"count": 101, "validation": 2, "test": 3},
            r"d: count: 101 utterances are asked for, and the 10 speakers chosen \(5 train, "
            r"2 validation, 3 test\) have 100; ask for fewer, or for more speakers",
        ),
        (
            {"count": 41, "validation": 1, "test": 1, "speakers": 2},
            r"the 4 speakers chosen \(2 train, 1 validation, 1 test\) have 40",
        ),
        (
            {"count": 19, "validation": 2, "test": 3},
            "19 utterances are too few for 10 speakers .*, 2 each; ask for more, or set",
        ),
        (
            {"count": 50, "validation": 6, "test": 5},
            "validation: 6 are asked for, and 5 with 2 utterances or more are there",
        ),
        (
            {"count": 50, "validation": 4, "test": 5},
            "speakers: 2 are asked for, and 1 are there for train",
        ),
        ({"count": 50, "validation": 4}, "test: the corpus brings none of its own; say how many"),
    ],
)
def test_too_little_is_refused_with_what_is_there(rule, message):
    with pytest.raises(DataError, match=message):
        freeze(corpus(speakers(10, 10)), FreezeRule(**rule), "d")


def test_a_speaker_in_two_splits_is_refused():
    items = pd.concat([corpus(speakers(9, 5)), corpus({"s001": 2}, "test")])
    with pytest.raises(DataError, match=r"d: in more than one split: s001$"):
        freeze(items, FreezeRule(count=20, validation=1), "d")


def test_a_list_is_read_as_it_was_written(tmp_path):
    frozen = freeze(corpus(speakers(9, 5)), FreezeRule(count=30, validation=2, test=2), "d")
    path = tmp_path / "splits" / "d.tsv"
    assert write_frozen(path, frozen)
    assert not write_frozen(path, frozen)
    lines = path.read_text().splitlines()
    assert lines[0] == "id\tsplit"
    assert lines[1:] == sorted(lines[1:])
    assert len(lines) == 31
    assert read_frozen(path).equals(frozen)


@pytest.mark.parametrize("name", ["NA", "null", "1", " a b ", "بيت", '"x"', "a\x0bb", "a\u2028b"])
def test_any_name_stays_as_it_is(tmp_path, name):
    frozen = pd.DataFrame({"id": [name], "split": ["test"]})
    write_frozen(tmp_path / "d.tsv", frozen)
    assert read_frozen(tmp_path / "d.tsv").equals(frozen)


@pytest.mark.parametrize("name", ["a\tb", "a\nb", "a\rb", ""])
def test_a_name_that_a_list_cannot_hold_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="a list cannot name it"):
        write_frozen(tmp_path / "d.tsv", pd.DataFrame({"id": [name], "split": ["test"]}))
    assert not (tmp_path / "d.tsv").exists()


def test_a_list_that_lies_there_stays(tmp_path):
    path = tmp_path / "d.tsv"
    items = corpus(speakers(9, 5))
    first, second = (
        freeze(items, FreezeRule(count=count, validation=2, test=2), "d") for count in (30, 31)
    )
    write_frozen(path, first)
    before = path.read_bytes()
    with pytest.raises(DataError, match="holds another subset than this rule gives"):
        write_frozen(path, second)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 is not the header"),
        ("a\ttrain\n", "line 1 is not the header"),
        ("id\tsplit\n", "lists no utterance"),
        ("id\tsplit\na\ttrain\nb\n", "line 3 is not an id, a tab and one of train, validation"),
        ("id\tsplit\na\ttrain\n\nb\ttest\n", "line 3 is not an id"),
        ("id\tsplit\na\tTrain\n", "line 2 is not an id"),
        ("id\tsplit\n\ttrain\n", "line 2 is not an id"),
        ("id\tsplit\na\ttrain\tx\n", "line 2 is not an id"),
        ("id\tsplit\na\ttrain\nb\ttest\na\ttest\n", "line 4: 'a' stands further up too"),
    ],
)
def test_a_broken_list_is_refused_with_its_line(tmp_path, text, message):
    path = tmp_path / "d.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=f"d.tsv: {message}"):
        read_frozen(path)


def test_an_absent_list_and_one_that_is_no_text(tmp_path):
    with pytest.raises(DataError, match="no such list"):
        read_frozen(tmp_path / "d.tsv")
    (tmp_path / "d.tsv").write_bytes(b"id\tsplit\n\xff\ttrain\n")
    with pytest.raises(DataError, match="not UTF-8"):
        read_frozen(tmp_path / "d.tsv")


def test_windows_line_ends_are_no_part_of_a_split(tmp_path):
    (tmp_path / "d.tsv").write_bytes(b"id\tsplit\r\na\ttrain\r\n")
    assert read_frozen(tmp_path / "d.tsv").to_numpy().tolist() == [["a", "train"]]


def test_a_grown_corpus_gives_the_same_subset_and_trials(tmp_path):
    items = corpus(speakers(12, 10))
    frozen = freeze(items, FreezeRule(count=80, validation=3, test=4), "d")
    write_frozen(tmp_path / "d.tsv", frozen)
    newcomers = pd.concat([corpus(speakers(40, 10)), corpus({"z": 3})])
    more = corpus(speakers(12, 14))
    grown = pd.concat([more, newcomers]).drop_duplicates("id").sort_values("id", ascending=False)

    held = read_frozen(tmp_path / "d.tsv")
    before, after = restrict(items, held, "d"), restrict(grown, held, "d")
    assert before["id"].tolist() == after["id"].tolist()[::-1]
    rule = TrialRule(count=60)
    for split in ("validation", "test"):
        lists = [draw_trials(table[table["split"] == split], rule) for table in (before, after)]
        assert lists[0].equals(lists[1])


def test_a_subset_stands_in_the_order_of_the_corpus():
    items = corpus({"b": 2, "a": 2, "c": 2})
    frozen = pd.DataFrame({"id": ["a-001", "b-000", "c-000"], "split": ["train", "test", "train"]})
    kept = restrict(items, frozen, "d")
    assert kept["id"].tolist() == ["b-000", "a-001", "c-000"]
    assert kept["split"].tolist() == ["test", "train", "train"]
    assert kept.index.tolist() == [0, 1, 2]
    assert (items["split"] == "").all()


def test_a_corpus_that_lost_items_is_refused():
    items = corpus({"a": 5})
    frozen = pd.DataFrame({"id": ["a-000", "a-008", "a-007"], "split": "train"})
    with pytest.raises(DataError, match=r"d: the corpus lacks 2 of the 3 ids .* first .* 'a-007'"):
        restrict(items, frozen, "d")


def test_a_list_against_the_split_of_the_corpus_is_refused():
    items = corpus({"a": 3}, "test")
    frozen = pd.DataFrame({"id": ["a-000", "a-001"], "split": ["test", "train"]})
    with pytest.raises(DataError, match=r"has 'a-001' in train, and the corpus in test .* 1 ids"):
        restrict(items, frozen, "d")


def test_each_speaker_gives_as_many():
    items = corpus({**speakers(10, 30), "few": 2})
    frozen = freeze(items, FreezeRule(count=102, validation=2, test=3), "d")
    counts = frozen["id"].str.partition("-")[0].value_counts()
    assert counts.drop("few").tolist() == [10] * 10
    assert counts["few"] == 2
