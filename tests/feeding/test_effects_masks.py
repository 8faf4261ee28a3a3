"""What is done to training inputs at random."""

import pytest
import torch

from harness.adapter import Fbank, Image, Spectrogram
from harness.config.recipe_tables import Augment
from harness.feeding.effects import mask_features

FRAMES, BINS = 50, 20


def example(declared):
    shape = (6, FRAMES, BINS) if isinstance(declared, Fbank) else (6, 1, BINS, FRAMES)
    return torch.ones(shape)


def hidden(declared, augment):
    """Masked bins and frames of each example, `[examples, bins]` and `[examples, frames]`."""
    made = mask_features(example(declared), declared, augment)
    zero = (made == 0).reshape(len(made), *made.shape[-2:])
    if isinstance(declared, Spectrogram):
        zero = zero.transpose(1, 2)
    return zero.all(dim=1), zero.all(dim=2)


@pytest.mark.parametrize("declared", [Fbank(), Spectrogram()])
@pytest.mark.parametrize(("bins", "frames"), [(8, 0), (0, 8), (8, 8), (100, 100)])
def test_one_band_and_one_stretch_no_wider_than_asked(declared, bins, frames):
    torch.manual_seed(0)
    widths = []
    for _ in range(20):
        for masks, widest in zip(
            hidden(declared, Augment(frequency_mask=bins, time_mask=frames)),
            (bins, frames),
            strict=True,
        ):
            if widest == 100:
                continue
            widths.append(int(masks.sum(1).max()))
            assert masks.sum(1).max() <= widest
            edges = masks.int().diff(dim=1).abs().sum(1) + masks[:, 0] + masks[:, -1]
            assert (edges <= 2).all(), "one stretch without a hole"
    assert max(widths, default=8) == 8


@pytest.mark.parametrize("declared", [Fbank(), Spectrogram()])
def test_each_example_has_its_own_mask(declared):
    torch.manual_seed(0)
    bands, _ = hidden(declared, Augment(frequency_mask=8))
    assert len({tuple(row) for row in bands.tolist()}) > 1


def test_every_bin_is_masked_now_and_then():
    torch.manual_seed(0)
    seen = torch.zeros(BINS, dtype=torch.bool)
    for _ in range(40):
        seen |= hidden(Fbank(), Augment(frequency_mask=8))[0].any(dim=0)
    assert seen.all()


def test_the_input_itself_is_not_changed():
    features = example(Fbank())
    mask_features(features, Fbank(), Augment(frequency_mask=8, time_mask=8))
    assert (features == 1).all()


def test_without_masks_nothing_is_done():
    features = example(Fbank())
    assert mask_features(features, Fbank(), Augment()) is features


def test_pictures_are_not_masked():
    pixels = torch.ones(2, 3, 8, 8)
    assert mask_features(pixels, Image(size=8), Augment(frequency_mask=4, time_mask=4)) is pixels


def test_the_seed_tells_the_masks():
    augment = Augment(frequency_mask=8, time_mask=8)
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        made.append(mask_features(example(Fbank()), Fbank(), augment))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
