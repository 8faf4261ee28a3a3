"""The corpus ``open-26666``: its lists, its bytes, and whether it is hard."""

import hashlib
import subprocess
import sys
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import fft
from sklearn.metrics import roc_curve

from harness.config.tables import Profile
from harness.data.synthesis.speech import SAMPLE_RATE, synthesise, trials, utterances

FULL = utterances("full")
QUICK = utterances("quick")
Evaluated = Literal["validation", "test"]
COLUMNS = ["id", "speaker", "session", "gender", "split", "seconds"]
PINNED = {
    "quick": "aaf5170059eac128",
    "full": "6cb3131ff639c790",
    "trials": "b33801067cf5b0ff",
    "spk0002-s1-000": "601fab136bc98c3a",
    "spk0009-s1-008": "272e76654e83a9f5",
    "spk0499-s1-052": "4121cfe258150ab9",
    "spk0087-s2-009": "c5f5ea873aa8fa71",
}


def digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def audio(name: str) -> NDArray[np.int16]:
    return synthesise(name)


@cache
def some() -> list[str]:
    """A few test utterances: six of each of fourteen speakers of quick, half of them women."""
    test = QUICK[QUICK["split"] == "test"]
    speakers = test.drop_duplicates("speaker").groupby("gender")["speaker"].head(7)
    return list(test[test["speaker"].isin(speakers)]["id"])


def test_the_count_is_exact_and_names_are_unique() -> None:
    assert list(FULL.columns) == COLUMNS
    assert len(FULL) == FULL["id"].nunique() == 26_666
    assert 36 < FULL["seconds"].sum() / 3600 < 38


@pytest.mark.parametrize("table", [FULL, QUICK], ids=["full", "quick"])
def test_splits_share_no_speaker_and_genders_balance(table: pd.DataFrame) -> None:
    assert (table.groupby("speaker")["split"].nunique() == 1).all()
    assert (table.groupby("speaker")["gender"].nunique() == 1).all()
    people = table.drop_duplicates("speaker").groupby(["split", "gender"]).size().unstack()
    assert (people["f"] == people["m"]).all()


def test_speakers_have_two_to_four_sessions_of_two_to_eight_seconds() -> None:
    assert set(FULL.groupby("speaker")["session"].nunique()) == {2, 3, 4}
    assert FULL["seconds"].between(2, 8).all()
    assert (FULL["session"].str[:7] == FULL["speaker"]).all()


def test_quick_is_a_fixed_part_of_full() -> None:
    assert QUICK.merge(FULL, on=COLUMNS).shape == QUICK.shape
    counts = QUICK.groupby("split")[["id", "speaker"]].nunique()
    assert counts.T.to_dict("list") == {
        "train": [1000, 40],
        "validation": [120, 20],
        "test": [384, 64],
    }
    assert (QUICK.groupby("speaker")["session"].nunique() >= 2).all()
    assert QUICK[QUICK["split"] == "test"]["seconds"].max() <= 4
    assert digest(QUICK["id"].tolist()) == PINNED["quick"]
    assert digest(FULL["id"].tolist()) == PINNED["full"]


def test_tables_are_copies() -> None:
    mine = utterances("quick")
    mine["speaker"] = "nobody"
    assert utterances("quick")["speaker"].nunique() == 124


@pytest.mark.parametrize("profile", ["quick", "full"])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_trials_have_the_right_labels(profile: Profile, split: Evaluated) -> None:
    table = utterances(profile)
    known = table[table["split"] == split].set_index("id")
    pairs = trials(profile, split)
    left, right = (known.loc[pairs[side]].reset_index() for side in ("enrol", "test"))
    assert not pairs.duplicated(["enrol", "test"]).any()
    assert (left["id"] != right["id"]).all()
    same = {name: left[name] == right[name] for name in ("speaker", "session", "gender")}
    assert (pairs["target"] == same["speaker"]).all()
    target = np.where(same["session"], "target same-session", "target cross-session")
    other = np.where(same["gender"], "nontarget same-gender", "nontarget cross-gender")
    assert (pairs["kind"] == np.where(same["speaker"], target, other)).all()


def test_trial_lists_are_pinned() -> None:
    quick, full = trials("quick", "test"), trials("full", "test")
    assert (quick["target"].sum(), (~quick["target"]).sum()) == (960, 20_000)
    assert (len(trials("quick", "validation")), len(full)) == (5_300, 300_000)
    assert digest((quick["enrol"] + quick["test"]).tolist()) == PINNED["trials"]


def test_synthesis_is_pinned() -> None:
    for name in [name for name in PINNED if name.startswith("spk")]:
        assert hashlib.sha256(audio(name).tobytes()).hexdigest()[:16] == PINNED[name]


def test_same_bytes_twice_and_in_a_fresh_process() -> None:
    name = some()[3]
    code = (
        "import hashlib; from harness.data.synthesis.speech import synthesise as s;"
        f"import sys; sys.stdout.write(hashlib.sha256(s({name!r}).tobytes()).hexdigest())"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = {hashlib.sha256(synthesise(name).tobytes()).hexdigest() for _ in range(2)}
    assert here == {fresh.stdout}


def test_samples_are_as_long_as_told_neither_silent_nor_clipped() -> None:
    seconds = QUICK.set_index("id")["seconds"]
    for name in some():
        samples = audio(name)
        assert samples.dtype == np.int16
        assert len(samples) / SAMPLE_RATE == seconds[name]
        assert np.sqrt(np.mean(samples.astype(np.float64) ** 2)) > 300
        assert np.mean(np.abs(samples.astype(np.int64)) >= 32_767) < 1e-4


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError):
        synthesise("spk9999-s1-000")


def cepstra(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Mean and deviation [40] of 20 cepstra of 40 bands between 0 and 8 kHz."""
    frames = np.lib.stride_tricks.sliding_window_view(samples / 32_768, 400)[::160]
    power = np.abs(fft.rfft(frames * np.hanning(400), 512)) ** 2
    mel = 2595 * np.log10(1 + np.arange(257) * 31.25 / 700)
    centres = np.linspace(0, mel[-1], 42)
    slope = (mel[:, None] - centres) / centres[1]
    bands = np.log(power @ np.clip(1 - np.abs(slope[:, 1:-1]), 0, None) + 1e-8)
    values = fft.dct(bands, norm="ortho", axis=1)[:, :20]
    return np.concatenate([values.mean(axis=0), values.std(axis=0)])


def test_cepstral_averages_do_not_solve_it() -> None:
    names = some()
    rows = np.stack([cepstra(audio(name)) for name in names])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first, second = np.triu_indices(len(names), 1)
    speaker = np.array([name[:7] for name in names])
    scores = (rows[first] * rows[second]).sum(axis=1)
    false_alarms, hits, _ = roc_curve(speaker[first] == speaker[second], scores)
    misses = 1 - hits
    place = np.argmin(np.abs(false_alarms - misses))
    assert 0.12 < (false_alarms[place] + misses[place]) / 2 < 0.45
