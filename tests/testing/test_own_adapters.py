"""Every model and every loss that the benchmark file names keeps its promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from harness.testing import check_loss, check_model
from harness.testing.requirements import example_input
from tests.entries import BENCHMARK, made, named

FRAMES = 60
"""Short inputs: some of these networks are large."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", named("models"))
def test_model_conforms(name: str) -> None:
    check_model(made("models", name), frames=FRAMES)


@pytest.mark.parametrize("name", named("models"))
def test_no_model_asks_for_more_frames_than_it_needs(name: str) -> None:
    model = made("models", name)
    least = getattr(model.inputs(), "least_frames", 1)
    if least == 1:
        return
    trunk, fewer = model.build().eval(), example_input(model.inputs(), batch=1, frames=least - 1)
    with pytest.raises((RuntimeError, ValueError)):
        trunk(fewer)


@pytest.mark.parametrize("name", named("losses"))
def test_loss_conforms(name: str) -> None:
    check_loss(made("losses", name))


def test_there_is_something_to_check() -> None:
    assert {"ecapa-512", "campplus", "eres2net"} <= set(BENCHMARK.models)
    assert {"softmax", "aam", "ghm", "triplet", "class-balanced"} <= set(BENCHMARK.losses)
