"""Ranges of the sounds that a network was trained on, against which another sound is held."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from harness.data.corpus import SAMPLE_RATE, DamagedItem
from harness.datasets.listing import Listing
from harness.records.documents import digest, readable_json
from harness.records.files import read_text, write_text
from harness.use.sound_facts import SoundFacts, measure_sound

MEASURED = 100
"""Training items that are measured, evenly spaced over the list."""

VERSION = 1
"""Changes whenever the same items would give other ranges."""

MEASURES = ("seconds", "level_db", "range_db", "high_db")


class UsualRange(BaseModel):
    """The middle 98 % of a measure over training items; of seconds, all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float
    high: float


class TrainingSounds(BaseModel):
    """Ranges of training sounds, by the names of `SoundFacts`.

    Attributes:
        measured: how many items they were measured on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured: int
    seconds: UsualRange
    level_db: UsualRange
    range_db: UsualRange
    high_db: UsualRange


def training_sounds(listing: Listing, cache: Path) -> TrainingSounds:
    """Measure a dataset's training sounds; what was measured is kept.

    Args:
        listing: the dataset's lists.
        cache: folder of what is computed once.
    """
    path = cache / f"training-sounds-{digest([VERSION, listing.lock.manifest])[:12]}.json"
    if path.is_file():
        try:
            return TrainingSounds.model_validate_json(read_text(path))
        except ValidationError:
            path.unlink()
    found = _measure(listing)
    write_text(path, readable_json(found.model_dump(mode="json")))
    return found


def _measure(listing: Listing) -> TrainingSounds:
    items = listing.split_items("train")
    places = np.unique(np.linspace(0, len(items) - 1, MEASURED).round().astype(int))
    facts: list[SoundFacts] = []
    for item in items.iloc[places].itertuples():
        try:
            samples = listing.corpus.read(item, listing.folder)
        except DamagedItem:
            continue  # left out of the training too, or it had not begun
        facts.append(measure_sound(samples[:, None], SAMPLE_RATE))
    ranges = {name: _middle([getattr(each, name) for each in facts]) for name in MEASURES}
    told = items["seconds"][items["seconds"] > 0]
    if len(told):
        ranges["seconds"] = UsualRange(low=float(told.min()), high=float(told.max()))
    return TrainingSounds(measured=len(facts), **ranges)


def _middle(values: list[float]) -> UsualRange:
    low, high = np.percentile(values, [1, 99])
    return UsualRange(low=float(low), high=float(high))
