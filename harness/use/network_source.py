"""The network of a finished run as data, from which a worker builds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.config.recipe_tables import Augment
from harness.config.recipes import EvenCrops
from harness.records.record import RecordedComponent
from harness.tasks.task import Output

PLURAL: Mapping[Output, str] = {"embedding": "embeddings", "logits": "logits"}
"""How a message calls several outputs."""


class TrainedNetwork(BaseModel):
    """A run's network.

    Attributes:
        checkpoint: the file of its weights.
        model: its adapter.
        loss: the adapter of its head; None if its embeddings are what is wanted.
        output: what it gives.
        classes: labels of its training, in the order of its logits; empty without a head.
        counts: training items of each.
        augment: of its training: the head has more classes if speeds make some.
        crops: that an item is judged by; None for the whole of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path
    model: RecordedComponent
    loss: RecordedComponent | None = None
    output: Output
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    augment: Augment | None = None
    crops: EvenCrops | None = None
