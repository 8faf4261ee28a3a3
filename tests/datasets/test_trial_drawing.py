"""Drawn trial lists: exact, without repetition, even, and told by ids and seed alone."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.config.datasets import TrialRule
from harness.datasets.trial_drawing import draw_trials
from harness.errors import DataError


def corpus(speakers, each, sessions=3):
    """As many women as men, sessions in turn."""
    rows = [
        (f"s{s}-{u}", f"s{s}", f"x{u % sessions}", "fm"[s % 2])
        for s in range(speakers)
        for u in range(each)
    ]
    return pd.DataFrame(rows, columns=["id", "label", "session", "gender"])


def every_pair(items):
    """All pairs and their kinds, one by one: the reference."""
    rows = items.to_dict("records")
    kinds = {}
    for place, one in enumerate(rows):
        for other in rows[place + 1 :]:
            target = one["label"] == other["label"]
            side = "session" if target else "gender"
            known = one[side] and other[side]
            relation = "same" if one[side] == other[side] else "cross"
            word = "target" if target else "nontarget"
            kind = f"{word} {relation}-{side}" if known else word
            kinds[frozenset((one["id"], other["id"]))] = kind
    return kinds


@st.composite
def tables(draw):
    labels = draw(st.lists(st.integers(0, 4), min_size=2, max_size=16))
    genders = draw(st.lists(st.sampled_from(["f", "m", ""]), min_size=5, max_size=5))
    sessions = draw(
        st.lists(st.sampled_from(["a", "b", ""]), min_size=len(labels), max_size=len(labels))
    )
    return pd.DataFrame(
        {
            "id": [f"i{n}" for n in range(len(labels))],
            "label": [f"s{label}" for label in labels],
            "session": sessions,
            "gender": [genders[label] for label in labels],
        }
    )


SHARES = st.none() | st.sampled_from([0.0, 0.3, 0.5, 1.0])
RULES = st.builds(
    TrialRule,
    count=st.integers(1, 40),
    targets=st.sampled_from([0.1, 0.25, 0.5, 0.7]),
    cross_session=SHARES,
    same_gender=SHARES,
    seed=st.integers(0, 3),
)


def parts(rule, kinds):
    """How many trials of each kind a rule asks for, and how many the table has."""
    targets = round(rule.count * rule.targets)
    have = pd.Series(list(kinds.values()), dtype=object).value_counts()
    for count, share, word, first, second in (
        (targets, rule.cross_session, "target", "cross-session", "same-session"),
        (rule.count - targets, rule.same_gender, "nontarget", "same-gender", "cross-gender"),
    ):
        if share is None:
            yield count, sum(n for kind, n in have.items() if kind.split()[0] == word), word
            continue
        part = round(count * share)
        yield part, have.get(f"{word} {first}", 0), f"{word} {first}"
        yield count - part, have.get(f"{word} {second}", 0), f"{word} {second}"


@settings(max_examples=300, deadline=None)
@given(tables(), RULES)
def test_the_law_of_drawn_trials(items, rule):
    kinds = every_pair(items)
    asked = list(parts(rule, kinds))
    told = all(
        share is None or (items[column] != "").any()
        for share, column in ((rule.cross_session, "session"), (rule.same_gender, "gender"))
    )
    if not told or any(wanted > have for wanted, have, _ in asked):
        with pytest.raises(DataError):
            draw_trials(items, rule)
        return
    table = draw_trials(items, rule)
    pairs = [frozenset(pair) for pair in zip(table["enrol"], table["test"], strict=True)]
    assert len(set(pairs)) == len(pairs) == rule.count
    assert [kinds[pair] for pair in pairs] == table["kind"].tolist()
    assert [kinds[pair].startswith("target") for pair in pairs] == table["target"].tolist()
    for wanted, _, start in asked:
        has_kind = table["kind"].str.split(" ").str[0] == start
        assert (has_kind if " " not in start else table["kind"] == start).sum() == wanted


@settings(max_examples=100, deadline=None)
@given(tables(), RULES, st.randoms(use_true_random=False))
def test_the_order_of_the_table_changes_nothing(items, rule, random):
    kinds = every_pair(items)
    assume(all(wanted <= have for wanted, have, _ in parts(rule, kinds)))
    assume((items["session"] != "").any() and (items["gender"] != "").any())
    order = list(range(len(items)))
    random.shuffle(order)
    shuffled = items.iloc[order]
    pd.testing.assert_frame_equal(draw_trials(items, rule), draw_trials(shuffled, rule))


def test_every_pair_that_there_is_can_be_drawn():
    items = corpus(4, 5)
    kinds = pd.Series(list(every_pair(items).values())).value_counts()
    targets = int(kinds["target same-session"] + kinds["target cross-session"])
    rule = TrialRule(count=int(kinds.sum()), targets=targets / kinds.sum())
    assert draw_trials(items, rule)["kind"].value_counts().to_dict() == kinds.to_dict()


def test_another_seed_is_another_list():
    items = corpus(8, 6)
    first, second = (draw_trials(items, TrialRule(count=60, seed=seed)) for seed in (0, 1))
    assert not first.equals(second)


def test_a_list_known_by_heart():
    # Frozen: another list would be another benchmark under the same protocol version.
    table = draw_trials(corpus(4, 2), TrialRule(count=6, targets=0.5))
    lines = [" ".join(row) for row in table[["enrol", "test", "kind"]].to_numpy()]
    assert lines == [
        "s0-0 s0-1 target cross-session",
        "s0-0 s3-0 nontarget cross-gender",
        "s1-0 s2-1 nontarget cross-gender",
        "s1-1 s1-0 target cross-session",
        "s3-0 s3-1 target cross-session",
        "s3-1 s1-1 nontarget same-gender",
    ]


@pytest.mark.parametrize(
    ("shares", "widest"), [({}, 2), ({"cross_session": 0.5, "same_gender": 0.6}, 5)]
)
def test_no_speaker_and_no_utterance_dominates(shares, widest):
    items = corpus(20, 30)
    rule = TrialRule(count=4000, targets=0.25, **shares)
    table = draw_trials(items, rule)
    label = items.set_index("id")["label"]
    for _, side in table.groupby("target"):
        uses = pd.concat([side["enrol"], side["test"]])
        speakers = uses.map(label).value_counts()
        assert len(speakers) == 20
        assert speakers.max() <= 1.1 * speakers.min()
        utterances = uses.value_counts()
        assert len(utterances) == 600
        assert utterances.max() - utterances.min() <= widest


def test_speakers_of_one_session_make_up_for_it_with_same_session_trials():
    items = corpus(6, 12)
    items.loc[items["label"].isin(["s0", "s1"]), "session"] = "x0"
    rule = TrialRule(count=120, targets=0.5, cross_session=0.5)
    table = draw_trials(items, rule)
    targets = table[table["target"]]["enrol"].map(items.set_index("id")["label"])
    assert set(targets.value_counts()) == {10}


def test_one_speaker_with_most_of_the_utterances_has_no_more_trials_than_others():
    items = pd.concat([corpus(6, 10), corpus(1, 500).assign(label="big")])
    items["id"] = [f"i{n}" for n in range(len(items))]
    table = draw_trials(items, TrialRule(count=140, targets=0.5))
    label = items.set_index("id")["label"]
    targets, nontargets = (table[table["target"] == side] for side in (True, False))
    assert set(targets["enrol"].map(label).value_counts()) == {10}
    uses = pd.concat([nontargets["enrol"], nontargets["test"]]).map(label).value_counts()
    assert set(uses) == {20}


def test_speakers_with_few_pairs_give_all_and_the_others_the_rest():
    items = pd.concat([corpus(1, 3).assign(label="few"), corpus(2, 20).assign(id="")])
    items["id"] = [f"i{n}" for n in range(len(items))]
    table = draw_trials(items, TrialRule(count=86, targets=0.5))
    label = items.set_index("id")["label"]
    targets = table[table["target"]]["enrol"].map(label).value_counts()
    assert targets.to_dict() == {"few": 3, "s0": 20, "s1": 20}


def test_without_columns_kinds_are_plain():
    items = corpus(4, 4)[["id", "label"]]
    assert set(draw_trials(items, TrialRule(count=20))["kind"]) == {"target", "nontarget"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"count": 1000}, r"t: 500 target trials are asked for, and the items allow 60;"),
        (
            {"count": 100, "targets": 0.6, "cross_session": 0.2},
            "48 same-session target trials are asked for, and the items allow 12",
        ),
        (
            {"count": 1000, "targets": 0.01, "same_gender": 0.9},
            "891 same-gender nontarget trials are asked for, and the items allow 150",
        ),
    ],
)
def test_what_is_not_possible_is_refused_with_what_is(rule, message):
    with pytest.raises(DataError, match=message):
        draw_trials(corpus(6, 5), TrialRule(**rule), "t")


@pytest.mark.parametrize(
    ("share", "column"), [("cross_session", "session"), ("same_gender", "gender")]
)
@pytest.mark.parametrize("unknown", [True, False])
def test_a_share_of_what_the_corpus_does_not_tell_is_refused(share, column, unknown):
    items = corpus(4, 4)
    items = items.assign(**{column: ""}) if unknown else items.drop(columns=column)
    with pytest.raises(DataError, match=f"{share}: the corpus tells no {column}; leave"):
        draw_trials(items, TrialRule(count=20, **{share: 0.5}))


def test_a_label_of_two_genders_is_refused_where_genders_are_asked_for():
    items = corpus(4, 4)
    items.loc[0, "gender"] = "m"
    assert len(draw_trials(items, TrialRule(count=20))) == 20
    with pytest.raises(DataError, match="1 labels have items of more than one gender"):
        draw_trials(items, TrialRule(count=20, same_gender=0.5))


def test_pairs_of_unknown_gender_count_as_neither():
    items = corpus(6, 4)
    items.loc[items["label"] == "s0", "gender"] = ""
    table = draw_trials(items, TrialRule(count=60, targets=0.1, same_gender=0.5))
    nontargets = table[~table["target"]]
    assert not np.isin(["s0"], nontargets[["enrol", "test"]].to_numpy(str)).any()
    assert not nontargets["enrol"].str.startswith("s0").any()
    assert nontargets["kind"].value_counts().to_dict() == {
        "nontarget same-gender": 27,
        "nontarget cross-gender": 27,
    }


def test_no_list_of_all_pairs_is_made():
    items = corpus(300, 100)
    tracemalloc.start()
    draw_trials(items, TrialRule(count=2000, cross_session=0.5, same_gender=0.5))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    all_pairs = len(items) * (len(items) - 1) // 2
    assert peak < all_pairs / 5, "bytes"
