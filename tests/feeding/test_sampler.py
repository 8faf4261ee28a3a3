"""Batches of P labels with K items each: even, distinct, and known from seed and step alone."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.config.recipe_tables import Augment, Sampler
from harness.errors import ConfigError
from harness.feeding.feeder import Feeder
from harness.feeding.sampler import LabelSampler, group
from harness.feeding.step_inputs import InputMaker, with_nearest
from tests.feeding.feeding import maker
from tests.feeding.test_batches import batches, numbers, subset_of

SPEEDS = Augment(speeds=(0.9, 1.0, 1.1))
SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=9)


def labels_of(sizes):
    """So many items of each label, the labels mixed."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(0).permutation(labels)


@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 3), st.integers(1, 60))
def test_groups_are_an_even_pass(members, size, seed, many):
    """After any number of groups, no member came more than once oftener than another."""
    drawn = [group((seed,), members, size, number) for number in range(many)]
    counts = Counter(np.concatenate(drawn).tolist())
    if members >= size:
        assert all(len(set(found.tolist())) == size for found in drawn), "no group repeats one"
        assert max(counts.values()) - min(counts[each] for each in range(members)) <= 1
    for found in drawn:
        inside = Counter(found.tolist())
        assert max(inside.values()) <= -(-size // members)
        assert set(inside) <= set(range(members))


def test_rounds_differ_and_so_do_seeds():
    rounds = [tuple(group((0,), 12, 12, number)) for number in range(6)]
    assert len(set(rounds)) == 6
    assert tuple(group((1,), 12, 12, 0)) != rounds[0]


@given(SIZES, st.data())
def test_a_batch_is_so_many_labels_with_so_many_items(sizes, data):
    speakers = data.draw(st.integers(2, len(sizes)))
    utterances, step = data.draw(st.integers(1, 6)), data.draw(st.integers(0, 1000))
    labels = labels_of(sizes)
    sampler = Sampler(speakers=speakers, utterances=utterances)
    found = LabelSampler(labels, sampler, 0).at(step)
    table = labels[found].reshape(utterances, speakers)
    assert (table == table[0]).all(), "any stretch of the batch holds many labels, not few"
    assert len(set(table[0].tolist())) == speakers
    for items, label in zip(found.reshape(utterances, speakers).T, table[0], strict=True):
        assert len(set(items.tolist())) == min(utterances, sizes[label])


@given(SIZES, st.integers(1, 4), st.integers(2, 40))
def test_labels_and_the_items_of_each_come_evenly(sizes, utterances, steps):
    labels = labels_of(sizes)
    speakers = max(2, len(sizes) - 1)
    sampler = LabelSampler(labels, Sampler(speakers=speakers, utterances=utterances), 3)
    seen = Counter(np.concatenate([sampler.at(step) for step in range(steps)]).tolist())
    drawn = Counter(labels[list(seen.elements())].tolist())
    each = [drawn[label] for label in range(len(sizes))]
    assert max(each) - min(each) <= utterances, "one draw"
    for label, size in enumerate(sizes):
        counts = [seen[item] for item in np.flatnonzero(labels == label)]
        if size >= utterances:
            assert max(counts) - min(counts) <= 1


def voices(count=6, each=3):
    """Short sounds that tell their number, so many of each label."""
    items = [np.full(4000, 300 * n, np.int16) for n in range(count * each)]
    return subset_of(items, [f"c{n % count}" for n in range(count * each)])


def drawn(subset, speakers=3, **changes):
    sampler = Sampler(speakers=speakers, utterances=2)
    classes = tuple(sorted(set(subset.items["label"])))
    return batches(subset, classes=classes, batch=sampler.batch, sampler=sampler, **changes)


def test_a_step_is_a_function_of_seed_and_step():
    one, two = drawn(voices()), drawn(voices())
    later = [two.at(step) for step in (50, 3)]
    for step in range(8):
        one.at(step)
    for step, expected in zip((50, 3), later, strict=True):
        for left, right in zip(one.at(step), expected, strict=True):
            assert torch.equal(left, right)
    assert not torch.equal(drawn(voices(), seed=1).at(3)[0], later[1][0])


def test_labels_are_those_of_the_items():
    made = drawn(voices())
    raw, labels = made.at(2)
    items = (raw[:, 0] * 32768 / 300).round().int()
    assert labels.tolist() == (items % 6).tolist()
    assert made.steps_per_epoch == 3, "as many crops as the split has items"


def test_the_crops_of_a_class_are_one_voice_at_one_speed():
    """A voice at another speed is another class: each class has its K crops all the same."""
    seen = set()
    made = drawn(voices(), speeds=(0.9, 1.0, 1.1))
    for step in range(40):
        labels = made.at(step)[1].tolist()
        assert set(Counter(labels).values()) == {2}
        assert len({label % 6 for label in labels}) == 3, "a voice comes at one speed a batch"
        assert [label // 6 for label in labels] == made.speeds_at(step).tolist()
        seen |= set(labels)
    assert seen == set(range(18)), "every voice comes at every speed"


@pytest.mark.parametrize("workers", [0, 1])
def test_workers_draw_the_same_batches(tmp_path, workers):
    plain = maker(tmp_path, SPEEDS)
    made = InputMaker(
        drawn(plain.batches.subset, speakers=2, speeds=plain.augment.speeds),
        plain.disturber, plain.declared, plain.augment, 3,
    )  # fmt: skip
    with Feeder(made, range(2, 5), torch.device("cpu"), workers) as feeder:
        for step in range(2, 5):
            found, wanted = feeder.take(), made.inputs(step)
            assert torch.equal(found.values, wanted.values)
            assert torch.equal(found.labels, wanted.labels)


def test_more_labels_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"sampler\.speakers: 3 different .* has 2"):
        drawn(voices(count=2)).at(0)


def test_without_a_sampler_batches_are_what_they_were():
    """The first batches of a split, as they have always been drawn."""
    found = [numbers(batches(marked_items()).at(step)[0]) for step in range(3)]
    assert found == PLAIN


def marked_items():
    return subset_of([np.arange(4000).astype(np.int16) + 5000 * n for n in range(6)])


PLAIN = [[3, 2, 5, 4], [1, 4, 5, 3], [4, 1, 2, 5]]


def slow_beside(anchors, nearest, wanted):
    """As many labels, each anchor in turn asking for its nearest that nobody has got."""
    found = list(anchors)
    for turn in range(wanted):
        free = [label for label in nearest[anchors[turn % len(anchors)]] if label not in found]
        found.append(free[0])
    return found


def table_of(count, seed=0):
    """All other labels of each, in some order."""
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(count), (count, 1)), axis=1)
    return np.array([row[row != label] for label, row in enumerate(order)])


@given(st.integers(4, 12), st.data())
def test_hard_labels_are_the_nearest_that_the_batch_has_not_got(count, data):
    speakers = data.draw(st.integers(4, count))
    hard = data.draw(st.sampled_from([0.25, 0.5, 0.75, 0.9]))
    sampler = Sampler(speakers=speakers, utterances=2, hard=hard)
    labels, step = labels_of([3] * count), data.draw(st.integers(0, 50))
    nearest = table_of(count)[:, : speakers - 1]
    found = LabelSampler(labels, sampler, 0).at(step, nearest)
    table = labels[found].reshape(2, speakers)
    assert (table == table[0]).all()
    drawn = table[0].tolist()
    assert len(set(drawn)) == speakers
    anchors = drawn[: sampler.anchors]
    assert drawn == slow_beside(anchors, nearest.tolist(), speakers - sampler.anchors)
    assert len(set(found.tolist())) == len(found), "a label has items enough for none twice"


def test_anchors_still_come_evenly():
    labels, nearest = labels_of([4] * 7), table_of(7)
    sampler = LabelSampler(labels, Sampler(speakers=4, utterances=2, hard=0.5), 0)
    anchors = np.concatenate([labels[sampler.at(step, nearest)][:2] for step in range(7)])
    assert set(Counter(anchors.tolist()).values()) == {2}


def test_labels_without_an_item_are_never_near():
    """Classes of which every item was left out: 0 and 3 of five."""
    labels = np.repeat([1, 2, 4], 2)
    nearest = np.array([[1, 2], [0, 3], [3, 0], [1, 2], [0, 3]])
    sampler = LabelSampler(labels, Sampler(speakers=3, utterances=2, hard=0.7), 0)
    assert set(labels[sampler.at(0, nearest)].tolist()) == {1, 2, 4}


def test_hard_labels_need_a_table():
    sampler = LabelSampler(labels_of([2] * 4), Sampler(speakers=4, utterances=2, hard=0.5), 0)
    with pytest.raises(TypeError, match="there is none yet"):
        sampler.at(0)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_feeder_mines_by_the_table_of_its_steps(tmp_path, workers):
    """It waits where the next table is not there, and no step is made by another one."""
    plain = maker(tmp_path, SPEEDS)
    classes, hard = ("c0", "c1", "c2"), Sampler(speakers=2, utterances=2, hard=0.5)
    made = replace(
        plain, batches=replace(plain.batches, sampler=hard, classes=classes, batch=hard.batch)
    )
    tables = [np.array([[1], [2], [0]]), np.array([[2], [0], [1]])]
    with Feeder(made, range(1, 6), torch.device("cpu"), workers) as feeder:
        for step in range(1, 6):
            if step in (1, 3):
                assert feeder.must_mine
                feeder.mine(tables[step // 3], 3 if step == 1 else 6)
            assert not feeder.must_mine
            wanted = with_nearest(made, tables[step // 3]).inputs(step)
            found = feeder.take()
            assert torch.equal(found.values, wanted.values)
            assert torch.equal(found.labels, wanted.labels)
            first, second = (found.labels % 3)[:2].tolist()
            assert second == tables[step // 3][first, 0]
