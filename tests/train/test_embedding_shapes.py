"""A network of another shape than its adapter says is caught at its first batch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adapters.losses import AamSoftmax
from harness.errors import JobFailed
from harness.train.system import System, outputs_of
from tests.train.small_training import (
    RECIPE,
    Trunk,
    check_equal,
    small_batches,
    small_system,
    trained,
)


class Misshapen(Trunk):
    """A network whose embeddings something is done to."""

    def __init__(self, size: int, deed: Any) -> None:
        self.embedding_size, self.deed = size, deed

    def build(self) -> nn.Module:
        return nn.Sequential(super().build(), _Deed(self.deed))


class _Deed(nn.Module):
    def __init__(self, deed: Any) -> None:
        super().__init__()
        self.deed = deed

    def forward(self, embeddings: Tensor) -> Any:
        return self.deed(embeddings)


CASES = {
    "size": (8, lambda found: found, "gives a tensor [{0}, 3] for {0} items", "[{0}, 8]"),
    "items": (3, lambda found: found[:1], "gives a tensor [1, 3] for {0} items", "[{0}, 3]"),
    "axes": (3, lambda found: found[:, None], "gives a tensor [{0}, 1, 3]", "[{0}, 3]"),
    "tuple": (3, lambda found: (found, found), "gives tuple for {0} items", "[{0}, 3]"),
}


def told(name: str, items: int) -> str:
    _, _, gives, asked = CASES[name]
    return (
        rf"^{__name__}:Misshapen: its network {re.escape(gives.format(items))}.*"
        rf"embedding_size asks for {re.escape(asked.format(items))}"
    )


@pytest.mark.parametrize("part", [None, 1])
@pytest.mark.parametrize("name", ["size", "axes", "tuple"])
def test_a_training_ends_before_its_first_step(tmp_path: Path, name: str, part: int | None) -> None:
    system = System(Misshapen(*CASES[name][:2]), AamSoftmax(), 3)
    before = {key: value.clone() for key, value in system.state_dict().items()}
    recipe = RECIPE.model_copy(update={"micro_batch": part})
    with pytest.raises(JobFailed, match=told(name, part or RECIPE.batch)):
        trained(tmp_path, recipe, system=system)
    check_equal(system.state_dict(), before)
    assert not (tmp_path / "resume.pt").exists()


@pytest.mark.parametrize("kind", ["embedding", "logits"])
@pytest.mark.parametrize("name", sorted(CASES))
def test_an_evaluation_ends_at_its_first_batch(name: str, kind: Any) -> None:
    loss = None if kind == "embedding" else AamSoftmax()
    system = System(Misshapen(*CASES[name][:2]), loss, 3)
    seen: list[int] = []
    subset = small_batches(RECIPE).subset
    with pytest.raises(JobFailed, match=told(name, len(subset))):
        outputs_of(system, subset, kind, torch.device("cpu"), seen.append)
    assert seen == []


def test_a_network_of_the_right_shape_goes_on() -> None:
    subset = small_batches(RECIPE).subset
    found = outputs_of(small_system(RECIPE), subset, "embedding", torch.device("cpu"))
    assert found.shape == (len(subset), 3)
