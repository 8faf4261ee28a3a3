"""Sound files are read whole, or refused with the reason."""

import re

import numpy as np
import pytest
import soundfile

from harness.data.audio import read_audio
from harness.data.corpus import DamagedItem

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
    read = read_audio(write(np.array([2.0, -2.0, 0.5, np.nan]), ending="wav", subtype="FLOAT"))
    assert read.tolist() == [32767, -32768, 16384, 0]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9])
def test_a_truncated_flac(write, share):
    path = write()
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(path, r"cannot be decoded|is truncated")


def test_a_truncated_wav_is_shorter_than_its_line_says(write):
    path = write(ending="wav")
    path.write_bytes(path.read_bytes()[:16_044])
    refused(path, r"lasts 0\.50 s; the manifest says 1\.00 s", seconds=1.0)


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
