"""Settings of the synthetic impacts: each changes what it says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.config.imports import construct
from harness.data.corpora.open_impacts import OpenImpacts
from harness.data.synthesis import impacts
from harness.data.synthesis.impact_settings import ImpactSettings
from harness.data.synthesis.struck_objects import impact_object
from harness.errors import ConfigError

SOUNDS = ["impact-0000-00", "impact-0130-01", "impact-0290-02"]


def made(sound: str, **settings: object) -> NDArray[np.float64]:
    return impacts.synthesise(sound, ImpactSettings(**settings)).astype(np.float64)  # type: ignore[arg-type]


def test_a_far_strike_is_quieter_and_a_near_one_is_as_it_was() -> None:
    for sound in SOUNDS:
        _, blow = impacts.blow(sound, ImpactSettings(distance=10))
        assert 1 < blow.distance < 10
        near, far = made(sound), made(sound, distance=10)
        assert np.abs(far).max() == pytest.approx(np.abs(near).max() / blow.distance, rel=0.25)
        assert np.array_equal(made(sound, distance=1), near)


def test_a_room_goes_on_where_a_dull_object_is_silent() -> None:
    late = slice(3200, 8000)  # of plastic, the modes of which are over after a few hundredths
    for sound in ("impact-0195-00", "impact-0200-01", "impact-0210-02"):
        thing, _ = impacts.blow(sound)
        assert thing.material == "plastic"
        dry, wet = made(sound, room_s=0.05), made(sound, room_s=2.0)
        assert np.abs(wet[late]).max() > 2 * np.abs(dry[late]).max()


def test_modes_stay_below_the_resonance() -> None:
    low = [impact_object(number, ImpactSettings(resonance_hz=1500)) for number in range(40)]
    assert max(thing.frequencies.max() for thing in low) <= 1500
    assert min(np.diff(thing.frequencies).min() for thing in low) > 0


def test_the_share_of_hard_sounds_and_what_a_corpus_tells_of_them() -> None:
    corpus = OpenImpacts(describe=True, hard=0.4)
    items = corpus.items("quick", Path())
    assert (items["difficulty"] != "plain").mean() == pytest.approx(0.37, abs=0.05)
    usual = OpenImpacts(describe=True).items("quick", Path())
    # Sounds that were hard stay so.
    hard = usual["difficulty"] != "plain"
    assert (items["difficulty"][hard] != "plain").all()
    assert 0.08 < hard.mean() < 0.2
    assert set(usual["distance"]) == {1.0}
    assert usual["force"].between(0.75 * np.exp(-1.4), 0.75).all()


def test_a_plain_corpus_has_the_columns_that_it_had() -> None:
    items = OpenImpacts().items("quick", Path())
    assert {"difficulty", "distance", "force"}.isdisjoint(items.columns)
    assert len(items) == 2040


def test_materials_are_the_classes() -> None:
    corpus = OpenImpacts(materials=("glass", "wood"))
    items = corpus.items("quick", Path())
    assert set(items["label"]) == {"glass", "wood"}
    every = impacts.sounds("quick")
    stone = str(every.loc[every["material"] == "stone", "id"].iloc[0])
    with pytest.raises(KeyError):
        impacts.synthesise(stone, corpus.settings)


@pytest.mark.parametrize(
    ("fields", "mend"),
    [
        ({"materials": ["glas"]}, "no 'glas'; did you mean 'glass'"),
        ({"materials": ["glass", "glass"]}, "name one at least, and each once"),
        ({"distance": 0.5}, "distance: give a number from 1 to 100"),
        ({"resonance_hz": 9000.0}, "resonance_hz: give a number from 1,000 to 7,500"),
        ({"hard": 0.6}, "hard: give a number from 0 to 0.5"),
        ({"room_s": 0.0}, "room_s: give a number from 0.05 to 2"),
        ({"rooms": 1}, "unknown key; did you mean 'room_s'"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_range(fields: dict[str, object], mend: str) -> None:
    with pytest.raises(ConfigError, match=mend):
        construct("harness.data.corpora.open_impacts:OpenImpacts", fields, "datasets.x")
