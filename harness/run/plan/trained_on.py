"""Compare the training data of a checkpoint made elsewhere with the test split it is judged on."""

from __future__ import annotations

from collections.abc import Iterable

from harness.config.loader import LoadedBenchmark
from harness.data.names import clean_name, strip_name
from harness.datasets.finding import find
from harness.datasets.listed import list_dataset
from harness.datasets.listing import Listing
from harness.datasets.locate import Absence
from harness.errors import RequestError
from harness.run.job.record_writing import FOREIGN_WEIGHTS

MADE = "its weights were made elsewhere;"
"""The beginning of notes about the test split and the training data of weights."""


def parse_trained_on(text: str | None) -> tuple[str, ...] | None:
    """Read `--trained-on NAME[,NAME]`; return None if it is not given.

    Raises:
        RequestError: it names nothing.
    """
    if text is None:
        return None
    parts = map(strip_name, text.split(","))
    names = tuple(dict.fromkeys(part for part in parts if part))
    if not names:
        raise RequestError("--trained-on: name a corpus, as in --trained-on 'VoxCeleb2 dev'")
    return names


def disjoint_datasets(
    loaded: LoadedBenchmark, names: Iterable[str], tested: Listing
) -> tuple[str, ...]:
    """Return the training datasets of a checkpoint that share no unit with a test split.

    Only datasets of the benchmark that are here can be compared, and of these only those of the
    same corpus: a name of another corpus is another person.

    Args:
        loaded: the benchmark.
        names: datasets of the benchmark, or free text.
        tested: the dataset that the checkpoint is judged on.

    Raises:
        RequestError: one of them trains on units that are tested.
    """
    apart = []
    for name in names:
        trained = _training_units(loaded, name, tested)
        if trained is None:
            continue
        test = _units(tested, "test")
        both, unit = sorted(trained & test), tested.corpus.unit
        if both:
            raise RequestError(
                f"{tested.name}: {len(both)} of its {len(test)} test {unit}s are among those that "
                f"{name} trains on, as {both[0]!r} is; such a row would say nothing. Evaluate the "
                "checkpoint on a dataset whose test it has not seen"
            )
        apart.append(name)
    return tuple(apart)


def training_notes(
    notes: tuple[str, ...], trained_on: tuple[str, ...] | None, apart: tuple[str, ...], unit: str
) -> tuple[str, ...]:
    """Return a row's notes with the one about the training data of its weights.

    Args:
        notes: the row's.
        trained_on: all data that the weights were trained on; None if it is not known.
        apart: the datasets among it that share no unit with the test split.
        unit: the resampling unit.
    """
    if trained_on is None:
        return notes
    others = tuple(note for note in notes if note != FOREIGN_WEIGHTS and not note.startswith(MADE))
    if set(apart) != set(trained_on):
        return (*others, FOREIGN_WEIGHTS)
    return (*others, f"{MADE} no {unit} that {' or '.join(apart)} trains on is tested")


def _training_units(loaded: LoadedBenchmark, name: str, tested: Listing) -> set[str] | None:
    """Return the units that a dataset trains on; None if these cannot be compared."""
    if name not in loaded.benchmark.datasets and loaded.fold(name) is None:
        return None
    units: set[str] = set()
    for part in loaded.parts(name):
        if isinstance(find(loaded, part), Absence):
            return None
        listing = list_dataset(loaded, part, tested.profile)
        if (type(listing.corpus), listing.folder) != (type(tested.corpus), tested.folder):
            return None
        units |= _units(listing, "train")
    return units


def _units(listing: Listing, split: str) -> set[str]:
    return {clean_name(unit) for unit in set(listing.split_items(split)["unit"])}
