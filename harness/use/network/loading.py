"""A finished run's network, built and given its weights."""

from __future__ import annotations

from typing import Any

import torch

from harness.adapter import LossAdapter, ModelAdapter
from harness.config.imports import construct
from harness.errors import RequestError
from harness.records.record import RecordedComponent
from harness.train.system import System
from harness.train.weight_matching import give_weights
from harness.use.network_source import TrainedNetwork

_LOADED: dict[str, System] = {}
"""Networks of this process: files are given to one in several parts."""


def load_network(source: TrainedNetwork, device: str = "cpu") -> System:
    """Return a run's network in evaluation mode; one that was loaded before is used again.

    Raises:
        RequestError: an adapter has another version than the run's, or the weights are not those
            of this network.
        ConfigError: an adapter is not here, or cannot be built from its fields.
    """
    key = f"{source.model_dump_json(exclude={'crops'})} {device}"
    if key not in _LOADED:
        _LOADED[key] = _build(source).to(device).eval()
    return _LOADED[key]


def _build(source: TrainedNetwork) -> System:
    model: ModelAdapter = _adapter(source.model)
    loss: LossAdapter | None = _adapter(source.loss) if source.loss else None
    torch.manual_seed(0)
    system = System(model, loss, len(source.classes), source.augment, source.counts)
    give_weights(system, source.checkpoint, needs_head=loss is not None)
    return system


def _adapter(recorded: RecordedComponent) -> Any:
    """Make an adapter as a record has it."""
    made = construct(recorded.adapter, recorded.fields, recorded.name)
    if made.version != recorded.version:
        raise RequestError(
            f"{recorded.name}: was trained by version {recorded.version} of {recorded.adapter}, "
            f"and this is version {made.version}: another function; check out the run's commit"
        )
    return made
