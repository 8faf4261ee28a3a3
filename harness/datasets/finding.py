"""Which reader and folder a dataset of the benchmark has, or what of it is absent."""

from __future__ import annotations

from pathlib import Path

from harness.config.datasets import Dataset
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark
from harness.data.corpus import Corpus, InParts
from harness.datasets.locate import Absence, locate
from harness.errors import ConfigError


def find(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """A dataset's reader and folder, or what of it was looked for in vain."""
    found = find_corpus(loaded, name)
    missing = None if isinstance(found, Absence) else _missing_list(loaded, name)
    return missing or found


def find_corpus(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """The same, whether or not the list of a frozen subset is there."""
    found = find_folder(loaded, name)
    if isinstance(found, Absence) or not isinstance(found[0], InParts):
        return found
    missing = found[0].missing(found[1])
    if missing is None:
        return found
    looked = tuple(map(str, missing.folders))
    return Absence(name, looked, loaded.dataset(name).source, missing.mend)


def find_folder(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """The same, whether or not the folder holds all parts of the corpus."""
    config, fold = loaded.dataset(name), loaded.fold(name)
    table = fold.of if fold else name
    where = loaded.where("datasets", table)
    corpus: Corpus = construct(config.adapter, config.fields, where, Dataset.model_fields)
    if not corpus.needs_folder:
        return corpus, loaded.folder
    if not config.path:
        raise ConfigError(f"{where}.path: missing; give the folder that holds the corpus")
    place = locate(table, config, loaded.folder)
    return place if isinstance(place, Absence) else (corpus, place)


def _missing_list(loaded: LoadedBenchmark, name: str) -> Absence | None:
    config = loaded.dataset(name)
    if config.frozen is None or list_path(loaded, config.frozen):
        return None
    mend = f"Its corpus is here: `harness data freeze {name}` makes the list, by the file's rule."
    return Absence(name, (str(loaded.folder / config.frozen),), "", mend)


def list_path(loaded: LoadedBenchmark, frozen: str) -> Path | None:
    """Where the list of a frozen subset lies; None where it is not there."""
    paths = (folder / frozen for folder in loaded.folders)
    return next((path for path in paths if path.is_file()), None)
