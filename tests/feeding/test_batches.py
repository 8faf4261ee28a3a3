"""Batches of training are a function of seed and step; those of evaluation pad nothing."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.adapter import Fbank, Image, Spectrogram
from harness.datasets.lengths import frame_count
from harness.datasets.packing.pack import Pack
from harness.datasets.subset import Subset
from harness.errors import ConfigError
from harness.feeding.batches import TrainingBatches
from harness.feeding.evaluation_batches import whole_batches
from harness.feeding.front_end import front_end

SECOND = 16_000


def subset_of(items, labels=None):
    """Items as a subset of a pack that holds one more item before them."""
    every = [items[0][:1], *items]
    shapes = np.array([item.shape for item in every])
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))])
    pack = Pack(np.concatenate([item.ravel() for item in every]), offsets, shapes, "", {})
    names = [f"u{number}" for number in range(len(items))]
    table = pd.DataFrame({"id": names, "label": labels or ["a"] * len(items)})
    return Subset(table, np.arange(1, len(every)), np.arange(2, len(every) + 1), pack)


def sounds(lengths):
    generator = np.random.default_rng(0)
    return subset_of([generator.integers(-9000, 9000, n).astype(np.int16) for n in lengths])


def marked(count, length=4000):
    """Sounds that tell their own number and the place of each sample."""
    return subset_of([np.arange(length).astype(np.int16) + 5000 * n for n in range(count)])


def batches(subset, **changes):
    settings = {"classes": ("a",), "batch": 4, "crop_seconds": 0.1, "seed": 0}
    return TrainingBatches(subset, **{**settings, **changes})


def numbers(raw):
    """Which item each row of a batch of marked sounds came from."""
    return (raw[:, 0] * 32768 // 5000).int().tolist()


def test_a_step_is_a_function_of_seed_and_step():
    one, two = batches(marked(6)), batches(marked(6))
    later = [two.at(step) for step in (5, 3)]
    for step in range(6):
        one.at(step)
    for step, expected in zip((5, 3), later, strict=True):
        raw, labels = one.at(step)
        assert torch.equal(raw, expected[0])
        assert torch.equal(labels, expected[1])


def test_another_seed_or_step_is_another_batch():
    raws = [batches(marked(6), seed=seed).at(step)[0] for seed, step in ((0, 0), (1, 0), (0, 1))]
    assert not torch.equal(raws[0], raws[1])
    assert not torch.equal(raws[0], raws[2])


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_every_item_comes_once_an_epoch(epoch):
    made = batches(marked(6), batch=2)
    assert made.steps_per_epoch == 3
    seen = [number for step in range(3) for number in numbers(made.at(3 * epoch + step)[0])]
    assert sorted(seen) == list(range(6))


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 5))
def test_an_epoch_repeats_no_item_and_leaves_less_than_a_batch(count, size, epoch):
    made = batches(marked(count), batch=size)
    steps = range(epoch * made.steps_per_epoch, (epoch + 1) * made.steps_per_epoch)
    seen = [number for step in steps for number in numbers(made.at(step)[0])]
    assert all(len(made.at(step)[0]) == size for step in steps)
    if count >= size:
        assert len(set(seen)) == len(seen) > count - size
    else:
        assert set(seen) == set(range(count))


def test_items_that_wait_come_in_another_epoch():
    made = batches(marked(5), batch=4)
    assert {number for step in range(12) for number in numbers(made.at(step)[0])} == set(range(5))


def test_crops_lie_inside_and_reach_both_ends():
    starts = set()
    made = batches(marked(2, length=1610), batch=2)
    for step in range(60):
        raw = made.at(step)[0]
        places = (raw * 32768).round() - 5000 * torch.tensor(numbers(raw))[:, None]
        assert (places.diff(dim=1) == 1).all(), "a crop is one stretch of one item"
        starts |= set(places[:, 0].int().tolist())
    assert starts == set(range(11))


def test_short_items_are_tiled_to_the_crop():
    raw, _ = batches(marked(2, length=1000), batch=2).at(0)
    assert raw.shape == (2, 1600)
    assert torch.equal(raw[:, 1000:], raw[:, :600])


def test_labels_are_the_places_of_their_classes():
    subset = subset_of([np.full(1600, n, np.int16) for n in range(4)], ["b", "a", "c", "b"])
    raw, labels = batches(subset, classes=("a", "b", "c")).at(0)
    expected = [(1, 0, 2, 1)[number] for number in (raw[:, 0] * 32768).int()]
    assert labels.tolist() == expected
    assert labels.dtype == torch.int64


def test_whole_pictures():
    pictures = [np.full((3, 2), n, np.uint8) for n in range(4)]
    raw, _ = batches(subset_of(pictures), crop_seconds=None).at(0)
    assert raw.shape == (4, 3, 2)
    assert sorted((raw[:, 0, 0] * 255).int().tolist()) == [0, 1, 2, 3]


def test_whole_sounds_of_different_lengths_need_a_crop():
    with pytest.raises(ConfigError, match="crop_seconds"):
        batches(sounds([1600, 1601, 1602, 1603]), crop_seconds=None).at(0)


LENGTHS = st.lists(st.integers(400, 2000), min_size=1, max_size=12)


@given(LENGTHS, st.integers(1, 8000))
def test_whole_batches_cover_every_item_once_without_padding(lengths, most):
    subset = sounds(lengths)
    seen = []
    for rows, raw in whole_batches(subset, Fbank(), most):
        seen += rows.tolist()
        assert len(rows) == 1 or raw.numel() <= most
        assert len({frame_count(Fbank(), lengths[row]) for row in rows}) == 1
        assert frame_count(Fbank(), raw.shape[1]) == frame_count(Fbank(), lengths[rows[0]])
        for row, sound in zip(rows, raw.numpy(), strict=True):
            np.testing.assert_array_equal(sound * 32768, subset.item(row)[: len(sound)])
    assert sorted(seen) == list(range(len(lengths)))


@pytest.mark.parametrize("declared", [Fbank(bins=20), Spectrogram(bins=20)])
def test_an_utterance_in_a_batch_is_embedded_as_alone(declared):
    subset = sounds([4080, 4100, 4159, 6000, 4239])
    network = torch.nn.Sequential(front_end(declared), torch.nn.Flatten(1)).eval()
    sizes = []
    for rows, raw in whole_batches(subset, declared, 10**6):
        sizes.append(len(rows))
        for row, together in zip(rows, network(raw), strict=True):
            alone = torch.from_numpy(subset.item(int(row)).astype(np.float32) / 32768)[None]
            torch.testing.assert_close(network(alone)[0], together, atol=1e-4, rtol=1e-4)
    assert sizes == [4, 1]


def test_an_item_too_short_for_a_frame_is_named():
    with pytest.raises(ConfigError, match="u1: 399 samples are shorter than one frame"):
        list(whole_batches(sounds([4000, 399]), Fbank(), 10**6))


def test_pictures_of_different_shapes_have_their_own_batches():
    pictures = [np.full(shape, 1, np.uint8) for shape in ((2, 3), (3, 2), (2, 3))]
    shapes = [
        (rows.tolist(), tuple(raw.shape))
        for rows, raw in whole_batches(subset_of(pictures), Image(size=8), 10**6)
    ]
    assert shapes == [([0, 2], (2, 2, 3)), ([1], (1, 3, 2))]
