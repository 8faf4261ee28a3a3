"""Facts of an export: what was asked for, which files came, and how far they are from PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.board.standing.costs import is_disturbed
from harness.board.standing.figures import UNKNOWN
from harness.records.documents import Part
from harness.tasks.task import Output
from harness.use.model_facts import ModelFacts

Format = Literal["onnx", "torchscript"]
Features = Literal["inside", "outside"]

SCHEMA: Final = 1

GRAPH = "model.onnx"
INT8_GRAPH = "model-int8.onnx"
TRACED = "model.pt"
FACTS = "model.json"
CARD = "README.md"
JUDGED, JUDGED_PAGE = "after-export.json", "after-export.md"

LARGEST_DIFFERENCE = 1e-4
"""Of embeddings of length 1, or of probabilities, from those of PyTorch."""


class ExportRequest(BaseModel):
    """What is asked of a worker.

    Attributes:
        folder: that receives the files.
        format: of the file.
        features: whether the front end is within the graph.
        int8: whether a graph with int8 weights is written too.
        output: what it gives.
        checked: items that it is held against the network on (`GivenItems.save`).
        calibrating: items that int8's ranges are taken from.
        facts: JSON of the model's facts, written into the file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    format: Format
    features: Features
    int8: bool
    output: Output
    checked: Path
    calibrating: Path
    facts: str


class ExportedFile(Part):
    """One file of an export.

    Attributes:
        name: of the file.
        input, output: names of the graph's input and output.
        input_shape: a text stands for a size that varies.
        output_size: of the second axis.
        items: that it was held against PyTorch on.
        difference: largest, of embeddings of length 1 or of probabilities.
        score_difference: largest, of cosines of all pairs of these items; None of classifiers.
        bytes: of the file.
        latency: seconds of one item alone on one thread, the median: five seconds of sound, or a
            picture.
        latency_of_pytorch: the same of the network that was exported.
        cpu_wait: share of the time of both that threads waited for a processor; None if it was not
            counted.
    """

    name: str
    input: str
    input_shape: tuple[int | str, ...]
    output: Output
    output_size: int
    items: int
    difference: float
    score_difference: float | None
    bytes: int
    latency: float
    latency_of_pytorch: float
    cpu_wait: float | None = None

    @property
    def milliseconds(self) -> tuple[str, str]:
        """Latency of the file and of PyTorch as tables show them: not where others ran beside."""
        if is_disturbed(self.cpu_wait):
            return UNKNOWN, UNKNOWN
        return f"{1e3 * self.latency:.1f}", f"{1e3 * self.latency_of_pytorch:.1f}"


class ExportFacts(Part):
    """The content of `model.json`.

    Attributes:
        model: the network.
        sample_rate: samples a second; None of pictures.
        normalisation: what the input is to be before the network gets it.
        features: whether the front end is within the graph.
        files: all of them, the float32 one first.
    """

    export_schema: Literal[1] = Field(default=SCHEMA, alias="schema")
    model: ModelFacts
    sample_rate: int | None
    normalisation: str
    features: Features
    files: tuple[ExportedFile, ...]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
