"""Sounds too short for what is to judge them are named and counted as damage is."""

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harness.adapter import Fbank, Spectrogram, TfMel
from harness.config.loader import load
from harness.datasets.dataset import open_dataset
from harness.datasets.inventory import check_dataset_files
from harness.datasets.lengths import (
    Need,
    every_need,
    frame_count,
    samples_for,
    too_short,
)
from harness.datasets.listing import list_dataset
from harness.datasets.lock import read_lock
from harness.errors import DataError

SUITE = """
[models.{name}]
adapter = "adapters.{network}"

[losses.softmax]
adapter = "adapters.losses:Softmax"

[recipes.r]
steps = 1

[suites.s]
title = "S"
task = "{task}"
datasets = ["tiny"]
models = ["{name}"]
losses = ["softmax"]
profiles.quick.recipe = "r"
"""


@pytest.fixture
def judged(loaded):
    """The tiny corpus in a suite with a network of sixteen frames, 0.175 s; `u` is shorter."""

    def judge(network="wespeaker:XVector", task="harness.tasks.verification:Verification"):
        before = loaded.path.read_text().partition("\n[models")[0]
        suite = SUITE.format(name="net", network=network, task=task)
        loaded.path.write_text(f"{before}\n{suite}")
        return load(loaded.path)

    return judge


@pytest.fixture
def short(speech):
    """The first utterance is 2,000 samples long: 11 frames."""
    samples = np.random.default_rng(0).integers(-999, 999, 2000).astype(np.int16)
    soundfile.write(speech / "a" / "a1.wav", samples, 16_000, "PCM_16")
    path = speech / "manifest.tsv"
    path.write_text(path.read_text().replace("a/a1.wav\t0.310", "a/a1.wav\t0.125"))


def checked(benchmark):
    cache = benchmark.folder / "cache"
    return check_dataset_files(benchmark, "tiny", "quick", cache, lambda _: abs, workers=1)


@given(
    st.integers(1, 60),
    st.sampled_from([Fbank, Spectrogram, TfMel]),
    st.sampled_from([(25.0, 10.0), (20.0, 8.0), (32.0, 16.0)]),
)
def test_the_least_sound_has_the_least_frames_and_one_sample_less_has_not(frames, kind, frame):
    declared = kind(least_frames=frames, frame_length_ms=frame[0], frame_shift_ms=frame[1])
    samples = Need("net", declared).samples
    assert samples == samples_for(declared, frames)
    assert frame_count(declared, samples) == frames
    assert frame_count(declared, samples - 1) == frames - 1


def test_the_most_demanding_decides_and_is_named():
    needs = [Need("mild", Fbank()), Need("a", Fbank(least_frames=9)), Need("b", Fbank(bins=3))]
    lengths = np.array([0, 399, 400, Need("net", Fbank(least_frames=9)).samples - 1, 1680, 9999])
    found = too_short(lengths, needs)
    assert set(found) == {1, 2, 3}
    assert found[2] == "too short: 0.025 s, 1 frame; a needs 9 frames (0.105 s)"
    assert set(too_short(lengths, needs[:1] + needs[2:])) == {1}
    assert too_short(lengths, []) == {}
    both = too_short(lengths, [needs[1], Need("c", Spectrogram(least_frames=9))])
    assert "a and c need 9 frames" in both[1]


def test_what_suites_ask_of_a_dataset(judged):
    needs = {need.who: need for need in every_need(judged(), "tiny")}
    assert needs["net"].least == "16 frames (0.175 s)"
    assert needs["MFCC statistics"].least == "1 frame (0.025 s)"
    pictures = every_need(judged("timm:Timm"), "tiny")
    assert [need.who for need in pictures] == ["MFCC statistics"]


def test_an_adapter_that_cannot_be_made_is_left_to_its_job(judged):
    assert [need.who for need in every_need(judged("wespeaker:NoSuchNetwork"), "tiny")] == [
        "MFCC statistics"
    ]


def test_an_item_too_short_for_a_suite_is_counted_and_the_content_pinned(judged, short):
    found = checked(judged())
    (damage,) = found.damaged
    assert damage["id"] == "a1"
    assert damage["reason"] == "too short: 0.125 s, 11 frames; net needs 16 frames (0.175 s)"
    assert "1 of 24 items cannot be used" in found.report
    assert "--leave-out-damaged" in found.report
    assert found.lock == "pinned now"
    assert read_lock(judged().lock_path).datasets["tiny/quick"].content
    assert checked(judged("wespeaker:ResNet34")).damaged == []


def test_a_short_item_stops_a_run_unless_it_is_left_out(judged, short):
    benchmark = judged()
    needs = every_need(benchmark, "tiny")
    listing = list_dataset(benchmark, "tiny", "quick", needs)
    with pytest.raises(DataError, match=r"a1\.wav \(line 3\): too short: .* net needs 16 frames"):
        open_dataset(benchmark, listing, benchmark.folder / "cache")
    opened = open_dataset(benchmark, listing, benchmark.folder / "cache", leave_out_damaged=True)
    assert opened.left_out == ("a1",)
    plain = list_dataset(benchmark, "tiny", "quick")
    assert open_dataset(benchmark, plain, benchmark.folder / "cache").lock == opened.lock


def test_below_one_frame_even_the_baseline_has_nothing(judged, speech, short):
    samples = np.random.default_rng(0).integers(-999, 999, 399).astype(np.int16)
    soundfile.write(speech / "a" / "a1.wav", samples, 16_000, "PCM_16")
    path = speech / "manifest.tsv"
    path.write_text(path.read_text().replace("a/a1.wav\t0.125", "a/a1.wav\t0.0249"))
    (damage,) = checked(judged("wespeaker:NoSuchNetwork")).damaged
    assert "0 frames; MFCC statistics needs 1 frame (0.025 s)" in damage["reason"]
