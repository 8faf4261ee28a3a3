"""Which crops are put into rooms and noise: as often as asked, a function of seed and step."""

import numpy as np
import pytest
import torch

from harness.config.recipe_tables import Augment
from harness.datasets.packing.pack import Pack
from harness.feeding.disturbance import Disturbance, Disturber, disturb
from harness.feeding.effects import power
from harness.feeding.libraries import Library
from harness.feeding.sound_readers import DIRECT, TAPS

ROWS, SAMPLES = 400, 200
BOTH = {"noise": {}, "reverb": {}}


def library(sounds, labels):
    shapes = np.array([sound.shape for sound in sounds])
    offsets = np.concatenate([[0], np.cumsum(shapes)])
    pack = Pack(np.concatenate(sounds), offsets, shapes, "", {})
    return Library(np.array(labels), pack, np.arange(len(sounds)))


def noises():
    """Three kinds that tell their own number: 1000, 2000, 3000; the last is short."""
    lengths = (1000, 900, 30)
    sounds = [np.full(n, 1000 * (k + 1), np.int16) for k, n in enumerate(lengths)]
    return library(sounds, ["noise", "speech", "music"])


def rooms():
    direct = np.zeros(DIRECT + 5, np.int16)
    direct[DIRECT] = 32767
    echo = np.zeros(DIRECT + 60, np.int16)
    echo[[DIRECT, DIRECT + 50]] = (32767, 20000)
    return library([direct, echo], ["room", "room"])


def disturber(seed=0, **augment):
    made = Augment(**augment)
    return Disturber(made, rooms() if made.reverb else None, noises() if made.noise else None, seed)


def drawn(source, steps=8):
    """Shares of the crops with a room alone, noise alone, both."""
    with_room, with_noise = np.zeros((steps, ROWS), bool), np.zeros((steps, ROWS), bool)
    for step in range(steps):
        what = source.at(step, ROWS, SAMPLES)
        with_room[step, what.room_rows], with_noise[step, what.noise_rows] = True, True
    return [np.mean(a & b) for a, b in (
        (with_room, ~with_noise), (~with_room, with_noise), (with_room, with_noise),
    )]  # fmt: skip


@pytest.mark.parametrize(
    ("augment", "shares"),
    [
        ({**BOTH, "probability": 0.6}, (0.3, 0.3, 0.0)),
        ({**BOTH, "probability": 0.6, "both": True}, (0.2, 0.2, 0.2)),
        ({"noise": {}, "probability": 0.5}, (0.0, 0.5, 0.0)),
        ({"reverb": {}, "probability": 0.25}, (0.25, 0.0, 0.0)),
        ({**BOTH, "probability": 0.0}, (0.0, 0.0, 0.0)),
        ({"reverb": {}, "probability": 1.0}, (1.0, 0.0, 0.0)),
    ],
)
def test_crops_are_hit_as_often_as_asked(augment, shares):
    assert drawn(disturber(**augment)) == pytest.approx(shares, abs=0.03)


def test_a_step_is_a_function_of_seed_and_step():
    one, two = disturber(**BOTH), disturber(**BOTH)
    later = two.at(5, ROWS, SAMPLES)
    one.at(0, ROWS, SAMPLES)
    for again, first in zip(one.at(5, ROWS, SAMPLES), later, strict=True):
        assert torch.equal(again, first)
    for other in (disturber(1, **BOTH).at(5, ROWS, SAMPLES), one.at(6, ROWS, SAMPLES)):
        assert not torch.equal(other.room_rows, later.room_rows)


def test_each_kind_has_its_own_ratios():
    ratios = {"noise": [0, 1], "speech": [10, 12], "music": [20, 23]}
    what = disturber(noise=ratios, probability=1.0).at(0, ROWS, SAMPLES)
    kinds = (what.noise[:, 0] * 32768 / 1000).round().int()
    for kind, (low, high) in zip((1, 2, 3), ratios.values(), strict=True):
        found = what.ratio[kinds == kind]
        assert len(found) > ROWS / 5
        assert low <= found.min() < low + 0.3
        assert high - 0.3 < found.max() <= high


def test_a_noise_that_is_too_short_is_repeated():
    what = disturber(noise={"kinds": ["music"]}, probability=1.0).at(0, 4, SAMPLES)
    assert what.noise.shape == (4, SAMPLES)


def test_stretches_of_noise_lie_inside_and_reach_both_ends():
    sound = np.arange(203).astype(np.int16)
    source = Disturber(Augment(noise={}, probability=1.0), None, library([sound], ["noise"]), 0)
    stretches = source.at(0, ROWS, SAMPLES).noise * 32768
    assert (stretches.diff(dim=1).round() == 1).all()
    assert set(stretches[:, 0].round().int().tolist()) == {0, 1, 2, 3}


def test_crops_that_are_not_drawn_stay_as_they_are():
    wave = 0.1 * torch.randn(ROWS, SAMPLES, generator=torch.Generator().manual_seed(0))
    what = disturber(**BOTH, probability=0.5).at(0, ROWS, SAMPLES)
    made = disturb(wave, what)
    hit = torch.zeros(ROWS, dtype=torch.bool)
    hit[what.room_rows] = hit[what.noise_rows] = True
    assert torch.equal(made[~hit], wave[~hit])
    assert (made[hit] != wave[hit]).any(dim=1).float().mean() > 0.9


def test_the_room_comes_first_and_noise_is_not_in_it():
    wave = 0.1 * torch.randn(1, 2000, generator=torch.Generator().manual_seed(0))
    response = torch.zeros(1, TAPS)
    response[0, [DIRECT, DIRECT + 500]] = torch.tensor([1.0, 0.9])
    noise = torch.zeros(1, 2000)
    noise[0, 1000] = 0.5
    zero = torch.tensor([0])
    made = disturb(wave, Disturbance(zero, response, zero, noise, torch.tensor([0.0])))
    room = disturb(wave, Disturbance(zero, response, zero[:0], noise[:0], torch.zeros(0)))
    made, room = made / made[0, 0], room / room[0, 0]
    assert torch.nonzero((made - room).abs() > 1e-3)[:, 1].tolist() == [1000]
    assert power(noise) > 0


def test_nothing_leaves_full_scale():
    wave = torch.sign(torch.randn(ROWS, SAMPLES, generator=torch.Generator().manual_seed(0)))
    what = disturber(**BOTH, both=True, probability=1.0).at(0, ROWS, SAMPLES)
    assert disturb(wave, what).abs().max() <= 1
