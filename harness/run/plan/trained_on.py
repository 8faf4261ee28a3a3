"""What a checkpoint made elsewhere was trained on, held against the test split it is judged by."""

from __future__ import annotations

from collections.abc import Iterable

from harness.config.loader import LoadedBenchmark
from harness.data.item_names import clean_name, strip_name
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.listing import Listing, list_dataset
from harness.errors import RequestError
from harness.run.job.join import ELSEWHERE

MADE = "its weights were made elsewhere;"
"""How a note begins that tells whether they had seen the test split."""


def parse_trained_on(text: str | None) -> tuple[str, ...] | None:
    """Read `--trained-on NAME[,NAME]`; None where nobody tells.

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


def held_apart(loaded: LoadedBenchmark, names: Iterable[str], tested: Listing) -> tuple[str, ...]:
    """Of what a checkpoint was trained on, the datasets that share nobody with a test split.

    Only datasets of the benchmark that are here can be held against it, and of these only those
    of the same corpus: a name of another corpus is another person.

    Args:
        loaded: the benchmark.
        names: datasets of the benchmark, or free text.
        tested: the dataset that it is judged on.

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


def told_notes(
    notes: tuple[str, ...], trained_on: tuple[str, ...] | None, apart: tuple[str, ...], unit: str
) -> tuple[str, ...]:
    """A row's notes, where it could be checked what its weights have seen.

    Args:
        notes: the row's.
        trained_on: all that the weights were trained on; None where nobody tells.
        apart: those of it that share nobody with the test split.
        unit: what is resampled.
    """
    if trained_on is None:
        return notes
    others = tuple(note for note in notes if note != ELSEWHERE and not note.startswith(MADE))
    if set(apart) != set(trained_on):
        return (*others, ELSEWHERE)
    return (*others, f"{MADE} no {unit} that {' or '.join(apart)} trains on is tested")


def _training_units(loaded: LoadedBenchmark, name: str, tested: Listing) -> set[str] | None:
    """Units that a dataset trains on; None where they cannot be held against those of another."""
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
