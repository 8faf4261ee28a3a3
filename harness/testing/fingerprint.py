"""Fingerprint of an adapter: numbers that change when its `version` should have been raised.

A version promises that the same fields give the same results: to the bit on the same processor with
the same libraries, and within `TOLERANCE` on any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.adapter import Batch, LossAdapter, ModelAdapter, build_head
from harness.measure.environment import environment, environment_digest
from harness.testing.requirements import build_from_seed, example_input, require

if TYPE_CHECKING:
    from torch import Tensor

Numbers = tuple[float, ...]

TOLERANCE = 1e-4
"""Largest difference between two processors, relative to the larger of two numbers."""

_BATCH, _SIZE, _CLASSES, _STEPS, _DIRECTIONS, _RATE = 6, 12, 3, 3, 4, 1e-3
_COUNTS = (9, 1, 30)


@dataclass(frozen=True)
class Fingerprint:
    """Numbers that one version of an adapter gives.

    Attributes:
        version: the adapter's.
        environment: digest of the processor and the libraries that computed the numbers.
        projections: outputs in evaluation mode on random directions.
        losses: of three training steps, each before its update.
    """

    version: int
    environment: str
    projections: Numbers
    losses: Numbers


def fingerprint(adapter: ModelAdapter | LossAdapter, *, frames: int = 40) -> Fingerprint:
    """Compute an adapter's fingerprint on one thread of the processor.

    A model's projections are of its embeddings of noise, made by the front end that it declares, in
    single precision; it is trained under a linear classifier, in double. A loss's projections are
    of its logits, and it trains random embeddings.

    Args:
        adapter: a model's or a loss's.
        frames: length of audio inputs.
    """
    with _reproducible():
        if isinstance(adapter, LossAdapter):
            projections, losses = _of_loss(adapter)
        else:
            projections, losses = _of_model(adapter, frames)
    return Fingerprint(
        version=type(adapter).version,
        environment=environment_digest(environment("cpu", 1, {})),
        projections=projections,
        losses=losses,
    )


def check_fingerprint(adapter: ModelAdapter | LossAdapter, stored: Fingerprint) -> None:
    """Compare an adapter with a fingerprint that one of its versions gave before.

    Raises:
        ConformanceError: the version is another one, or the numbers are others under the same
            version.
    """
    found = fingerprint(adapter)
    known = f"the stored fingerprint is of version {stored.version}"
    require(
        found.version == stored.version, adapter, f"{known}, not {found.version}: store it anew"
    )
    for name in ("projections", "losses"):
        message = _difference(getattr(stored, name), getattr(found, name), name)
        require(not message, adapter, message)
    if found.environment == stored.environment:
        message = f"bits differ from those stored for version {stored.version}; raise `version`"
        require(found == stored, adapter, message)


def _difference(stored: Numbers, found: Numbers, name: str) -> str:
    """Say how numbers differ by more than rounding; empty if they do not."""
    if len(stored) != len(found):
        return f"has {len(found)} {name}, not {len(stored)} as stored; raise `version`"
    largest = np.abs(np.subtract(stored, found)).max(initial=0.0)
    scale = np.abs([stored, found]).max(initial=0.0)
    if largest <= TOLERANCE * scale:
        return ""
    return f"{name} differ from those stored by {largest / scale:.1e}; raise `version`"


def _of_model(adapter: ModelAdapter, frames: int) -> tuple[Numbers, Numbers]:
    import torch
    from torch import nn

    from harness.feeding.front_end import front_end, raw_shape

    declared = adapter.inputs()
    embed = nn.Sequential(front_end(declared), build_from_seed(adapter.build)).eval()
    shape, generator = raw_shape(declared, frames / 100), torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(2, *shape, generator=generator)
    with torch.inference_mode():
        projections = _projections(embed(noise))
    # Batch normalisation at random weights makes a difference of rounding in single precision, that
    # of drawing weights included, a million times as large within three steps.
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        classifier = build_from_seed(nn.Linear, adapter.embedding_size, _CLASSES)
        system = nn.Sequential(build_from_seed(adapter.build), classifier).train().double()
        inputs = example_input(declared, batch=_BATCH, frames=frames)
    finally:
        torch.set_default_dtype(before)
    labels = torch.arange(_BATCH) % _CLASSES

    def compute() -> Tensor:
        return nn.functional.cross_entropy(system(inputs), labels)

    return projections, _losses(system.parameters(), compute)


def _of_loss(adapter: LossAdapter) -> tuple[Numbers, Numbers]:
    import torch

    head = build_from_seed(build_head, adapter, _SIZE, _CLASSES, _COUNTS).train()
    embeddings = torch.randn(_BATCH, _SIZE, generator=torch.Generator().manual_seed(0))
    places = torch.arange(_BATCH)
    grades = torch.linspace(1, -1, _BATCH)
    batch = Batch(places % _CLASSES, pairs=torch.combinations(places), grades=grades)
    logits = head(embeddings, batch).logits
    projections = () if logits is None else _projections(logits)
    embeddings = embeddings.requires_grad_()

    def compute() -> Tensor:
        loss: Tensor = head(embeddings, batch).loss
        return loss

    return projections, _losses([embeddings, *head.parameters()], compute)


def _projections(outputs: Tensor) -> Numbers:
    import torch

    shape = (_DIRECTIONS, *outputs.shape)
    generator = torch.Generator().manual_seed(1)
    directions = torch.randn(shape, generator=generator, dtype=torch.float64)
    return tuple((directions * outputs.detach()).flatten(1).sum(dim=1).tolist())


def _losses(parameters: Iterable[Tensor], compute: Callable[[], Tensor]) -> Numbers:
    import torch

    optimizer = torch.optim.SGD(parameters, lr=_RATE)
    losses = []
    for _ in range(_STEPS):
        optimizer.zero_grad()
        loss = compute()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    return tuple(losses)


@contextmanager
def _reproducible() -> Iterator[None]:
    """Compute on one thread, with dropout drawn from a seed."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            yield
    finally:
        torch.set_num_threads(threads)
