"""A training step of the native networks beside the same step of WeSpeaker's own.

Forward and backward passes of batches of 2 s; the optimiser is not timed. One process, one
allocator, turns taken step by step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor, nn

from adapters.native.campplus import CamPlusPlusBackbone
from adapters.native.eres2net import ERes2NetBackbone
from adapters.native.recomputation import keep
from tests.adapters.native.saved_bytes import saved_mebibytes
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns
from tests.benchmarks.wespeaker import wespeaker_network

pytestmark = ON_THE_PROCESSOR

BATCH, FRAMES, BINS, SIZE = 32, 200, 80, 512
ROUNDS = 5


@dataclass(frozen=True)
class Entry:
    """A network, and what is required of it.

    Attributes:
        ours: builds it.
        file, name: where WeSpeaker's is.
        time: most processor time, over WeSpeaker's.
        kept: most bytes kept, over WeSpeaker's.
        checkpointed: most MiB a crop with checkpointing.
    """

    ours: Callable[..., nn.Module]
    file: str
    name: str
    time: float
    kept: float
    checkpointed: float


ENTRIES = {
    "CAM++": Entry(CamPlusPlusBackbone, "campplus", "CAMPPlus", 1.0, 0.75, 20.0),
    "ERes2Net": Entry(ERes2NetBackbone, "eres2net", "ERes2Net34_Base", 0.9, 0.6, 60.0),
}


def features() -> Tensor:
    return torch.randn(BATCH, FRAMES, BINS, generator=torch.Generator().manual_seed(0))


def step(network: nn.Module, batch: Tensor) -> Tensor:
    network.zero_grad(set_to_none=True)
    embeddings: Tensor = network(batch)
    embeddings.square().mean().backward()
    return embeddings.detach()


def check_agreement(ours: nn.Module, theirs: nn.Module) -> None:
    """The same embeddings and gradients in double precision, where rounding plays no part."""
    found = []
    for network in (ours, theirs):
        network.double()
        embeddings = step(network, features()[:3, :104].double())
        named = sorted(dict(network.named_parameters()).items())
        gradients = torch.cat(
            [weight.grad.flatten() for _, weight in named if weight.grad is not None]
        )
        found.append((embeddings, gradients))
        network.float()
    for one, two in zip(*found, strict=True):
        assert float((one - two).abs().max() / two.abs().max()) < 1e-8


@pytest.mark.parametrize("name", list(ENTRIES))
def test_a_training_step(name: str, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    entry = ENTRIES[name]
    theirs = wespeaker_network(entry.file, entry.name, feat_dim=BINS, embed_dim=SIZE)
    ours, plain = entry.ours(), keep(entry.ours(), "everything")
    checkpointing = entry.ours(checkpointing=True)
    for network in (ours, plain, checkpointing):
        network.load_state_dict(theirs.state_dict())
    check_agreement(ours, theirs)

    networks = {"theirs": theirs, "plain": plain, "checkpointing": checkpointing}
    # Copied, so that the crops left out do not count.
    few = features()[:4].clone()
    kept = {key: saved_mebibytes(each, few) for key, each in networks.items()}
    kept["ours"] = saved_mebibytes(ours, few)

    rivals = {
        key: Contestant[object](partial(step, network, features()))
        for key, network in networks.items()
    }
    ratios = take_turns(
        benchmark, Contestant(partial(step, ours, features())), rivals, rounds=ROUNDS
    )
    time = 1 / ratios["theirs"]
    what = f"a training step of {name}"
    times = "times WeSpeaker's processor time"
    figures += [
        Figure(what, time, times, most=entry.time),
        Figure(f"{what}, plain autograd", ratios["plain"] * time, times),
        Figure(f"{what}, checkpointing", ratios["checkpointing"] * time, times),
        Figure(f"{name} keeps a crop", kept["ours"], "MiB", most=entry.kept * kept["theirs"]),
        Figure(f"{name} keeps a crop, plain autograd", kept["plain"], "MiB"),
        Figure(
            f"{name} keeps a crop, checkpointing",
            kept["checkpointing"],
            "MiB",
            most=entry.checkpointed,
        ),
        Figure(f"WeSpeaker's {name} keeps a crop", kept["theirs"], "MiB"),
    ]
    assert missed(figures) == []
