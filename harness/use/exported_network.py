"""A network in a folder that `harness export` wrote, run without the run that it came from."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import RequestError
from harness.records.documents import check_schema, read_document
from harness.tasks.task import Output
from harness.use.export_facts import FACTS, SCHEMA, ExportedFile, ExportFacts
from harness.use.given_items import GivenItems
from harness.use.model_facts import ModelFacts
from harness.use.network_source import PLURAL

EXTRA = "install the extra: pip install 'trialboard[export]'"


class ExportedNetwork:
    """An exported network.

    Args:
        path: of the file.
        export: facts of its folder.
    """

    def __init__(self, path: Path, export: ExportFacts) -> None:
        self._path, self._export = path, export

    @property
    def facts(self) -> ModelFacts:
        """Facts of the network that was exported."""
        return self._export.model

    def outputs(self, items: GivenItems) -> NDArray[np.float32]:
        """Return its outputs for items, `[items, size]`."""
        from harness.use.network.exported_outputs import exported_outputs

        return exported_outputs(self._path, self._export, items)


def open_export(place: Path, output: Output) -> ExportedNetwork:
    """Open an export.

    Args:
        place: its folder, whose first file is then used, or one of the files in it.
        output: what it is to give.

    Raises:
        RequestError: it is no export, gives something else, or onnxruntime is not installed.
    """
    folder = place if place.is_dir() else place.parent
    if not (folder / FACTS).is_file():
        raise RequestError(f"{place}: no {FACTS} is there; `harness export` writes such a folder")
    current = partial(check_schema, SCHEMA, "an export's")
    export = read_document(folder / FACTS, ExportFacts, "an export's facts", current)
    file = _file(place, export)
    if file.output != output:
        raise RequestError(f"{place}: gives {PLURAL[file.output]}, and {PLURAL[output]} are wanted")
    if file.name.endswith(".onnx"):
        require_libraries("onnxruntime")
    return ExportedNetwork(folder / file.name, export)


def require_libraries(*names: str) -> None:
    """Refuse what needs libraries that are not installed.

    Raises:
        RequestError: one is not; the message names the extra that brings it.
    """
    absent = [name for name in names if find_spec(name) is None]
    if absent:
        raise RequestError(f"{', '.join(absent)}: not installed; {EXTRA}")


def _file(place: Path, export: ExportFacts) -> ExportedFile:
    if place.is_dir():
        return export.files[0]
    named = [file for file in export.files if file.name == place.name]
    if not named:
        raise RequestError(f"{place}: {FACTS} beside it does not name it")
    return named[0]
