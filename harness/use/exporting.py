"""A run exported: files written in a worker, held against PyTorch, described, and put in place."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from harness.adapter import Fbank, Image, Input, Spectrogram, TfMel
from harness.data.corpus import SAMPLE_RATE, DamagedItem
from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.records.documents import readable_json
from harness.records.files import write_text
from harness.run.plan.adapter_workers import WORKERS
from harness.use.export_facts import (
    CARD,
    FACTS,
    GRAPH,
    INT8_GRAPH,
    JUDGED,
    JUDGED_PAGE,
    TRACED,
    ExportFacts,
    ExportRequest,
    Features,
    Format,
)
from harness.use.exported_network import require_libraries
from harness.use.finished_run import FinishedRun
from harness.use.given_items import GivenItems
from harness.use.model_card import model_card
from harness.use.model_facts import describe_run
from harness.use.network_questions import ExportNetwork

CHECKED = 16
"""Validation items on which an export is held against PyTorch, from the shortest to the longest."""

CALIBRATING = 32
"""Training items from which the ranges of int8 are taken, evenly spaced over the list."""

WRITTEN = (GRAPH, INT8_GRAPH, TRACED, FACTS, CARD, JUDGED, JUDGED_PAGE)

ONNX_LIBRARIES = ("onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Export:
    """What is asked for.

    Attributes:
        format: of the file.
        features: whether the front end is within it.
        int8: whether a graph with int8 weights is written too.
        folder: that receives the files.
    """

    format: Format
    features: Features
    int8: bool
    folder: Path


def export_run(run: FinishedRun, asked: Export, cache: Path) -> ExportFacts:
    """Export a run's network.

    Args:
        run: the run; its dataset must be here, since the files are held against it.
        asked: what is asked for.
        cache: folder of what is computed once.

    Returns:
        The facts, as `model.json` has them.

    Raises:
        RequestError: a library is absent, the folder holds other things, the data are not here, or
            the exported network gives other outputs than PyTorch; nothing is then written.
    """
    if asked.int8 and asked.format != "onnx":
        raise RequestError("--int8: is of --format onnx; TorchScript keeps float32")
    if asked.format == "onnx":
        require_libraries(*ONNX_LIBRARIES)
    _check_folder(asked.folder)
    listing, model = run.listing(), describe_run(run, cache)
    facts = readable_json(model.model_dump(mode="json", by_alias=True))
    with TemporaryDirectory(prefix="trialboard-") as name:
        folder, checked, ranges = Path(name), Path(name, "checked.npz"), Path(name, "ranges.npz")
        checked_items(listing).save(checked)
        calibrating_items(listing).save(ranges)
        request = ExportRequest(
            folder=folder,
            format=asked.format,
            features=asked.features,
            int8=asked.int8,
            output=run.task.output,
            checked=checked,
            calibrating=ranges,
            facts=facts,
        )
        answer = WORKERS.ask(ExportNetwork(run.network(run.task.output), request))
        export = ExportFacts(
            model=model,
            sample_rate=SAMPLE_RATE if model.kind == "audio" else None,
            normalisation=normalisation(model.input.input, asked.features),
            features=asked.features,
            files=answer.files,
        )
        _put_in_place(folder, asked.folder, export, run)
    return export


def checked_items(listing: Listing) -> GivenItems:
    """Return validation items from the shortest to the longest."""
    items = listing.split_items("validation").sort_values("seconds", kind="stable")
    return _read(listing, items, CHECKED)


def calibrating_items(listing: Listing) -> GivenItems:
    """Return training items evenly spaced over the list."""
    return _read(listing, listing.split_items("train"), CALIBRATING)


def normalisation(declared: Input, features: Features) -> str:
    """Say what the input of an exported network is to be."""
    if features == "outside":
        return f"features as {declared} says, from a waveform of 16 kHz in -1..1"
    if isinstance(declared, Fbank):
        first = "brought to mean 0 and variance 1, " if isinstance(declared, TfMel) else ""
        return f"a waveform in -1..1; {first}scaled by {declared.scale:g} within" + (
            ", each bin's mean over frames taken off" if declared.subtract_mean else ""
        )
    if isinstance(declared, Spectrogram):
        return "a waveform in -1..1; its spectrogram is brought to mean 0 and variance 1 within"
    if isinstance(declared, Image):
        return (
            "levels 0 to 1, grey (black to white) or of red, green and blue; resized and "
            "normalised within"
        )
    return "vectors as they are"


def _read(listing: Listing, items: pd.DataFrame, count: int) -> GivenItems:
    """Read some items of a table, evenly spaced; damaged ones are left out, as of a training."""
    places = np.unique(np.linspace(0, len(items) - 1, count).round().astype(int))
    names, contents = [], []
    for item in items.iloc[places].itertuples():
        try:
            contents.append(listing.corpus.read(item, listing.folder))
        except DamagedItem:
            continue
        names.append(str(item.id))
    return GivenItems(names, contents)


def _check_folder(folder: Path) -> None:
    """Refuse a folder of other things: an export replaces what one wrote before."""
    if folder.exists() and not folder.is_dir():
        raise RequestError(f"{folder}: is a file; -o names a folder")
    others = sorted({path.name for path in folder.glob("*")} - set(WRITTEN))
    if others:
        raise RequestError(f"{folder}: holds other files, as {others[0]}; name a new folder")


def _put_in_place(made: Path, folder: Path, export: ExportFacts, run: FinishedRun) -> None:
    """Move the files, and write what describes them last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in WRITTEN:
        (folder / name).unlink(missing_ok=True)
    for file in export.files:
        shutil.move(made / file.name, folder / file.name)
    write_text(folder / CARD, model_card(export, run.record))
    document = export.model_dump(mode="json", by_alias=True)
    write_text(folder / FACTS, readable_json(document))
