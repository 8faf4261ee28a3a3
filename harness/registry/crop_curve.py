"""EER against the length and the number of test crops: settings, points, the kept file.

Every test utterance is embedded in crops of each setting, on both sides of a trial, with the
weights that a record chose; the locked trials are judged as the record was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from harness.config.recipes import EvenCrops
from harness.records.documents import Part, digest
from harness.records.files import read_bytes
from harness.records.record import Metric, Record

CURVE = "test-crops.json"
"""File of the stage `evaluate` that keeps a curve."""

VERSION: Final = 1
"""Raised when the same weights and lists give another curve."""

LENGTHS = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)
"""Seconds of a crop that are tried, as far as most utterances of the test are longer."""

COUNTS = (1, 2, 4, 8)
"""Crops an utterance that are tried, all of one length."""

LONGER = 0.5
"""Share of the test utterances that a crop has to be shorter than."""


class CropPoint(Part):
    """The test judged by one setting of its crops.

    Attributes:
        seconds: of a crop; None for whole utterances.
        count: crops an utterance.
        longer: share of the utterances that are longer than a crop: the others stay whole.
        metric: the primary metric, with its interval over speakers.
    """

    seconds: float | None
    count: int
    longer: float
    metric: Metric


class CropCurve(Part):
    """A record's test by the length and by the number of its crops.

    Attributes:
        key: of what it rests on: weights, lists, rules, settings.
        points: whole utterances first.
    """

    version: Literal[1] = VERSION
    key: str
    points: tuple[CropPoint, ...] = Field(min_length=1)

    @property
    def by_length(self) -> list[CropPoint]:
        """One crop of each length, ascending, and whole utterances last."""
        single = [each for each in self.points if each.count == 1]
        return sorted(single, key=lambda each: each.seconds or float("inf"))

    @property
    def by_count(self) -> list[CropPoint]:
        """Each number of crops of the length that was tried with several, ascending."""
        several = {each.seconds for each in self.points if each.count > 1}
        return sorted((e for e in self.points if e.seconds in several), key=lambda e: e.count)


def find_crop_curve(folder: Path, record: Record) -> CropCurve | None:
    """Return the curve that is kept of a record; None if there is none, or it is of another.

    Args:
        folder: of the record's stage `evaluate`.
        record: the record.
    """
    path = folder / CURVE
    if not path.is_file():
        return None
    try:
        found = CropCurve.model_validate_json(read_bytes(path))
    except ValidationError:
        return None
    return found if found.key == crop_key(record) else None


def settings(
    seconds: NDArray[np.float64], is_long_enough: Callable[[float], bool]
) -> Iterator[EvenCrops | None]:
    """Yield the settings that a test is judged by: whole, one crop of each length, several crops.

    Several crops are of the longest length of which two fit the middle utterance.

    Args:
        seconds: of the test utterances, `[items]`.
        is_long_enough: whether the network can embed a crop of so many seconds.
    """
    yield None
    lengths = [
        length
        for length in LENGTHS
        if (seconds > length).mean() >= LONGER and is_long_enough(length)
    ]
    yield from (EvenCrops(seconds=length, count=1) for length in lengths)
    held = [length for length in lengths if 2 * length <= np.median(seconds)] or lengths[:1]
    yield from (EvenCrops(seconds=held[-1], count=count) for count in COUNTS[1:] if held)


def crop_key(record: Record) -> str:
    """Return a hash of what a curve rests on, but for the settings, which follow from it."""
    checkpoint = record.artefacts.get("checkpoint")
    return digest(
        {
            "version": VERSION,
            "checkpoint": checkpoint.sha256 if checkpoint else None,
            "lock": record.dataset.lock,
            "left_out": list(record.dataset.left_out),
            "protocol": record.protocol.digest,
            "model": record.model.model_dump(),
        }
    )
