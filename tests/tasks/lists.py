"""Small lists with everything that a corpus may tell of its items."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from harness.trials.index import Models, TrialIndex

GENRES = ("movie", "singing", "speech")


def items_told(speakers: int = 12, each: int = 6, seed: int = 0) -> pd.DataFrame:
    """Items of speakers of two genders, in sessions, genres and lengths of their own."""
    generator = np.random.Generator(np.random.PCG64(seed))
    unit = np.repeat(np.arange(speakers), each)
    count = len(unit)
    genre = generator.choice([*GENRES, ""], size=count)
    return pd.DataFrame(
        {
            "id": [f"i{number:03}" for number in range(count)],
            "unit": [f"s{number:02}" for number in unit],
            "label": [f"s{number:02}" for number in unit],
            "seconds": generator.choice([0.0, 1.0, 1.9, 2.0, 4.0, 5.0, 9.9, 10.0, 30.0], count),
            "source": "",
            "line": 0,
            "split": "test",
            "gender": np.where(unit % 2, "f", "m"),
            "session": [f"{number}" for number in np.tile(np.arange(each) // 2, speakers)],
            "genre": genre,
            "words": [f"what was said {number}" for number in range(count)],
        }
    )


def pairs(items: pd.DataFrame) -> TrialIndex:
    """All pairs of items."""
    enrol, test = np.array(list(itertools.combinations(range(len(items)), 2))).T
    unit = items["unit"].to_numpy()
    target = unit[enrol] == unit[test]
    return TrialIndex(enrol, test, target, np.where(target, "target", "nontarget"))


def against_models(items: pd.DataFrame, each: int = 3) -> TrialIndex:
    """A model a speaker, of the first items of each; all others are tested against all."""
    unit = items["unit"].to_numpy(str)
    names, owner = np.unique(unit, return_inverse=True)
    place = items.groupby("unit").cumcount().to_numpy()
    enrolled, tested = np.flatnonzero(place < each), np.flatnonzero(place >= each)
    models = Models(names, owner[enrolled].astype(np.int64), enrolled)
    enrol, test = (side.ravel() for side in np.meshgrid(np.arange(len(names)), tested))
    target = names[enrol] == unit[test]
    return TrialIndex(enrol, test, target, items["genre"].to_numpy(str)[test], models)


def scores_of(trials: TrialIndex, seed: int = 0, distance: float = 1.5) -> np.ndarray:
    """Normal scores in steps, so that some are tied; targets lie higher."""
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = generator.normal(size=len(trials)) + distance * trials.target
    return np.round(drawn, 2).astype(np.float32)
