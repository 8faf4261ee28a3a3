"""Finds the reader and the folder of a dataset on this machine, or says where it was searched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.config.datasets import Dataset
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark
from harness.data.corpus import Corpus, InParts
from harness.errors import ConfigError, CorpusAbsent

ROOT_VARIABLE = "HARNESS_DATA"

T = TypeVar("T")


@dataclass(frozen=True)
class Absence:
    """A corpus that is not on this machine.

    Attributes:
        dataset: its name.
        looked: the folders that were searched.
        source: where it can be had from.
        mend: advice for a person.
    """

    dataset: str
    looked: tuple[str, ...]
    source: str
    mend: str = (
        f"Set ${ROOT_VARIABLE} to the folder that holds it, or give its path in the benchmark file."
    )

    def message(self) -> str:
        """Return one paragraph for a person."""
        looked = ", ".join(self.looked)
        source = f" Get it from {self.source}." if self.source else ""
        return f"{self.dataset} is not on this machine: looked for {looked}.{source} {self.mend}"


def require(found: T | Absence) -> T:
    """Return a result of a search that is no absence.

    Raises:
        CorpusAbsent: it is an absence; the message says where the corpus was searched.
    """
    if isinstance(found, Absence):
        raise CorpusAbsent(found.message())
    return found


def absence_lines(absent: Sequence[Absence]) -> list[str]:
    """Return a line for each absent dataset, then each mend once."""
    lines = []
    for each in absent:
        source = f"; get it from {each.source}" if each.source else ""
        lines.append(f"absent: {each.dataset}: looked for {', '.join(each.looked)}{source}")
    return lines + list(dict.fromkeys(each.mend for each in absent))


def find(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """Find a dataset's reader and folder, all parts of the corpus and its frozen list included."""
    found, frozen = find_corpus(loaded, name), loaded.dataset(name).frozen
    if isinstance(found, Absence) or frozen is None or list_path(loaded, frozen):
        return found
    mend = f"Its corpus is here: `harness data freeze {name}` makes the list, by the file's rule."
    return Absence(name, (str(loaded.folder / frozen),), "", mend)


def find_corpus(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """Find a dataset's reader and folder; the list of a frozen subset may be missing."""
    found = find_folder(loaded, name)
    if isinstance(found, Absence) or not isinstance(found[0], InParts):
        return found
    missing = found[0].missing(found[1])
    if missing is None:
        return found
    looked = tuple(map(str, missing.folders))
    return Absence(name, looked, loaded.dataset(name).source, missing.mend)


def find_folder(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """Find a dataset's reader and folder; parts of the corpus may be missing in it."""
    config, corpus, table = loaded.dataset(name), make_corpus(loaded, name), _table(loaded, name)
    if not corpus.needs_folder:
        return corpus, loaded.folder
    if not config.path:
        where = loaded.where("datasets", table)
        raise ConfigError(f"{where}.path: missing; give the folder that holds the corpus")
    place = locate(table, config, loaded.folder)
    return place if isinstance(place, Absence) else (corpus, place)


def make_corpus(loaded: LoadedBenchmark, name: str) -> Corpus:
    """Make the reader of a dataset, or of a fold's; nothing is looked for yet."""
    config, where = loaded.dataset(name), loaded.where("datasets", _table(loaded, name))
    made: Corpus = construct(config.adapter, config.fields, where, Dataset.model_fields)
    return made


def _table(loaded: LoadedBenchmark, name: str) -> str:
    """Return the name of a dataset's table in the benchmark file: all folds share one."""
    fold = loaded.fold(name)
    return fold.of if fold else name


def locate(name: str, dataset: Dataset, folder: Path) -> Path | Absence:
    """Find a dataset's folder.

    Args:
        name: the dataset's name.
        dataset: its table.
        folder: the benchmark file's folder.
    """
    path, root = Path(dataset.path).expanduser(), os.environ.get(ROOT_VARIABLE)
    places = [path] if path.is_absolute() else [folder / path]
    if root and not path.is_absolute():
        places.insert(0, Path(root).resolve() / path)
    for place in places:
        if place.is_dir():
            return place
    looked = [str(place) for place in places]
    if ROOT_VARIABLE not in os.environ and not Path(dataset.path).is_absolute():
        looked.append(f"${ROOT_VARIABLE}/{dataset.path} (${ROOT_VARIABLE} is not set)")
    return Absence(name, tuple(looked), dataset.source)


def list_path(loaded: LoadedBenchmark, frozen: str) -> Path | None:
    """Return the path of a frozen subset's list; None if it is not there."""
    paths = (folder / frozen for folder in loaded.folders)
    return next((path for path in paths if path.is_file()), None)
