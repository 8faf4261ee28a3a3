"""What upstream networks compute, and the weights that they computed it on.

A fixture holds a network's state-dict keys with their shapes, its parameter count, and its
embeddings of two fixed inputs. No weights are stored: each is a function of its key.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any, TypeVar

import numpy
import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)

# Seed and shape (`[batch, frames, bins]`) of the input that each embedding is of; a fixture may
# tell other `bins`.
INPUTS = {"embedding_200": (7, (3, 200, 80)), "embedding_331": (8, (1, 331, 80))}


def fixture(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "parity" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def with_upstream_weights(network: Network) -> Network:
    """The network in evaluation mode, every weight made from its key."""
    state = network.state_dict()
    network.load_state_dict({key: weight(key, value) for key, value in state.items()})
    return network.eval()


def weight(key: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    z = normal(seed, tuple(value.shape))
    if key.endswith("running_var"):
        return 1 + 0.2 * z.abs()
    if key.endswith(("running_mean", "bias")):
        return 0.1 * z
    return 1 + 0.1 * z if z.ndim == 1 else z / math.sqrt(math.prod(value.shape[1:]))


def normal(seed: int, shape: tuple[int, ...]) -> Tensor:
    values = numpy.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(numpy.asarray(values, numpy.float32))


def shapes(network: nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in network.state_dict().items()}


def parameter_count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def example(expected: dict[str, Any], seed: int, shape: tuple[int, int, int]) -> Tensor:
    """A standard normal input with the bins of a fixture's network."""
    return normal(seed, (*shape[:2], expected.get("bins", shape[2])))


def error(network: nn.Module, expected: dict[str, Any], which: str) -> float:
    """Largest difference of the embeddings, over the largest of their values."""
    with torch.inference_mode():
        actual = network(example(expected, *INPUTS[which]))
    wanted = torch.tensor(expected[which])
    return float((actual - wanted).abs().max() / wanted.abs().max())
