"""Sound on another scale is refused, and what is clipped is counted."""

from io import BytesIO

import numpy as np
import pytest
import soundfile

from harness.data.audio import read_audio
from harness.data.corpus import DamagedItem, item_notes

SOUND = np.clip(np.random.default_rng(0).normal(scale=0.15, size=8000), -0.9, 0.9)
FLOATS = [
    ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("WAVEX", "FLOAT"), ("RF64", "DOUBLE"), ("W64", "FLOAT"),
    ("AIFF", "FLOAT"), ("CAF", "DOUBLE"), ("AU", "FLOAT"), ("OGG", "VORBIS"),
]  # fmt: skip


def written(sound, subtype="FLOAT", form="WAV", rate=16_000):
    content = BytesIO()
    soundfile.write(content, sound, rate, subtype=subtype, format=form)
    return BytesIO(content.getvalue())


def read(*args, **options):
    """What is read of a sound, and the notes."""
    with item_notes() as notes:
        found = read_audio(written(*args, **options), convert=True)
    return found, notes


def refused(message, *args, **options):
    with pytest.raises(DamagedItem, match=message):
        read_audio(written(*args, **options), convert=True)


@pytest.mark.parametrize(("form", "subtype"), FLOATS)
def test_samples_on_the_scale_of_16_bits(form, subtype):
    message = r"samples up to [\d,]{6}: .* on the 16-bit scale; divide them by 32,768"
    refused(message, SOUND * 32768, subtype, form)
    refused(message, np.rint(np.stack([SOUND, SOUND], 1) * 32768), subtype, form, 48_000)


@pytest.mark.parametrize(("bits", "full"), [(24, "8,388,608"), (32, "2,147,483,648")])
def test_samples_on_other_scales_of_whole_numbers(bits, full):
    refused(f"on the {bits}-bit scale; divide them by {full}", SOUND * 2 ** (bits - 1), "DOUBLE")


def test_samples_on_no_scale():
    refused(r"up to \d\.\d+e\+34: .* no scale that is known", SOUND * 1e35, "DOUBLE")


@pytest.mark.parametrize("loud", [3, 30, 90])
def test_whole_numbers_are_on_a_scale_however_quiet(loud):
    refused("16-bit scale", np.rint(SOUND / 0.9 * loud))


@pytest.mark.parametrize("count", [1, 16, 79])
def test_a_few_samples_slightly_above_full_scale_are_clipped_and_counted(count):
    spoilt = SOUND.copy()
    spoilt[100 : 100 + count] = -1.25
    found, notes = read(spoilt)
    expected = np.rint(spoilt * 32768).clip(-32768, 32767)
    np.testing.assert_array_equal(found, expected)
    assert notes == [f"{count} of 8,000 samples were clipped, up to 1.9 dB above full scale"]


def test_many_samples_above_full_scale():
    spoilt = SOUND.copy()
    spoilt[100:181] = 1.25
    refused("81 of 8,000 samples above full scale, .* up to 1.25; divide them by 1.25$", spoilt)


def test_a_sound_far_above_full_scale():
    message = r"samples above full scale, .* up to 8; divide them by 8, or by 32,768 where"
    refused(message, SOUND / np.abs(SOUND).max() * 8)


def test_a_few_samples_far_above_full_scale():
    spoilt = SOUND.copy()
    spoilt[100] = 20_000
    refused("1 of 8,000 samples above full scale, .* up to 20,000; mend it, or leave it", spoilt)


@pytest.mark.parametrize("peak", [1.0, np.nextafter(np.float32(1), np.float32(2))])
def test_full_scale_itself_is_not_above_it(peak):
    found, notes = read(np.array([peak, -peak, 0.5, 0.25]), "DOUBLE")
    assert found.tolist() == [32767, -32768, 16384, 8192]
    assert notes == []


@pytest.mark.parametrize("channels", [1, 2])
def test_what_resampling_lifts_above_full_scale_is_counted(channels):
    wave = np.where(np.arange(44_100) // 60 % 2 == 0, 32_000, -32_000).astype(np.int16)
    found, (note,) = read(np.stack([wave] * channels, 1), "PCM_16", rate=44_100)
    assert found.max() == 32767
    clipped = int(note.split()[0].replace(",", ""))
    assert (found == 32767).sum() + (found == -32768).sum() >= clipped > 100
    assert "of 16,000 samples were clipped" in note


def test_channels_whose_mean_is_below_full_scale_are_not_clipped():
    spoilt = SOUND.copy()
    spoilt[10] = 1.5
    found, notes = read(np.stack([spoilt, np.zeros(8000)], 1))
    assert found[10] == 24576
    assert notes == []


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_loud_sound_of_a_lossy_codec_is_clipped_and_never_turned_over(subtype):
    rng = np.random.default_rng(0)
    loud = np.clip(3 * np.sin(np.arange(16_000) / 25) + rng.normal(scale=0.3, size=16_000), -1, 1)
    content = written(loud.astype(np.float32), subtype, "OGG")
    levels = soundfile.read(content, dtype="float32")[0]
    assert np.abs(levels).max() > 1.1
    content.seek(0)
    with item_notes() as notes:
        found = read_audio(content)
    assert (found[levels > 1.01] == 32767).all()
    assert (found[levels < -1.01] == -32768).all()
    assert np.abs(found - np.clip(levels * 32767, -32768, 32767)).max() <= 1
    assert "samples were clipped" in notes[0]


@pytest.mark.parametrize(("subtype", "bits"), [("PCM_32", 32), ("FLOAT", 31)])
def test_numbers_of_16_bits_that_are_lost_in_wider_samples(subtype, bits):
    refused(
        "has no sample above 1 of 32,768: numbers of 16 bits", SOUND / 2 ** (bits - 16), subtype
    )


def test_wide_samples_that_are_all_zeros():
    refused("is all zeros", np.zeros(100), "PCM_32")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_is_counted(number):
    spoilt = SOUND.copy()
    spoilt[7:10] = number
    refused("holds 3 numbers that are not finite", spoilt)
