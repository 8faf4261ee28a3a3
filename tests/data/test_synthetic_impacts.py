"""The embedded corpus of synthetic impact sounds."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from harness.data.synthesis import impacts
from harness.data.synthesis.arithmetic import Draws, cosine_sine, exponential, ringing
from harness.data.synthesis.impact_settings import MATERIALS
from harness.data.synthesis.struck_objects import impact_object

COUNTS = {
    "quick": {"train": 1200, "validation": 240, "test": 600},
    "full": {"train": 4800, "validation": 480, "test": 1440},
}
# Of the first strike of objects 0, 150, 299, 330 and 479, one after the other.
PINNED = "59a9162d350f5588f973f94f3663bbb3b7b4493d21972fc156c89aa0e8b310af"
PINNED_IDS = [f"impact-{number:04d}-00" for number in (0, 150, 299, 330, 479)]


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_counts_and_columns(profile: str) -> None:
    table = impacts.sounds(profile)  # type: ignore[arg-type]
    assert list(table.columns) == ["id", "object", "material", "split", "seconds"]
    assert table["id"].is_unique
    assert table["split"].value_counts().to_dict() == COUNTS[profile]
    assert (table["seconds"] == 1.0).all()


def test_quick_is_part_of_full() -> None:
    full = impacts.sounds("full")
    quick = impacts.sounds("quick")
    assert full.merge(quick).shape == quick.shape


def test_an_object_has_one_split_and_one_material() -> None:
    groups = impacts.sounds("full").groupby("object")
    assert len(groups) == 480
    assert (groups["split"].nunique() == 1).all()
    assert (groups["material"].nunique() == 1).all()


@pytest.mark.parametrize("profile", ["quick", "full"])
def test_classes_are_all_there_and_imbalanced(profile: str) -> None:
    table = impacts.sounds(profile)  # type: ignore[arg-type]
    ratios = {}
    for split, rows in table.groupby("split"):
        sizes = rows["material"].value_counts()
        assert set(sizes.index) == set(MATERIALS)
        ratios[split] = sizes.max() / sizes.min()
    assert 9.0 <= ratios["train"] <= 11.0
    assert 2.0 <= ratios["test"] <= ratios["train"]


def test_modes_lie_in_range_and_some_objects_mislead() -> None:
    things = [impact_object(number) for number in range(480)]
    for thing in things:
        assert thing.frequencies.min() >= 500.0
        assert thing.frequencies.max() <= 3000.0
        assert (np.diff(thing.frequencies) > 0.0).all()
        assert (thing.decays > 0.0).all()
    misleading = sum(thing.sounds_like != thing.material for thing in things)
    assert 0.04 <= misleading / len(things) <= 0.12


@pytest.mark.parametrize("number", [120, 130, 266, 420])
def test_the_spectrum_peaks_at_a_mode(number: int) -> None:
    sound = impacts.synthesise(f"impact-{number:04d}-00").astype(np.float64)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    peak_hz = float(np.argmax(spectrum))  # One second: a bin is a hertz.
    assert 500.0 <= peak_hz <= 3000.0
    thing = impact_object(number)
    # The top of a decaying mode is decay / pi Hz wide.
    widths = 3.0 + thing.decays / np.pi
    assert (np.abs(thing.frequencies - peak_hz) <= widths).any()


def test_materials_differ_in_decay() -> None:
    def median_decay(material: str) -> float:
        things = [impact_object(number) for number in range(300)]
        return float(np.median([t.decays.mean() for t in things if t.material == material]))

    order = [median_decay(m) for m in ("metal", "glass", "ceramic", "stone", "wood", "plastic")]
    assert order == sorted(order)


def test_sounds_neither_clip_nor_are_silent() -> None:
    for sound_id in impacts.sounds("quick")["id"].iloc[::40]:
        sound = impacts.synthesise(sound_id)
        assert sound.dtype == np.int16
        assert sound.shape == (16_000,)
        peak = int(np.abs(sound.astype(np.int32)).max())
        assert 2000 < peak < 32_000


def test_same_bytes_in_any_order() -> None:
    first = [impacts.synthesise(sound_id).tobytes() for sound_id in PINNED_IDS]
    impact_object.cache_clear()
    again = [impacts.synthesise(sound_id).tobytes() for sound_id in reversed(PINNED_IDS)]
    assert first == again[::-1]
    assert len(set(first)) == len(first)


def test_pinned_bytes() -> None:
    sounds = [impacts.synthesise(sound_id).astype("<i2").tobytes() for sound_id in PINNED_IDS]
    assert hashlib.sha256(b"".join(sounds)).hexdigest() == PINNED


@pytest.mark.parametrize(
    "sound_id",
    ["impact-0480-00", "impact-0000-16", "impact-12-3", "impact-a-b", "impact-0012-", "speech-1-2"],
)
def test_unknown_sounds_are_refused(sound_id: str) -> None:
    with pytest.raises(KeyError):
        impacts.synthesise(sound_id)


def test_arithmetic_agrees_with_numpy() -> None:
    x = np.linspace(-20.0, 20.0, 401)
    np.testing.assert_allclose(exponential(x), np.exp(x), rtol=1e-11)
    cosine, sine = cosine_sine(x)
    np.testing.assert_allclose(cosine, np.cos(2.0 * np.pi * x), atol=1e-12)
    np.testing.assert_allclose(sine, np.sin(2.0 * np.pi * x), atol=1e-12)
    modes = np.array([500.0, 2999.0]), np.array([3.0, 400.0]), np.array([1.0, -0.5])
    t = np.arange(16_000)[:, None] / 16_000
    wanted = (modes[2] * np.exp(-modes[1] * t) * np.sin(2.0 * np.pi * modes[0] * t)).sum(axis=1)
    np.testing.assert_allclose(ringing(*modes, 16_000, 16_000), wanted, atol=1e-9)


def test_draws_have_the_promised_laws() -> None:
    bells = Draws("test/bells").bells(20_000)
    assert abs(bells.mean()) < 0.03
    assert abs(bells.std() - 1.0) < 0.03
    uniforms = Draws("test/uniforms").uniforms(2.0, 4.0, 20_000)
    assert uniforms.min() >= 2.0
    assert uniforms.max() < 4.0
    assert abs(uniforms.mean() - 3.0) < 0.02
