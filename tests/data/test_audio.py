"""Sound files are read whole, or refused with the reason."""

import re
from io import BytesIO

import numpy as np
import pytest
import soundfile

from harness.data.audio import read_audio
from harness.data.corpus import DamagedItem, ItemNote

SAMPLES = np.rint(np.random.default_rng(0).normal(scale=3000, size=16_000)).astype(np.int16)


@pytest.fixture
def write(tmp_path):
    def write(samples=SAMPLES, rate=16_000, ending="flac", subtype="PCM_16"):
        path = tmp_path / f"sound.{ending}"
        soundfile.write(path, samples, rate, subtype)
        return path

    return write


def refused(path, message, seconds=None):
    with pytest.raises(DamagedItem, match=message):
        read_audio(path, seconds)


@pytest.mark.parametrize("ending", ["flac", "wav"])
@pytest.mark.parametrize("seconds", [None, 1.0, 0.985, 1.015])
def test_samples_come_back_exactly(write, ending, seconds):
    read = read_audio(write(ending=ending), seconds)
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, SAMPLES)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_floating_point_files_are_scaled(write, subtype):
    read = read_audio(write(SAMPLES / 32768, ending="wav", subtype=subtype))
    np.testing.assert_array_equal(read, SAMPLES)


def test_floating_point_files_beyond_full_scale_are_clipped(write):
    with pytest.warns(ItemNote, match="2 of 4 samples were clipped"):
        read = read_audio(write(np.array([2.0, -2.0, 0.5, 0.0]), ending="wav", subtype="FLOAT"))
    assert read.tolist() == [32767, -32768, 16384, 0]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("convert", [False, True])
def test_numbers_that_are_not_finite(write, number, convert):
    path = write(np.array([0.5, number, 0.5]), ending="wav", subtype="FLOAT")
    with pytest.raises(DamagedItem, match="not finite"):
        read_audio(path, convert=convert)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_truncated_flac(write, share):
    path = write()
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path, r"cannot be decoded|is truncated")


def test_a_truncated_wav_lacks_what_its_header_announces(write):
    path = write(ending="wav")
    path.write_bytes(path.read_bytes()[:16_044])
    refused(path, "is truncated: 16,000 of 32,000 bytes are missing", seconds=1.0)


def test_a_wav_written_to_a_pipe_says_no_size(write):
    path = write(ending="wav")
    content = bytearray(path.read_bytes())
    for unknown in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        content[4:8] = content[40:44] = unknown.to_bytes(4, "little")
        path.write_bytes(content)
        np.testing.assert_array_equal(read_audio(path), SAMPLES)


@pytest.mark.parametrize(("seconds", "said"), [(0.9, "0.90"), (1.1, "1.10")])
def test_a_duration_unlike_the_manifests(write, seconds, said):
    refused(write(), rf"lasts 1\.00 s; the manifest says {said} s", seconds)


def test_an_absent_file(tmp_path):
    refused(tmp_path / "none.flac", "no such file")
    refused(tmp_path, "no such file")


def test_an_empty_file(tmp_path):
    (tmp_path / "empty.flac").touch()
    refused(tmp_path / "empty.flac", r"empty \(0 bytes\)")


def test_a_header_without_samples(write):
    refused(write(SAMPLES[:0], ending="wav"), "holds no samples")


def test_stereo(write):
    refused(write(np.stack([SAMPLES, SAMPLES], axis=1)), "has 2 channels; mono is wanted")


def test_another_sample_rate(write):
    refused(write(rate=8_000), re.escape("has 8000 Hz; 16000 Hz is wanted"))


def test_silence(write):
    refused(write(np.zeros(16_000, np.int16)), "is all zeros")


def test_a_text_file_with_a_sound_files_name(tmp_path):
    (tmp_path / "text.flac").write_text("not a sound\n" * 100)
    refused(tmp_path / "text.flac", "cannot be decoded")


def test_the_mend_of_a_wrong_format_is_named(write):
    refused(write(rate=8_000), "set `convert = true`")
    refused(write(np.stack([SAMPLES, SAMPLES], axis=1)), "set `convert = true`")


@pytest.mark.parametrize(("ending", "subtype"), [("flac", "PCM_16"), ("wav", "PCM_16")])
def test_channels_are_mixed_by_their_mean(write, ending, subtype):
    other = SAMPLES[::-1]
    read = read_audio(
        write(np.stack([SAMPLES, other], axis=1), ending=ending, subtype=subtype), convert=True
    )
    expected = np.rint((SAMPLES.astype(float) + other) / 2).astype(np.int16)
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("ending", ["flac", "wav"])
def test_a_tone_of_another_rate_is_the_same_tone(write, rate, ending):
    """Against the tone computed at 16 kHz: independent of any resampler."""
    tone = [np.rint(9000 * np.sin(2 * np.pi * 440 * np.arange(r) / r)) for r in (rate, 16_000)]
    read = read_audio(write(tone[0].astype(np.int16), rate, ending), 1.0, convert=True)
    inner = slice(800, -800)
    assert len(read) == 16_000
    assert np.abs(read - tone[1])[inner].max() < 40


def test_what_needs_no_conversion_is_not_touched_by_it(write):
    np.testing.assert_array_equal(read_audio(write(), convert=True), SAMPLES)


@pytest.mark.parametrize("rate", [1, 500, 2**31 - 1])
def test_a_rate_that_nobody_records_with(write, rate):
    path = write(ending="wav")
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    content[28:32] = (rate * 2 % 2**32).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DamagedItem, match=r"nobody records with|cannot be decoded"):
        read_audio(path, convert=True)


@pytest.mark.parametrize("ending", ["flac", "wav"])
@pytest.mark.parametrize(
    ("span", "part"),
    [
        ((0.0, 0.5), slice(0, 8000)),
        ((0.25, 0.75), slice(4000, 12_000)),
        ((0.9, None), slice(14_400, None)),
        ((0.5, 1.01), slice(8000, None)),
    ],
)
def test_a_part_of_a_recording(write, ending, span, part):
    np.testing.assert_array_equal(read_audio(write(ending=ending), span=span), SAMPLES[part])


@pytest.mark.parametrize("span", [(0.0, 1.5), (1.2, None), (0.5, 0.5), (-0.1, 0.5)])
def test_a_part_that_is_not_there(write, span):
    with pytest.raises(DamagedItem, match=r"lasts 1\.00 s; the part from"):
        read_audio(write(), span=span)


def test_open_content_is_read_as_a_file_is(write):
    for ending in ("flac", "wav"):
        content = write(ending=ending).read_bytes()
        np.testing.assert_array_equal(read_audio(BytesIO(content)), SAMPLES)
    with pytest.raises(DamagedItem, match=r"empty \(0 bytes\)"):
        read_audio(BytesIO(b""))


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("name", ["sound.flac", "sound.wav", "sound.raw", "sound"])
def test_content_counts_not_the_name(tmp_path, subtype, name):
    with (tmp_path / name).open("wb") as file:
        soundfile.write(file, SAMPLES, 16_000, subtype, format="FLAC")
    kept = {"PCM_S8": SAMPLES >> 8 << 8}.get(subtype, SAMPLES)
    np.testing.assert_array_equal(read_audio(tmp_path / name), kept)


def test_an_id3_tag_before_a_flac(write):
    path = write()
    tag = b"ID3\x03\x00\x00\x00\x00\x01\x00" + bytes(128)
    content = tag + path.read_bytes()
    path.write_bytes(content)
    np.testing.assert_array_equal(read_audio(path), SAMPLES)
    begin = len(tag) + 26
    path.write_bytes(content[:begin] + bytes(15) + b"x" + content[begin + 16 :])
    refused(path, "not those of its own MD5")


def test_a_flac_without_a_checksum(write):
    path = write()
    content = path.read_bytes()
    path.write_bytes(content[:26] + bytes(16) + content[42:])
    np.testing.assert_array_equal(read_audio(path), SAMPLES)


def without_length(path, keep_sum=False):
    """A FLAC file as it is written to a pipe: neither length nor checksum are known."""
    content = bytearray(path.read_bytes())
    facts = int.from_bytes(content[18:26], "big") >> 36 << 36
    content[18:26] = facts.to_bytes(8, "big")
    content[26:42] = content[26:42] if keep_sum else bytes(16)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("keep_sum", [True, False])
@pytest.mark.parametrize("length", [1, 4096, 16_000])
def test_a_flac_whose_header_tells_no_length(write, length, keep_sum):
    path = without_length(write(SAMPLES[:length]), keep_sum)
    np.testing.assert_array_equal(read_audio(path), SAMPLES[:length])
    np.testing.assert_array_equal(read_audio(BytesIO(path.read_bytes())), SAMPLES[:length])


def test_a_part_of_a_flac_whose_header_tells_no_length(write):
    path = without_length(write())
    np.testing.assert_array_equal(read_audio(path, span=(0.25, 0.75)), SAMPLES[4000:12_000])
    np.testing.assert_array_equal(read_audio(path, span=(0.9, None)), SAMPLES[14_400:])
    with pytest.raises(DamagedItem, match=r"lasts 1\.00 s; the part from"):
        read_audio(path, span=(0.5, 1.5))


def test_a_flac_without_length_of_another_rate_is_converted(write):
    stereo = np.stack([SAMPLES, SAMPLES[::-1]], axis=1)
    path = write(stereo, rate=48_000)
    whole = read_audio(path, convert=True)
    np.testing.assert_array_equal(read_audio(without_length(path), convert=True), whole)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.95])
def test_a_damaged_flac_whose_header_tells_no_length(write, share):
    path = without_length(write())
    content = path.read_bytes()
    place = int(share * len(content))
    path.write_bytes(content[:place])
    refused(path, "cannot be decoded")
    path.write_bytes(content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :])
    refused(path, "cannot be decoded")


def test_a_flac_without_length_is_held_against_its_checksum(write):
    path = without_length(write(), keep_sum=True)
    content = bytearray(path.read_bytes())
    content[30] ^= 1
    path.write_bytes(content)
    refused(path, "not those of its own MD5")


def test_a_flac_whose_header_tells_another_rate_than_its_frames(write):
    path = write(rate=8_000)
    content = bytearray(path.read_bytes())
    facts = int.from_bytes(content[18:26], "big") & ((1 << 44) - 1)
    content[18:26] = (facts | 16_000 << 44).to_bytes(8, "big")
    path.write_bytes(content)
    refused(path, "16000 Hz there, 8000 Hz in its frames")
