"""A version is held by its fingerprint: no adapter changes without saying so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from harness.adapter import Vector
from harness.testing import ConformanceError, check_fingerprint, fingerprint
from tests.entries import made, named
from tests.testing.fingerprints import NAMES, stored

STORED = stored()


class Sum(nn.Module):
    """Adds three layers' outputs, from the left or from the right."""

    def __init__(self, order: str) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(16, 8) for _ in range(3))
        self.order = order

    def forward(self, inputs: Tensor) -> Tensor:
        one, two, three = (layer(inputs) for layer in self.layers)
        return (one + two) + three if self.order == "left" else one + (two + three)


@dataclass(frozen=True)
class Small:
    """A network with a change that hides from its fields."""

    order: ClassVar[str] = "left"
    version: ClassVar[int] = 1
    embedding_size: int = 8

    def inputs(self) -> Vector:
        return Vector(size=16)

    def build(self) -> nn.Module:
        return Sum(self.order)


@dataclass(frozen=True)
class Reordered(Small):
    """The same sum, rounded in another order."""

    order: ClassVar[str] = "right"


@dataclass(frozen=True)
class Raised(Reordered):
    """The other order under a version of its own."""

    version: ClassVar[int] = 2


@dataclass(frozen=True)
class Scaled(Small):
    """A network whose outputs are a hundredth larger."""

    def build(self) -> nn.Module:
        module = super().build()
        with torch.no_grad():
            for weight in module.parameters():
                weight.mul_(1.01)
        return module


@pytest.mark.parametrize("name", named("models", variants=True))
def test_models_give_what_their_version_gave(name: str) -> None:
    check_fingerprint(made("models", name), STORED["models", name])


@pytest.mark.parametrize("name", named("losses"))
def test_losses_give_what_their_version_gave(name: str) -> None:
    check_fingerprint(made("losses", name), STORED["losses", name])


def test_every_adapter_has_a_fingerprint_and_nothing_else_has() -> None:
    assert STORED.keys() == set(NAMES)


def test_the_same_network_has_the_same_fingerprint() -> None:
    assert fingerprint(Small()) == fingerprint(Small())
    check_fingerprint(Small(), fingerprint(Small()))


def test_the_global_generator_and_threads_stay_as_they_were() -> None:
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    fingerprint(Small())
    assert torch.equal(state, torch.random.get_rng_state())
    assert (torch.get_num_threads(), torch.get_default_dtype()) == (threads, torch.float32)


def test_another_order_of_a_sum_is_another_version_in_one_environment() -> None:
    with pytest.raises(ConformanceError, match=r"Reordered: bits differ .* raise `version`"):
        check_fingerprint(Reordered(), fingerprint(Small()))


def test_rounding_is_no_change_between_environments() -> None:
    elsewhere = replace(fingerprint(Small()), environment="another processor")
    check_fingerprint(Reordered(), elsewhere)


@pytest.mark.parametrize("name", ["projections", "losses"])
def test_more_than_rounding_is_a_change_in_every_environment(name: str) -> None:
    before = fingerprint(Small())
    numbers: Any = {name: getattr(fingerprint(Scaled()), name)}
    elsewhere = replace(before, environment="another processor", **numbers)
    with pytest.raises(ConformanceError, match=f"{name} differ from those stored"):
        check_fingerprint(Small(), elsewhere)


def test_a_raised_version_wants_a_fingerprint_of_its_own() -> None:
    with pytest.raises(ConformanceError, match="is of version 1, not 2: store it anew"):
        check_fingerprint(Raised(), fingerprint(Small()))
