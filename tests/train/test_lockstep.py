"""A batch in parts in lock-step teaches what the undivided batch does, to rounding."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax, Softmax
from adapters.ranking import GhmRegression
from adapters.speechbrain import EcapaTdnn
from adapters.triplet import AngularTriplet
from adapters.wespeaker import CamPlusPlus, ERes2Net, ResNet34
from harness.adapter import LossAdapter, ModelAdapter, Vector
from harness.errors import JobFailed
from harness.train.gradient_accumulation import Learned, Precision, autocast, learn
from harness.train.host_tensors import Bring, HostTensors
from harness.train.joint_batch_norm import Arrival, NormCall, join
from harness.train.system import System
from tests.train import small_training as small

PLAIN = Precision(nullcontext, torch.Tensor.backward)
ITEMS, CLASSES, SIZE = 7, 4, 6

SMALL = [
    EcapaTdnn(channels=16, embedding_size=8),
    ResNet34(channels=4, embedding_size=8),
    # On some processors oneDNN corrupts memory in strided 1 x 1 convolutions of fewer channels.
    ERes2Net(channels=8, embedding_size=8),
    pytest.param(CamPlusPlus(embedding_size=8), marks=pytest.mark.long),
]
WHOLE = [EcapaTdnn(), ResNet34(), ERes2Net(), CamPlusPlus(checkpointing=True)]


@dataclass(frozen=True)
class Layers:
    """A network of a test."""

    made: Callable[[], nn.Module]
    embedding_size: int = 5
    version = 1

    def inputs(self) -> Vector:
        return Vector(size=SIZE)

    def build(self) -> nn.Module:
        return self.made()


class Clones(HostTensors):
    """Keeps copies beside the processor's tensors, as main memory does beside a GPU's."""

    def move(self, tensor: Tensor) -> Bring:
        copy = tensor.clone()
        return lambda: copy


@dataclass
class Taught:
    """What two steps leave."""

    learned: list[Learned] = field(default_factory=list)
    gradients: list[Tensor] = field(default_factory=list)
    state: dict[str, Tensor] = field(default_factory=dict)


def steps(
    model: ModelAdapter,
    part: int | None,
    shape: tuple[int, ...] = (ITEMS, SIZE),
    *,
    loss: LossAdapter | None = None,
    dtype: torch.dtype = torch.float64,
    keeper: Any = None,
    precision: Precision = PLAIN,
) -> Taught:
    """Two steps of SGD; divided ones normalise over the whole batch."""
    torch.manual_seed(0)
    system = System(model, loss or AamSoftmax(), CLASSES).to(dtype).train()
    optimizer = torch.optim.SGD(system.parameters(), lr=0.01)
    generator, found = torch.Generator().manual_seed(1), Taught()
    for _ in range(2):
        inputs = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
        labels = torch.arange(shape[0]) % CLASSES
        optimizer.zero_grad()
        found.learned.append(learn(system, inputs, labels, part, precision, "full", keeper))
        found.gradients.append(
            torch.cat([each.grad.flatten().double() for each in system.parameters()])
        )
        optimizer.step()
    found.state = {name: value.double() for name, value in system.state_dict().items()}
    return found


def distance(one: Tensor, other: Tensor) -> float:
    return float((one - other).norm() / other.norm())


def check_same(found: Taught, wanted: Taught, tolerance: float = 1e-8) -> None:
    """The same losses, gradients, weights, running statistics and counts of batches."""
    for one, other in zip(found.learned, wanted.learned, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=tolerance)
        assert one.statistics == pytest.approx(other.statistics)
    for one, other in zip(found.gradients, wanted.gradients, strict=True):
        assert distance(one, other) < tolerance
    for name, value in wanted.state.items():
        assert torch.allclose(found.state[name], value, rtol=tolerance, atol=tolerance), name


@pytest.mark.parametrize("keeper", [None, Clones])
@pytest.mark.parametrize("model", SMALL, ids=lambda model: type(model).__name__)
def test_networks_learn_from_parts_what_they_learn_from_the_whole(model, keeper):
    shape = (4, 36, 80)
    check_same(steps(model, 2, shape, keeper=keeper), steps(model, None, shape))


@pytest.mark.long
@pytest.mark.parametrize("model", WHOLE, ids=lambda model: type(model).__name__)
def test_whole_networks_learn_from_parts_what_they_learn_from_the_whole(model):
    shape = (6, 60, 80)
    check_same(steps(model, 2, shape, keeper=Clones), steps(model, None, shape))


@pytest.mark.parametrize("model", SMALL, ids=lambda model: type(model).__name__)
def test_in_float32_the_rounding_is_that_of_the_undivided_step(model):
    """A value that is clipped by rounding alone is worth more than all other roundings."""
    shape = (4, 36, 80)
    exact = steps(model, None, shape).gradients[0]
    whole, parts = (
        distance(steps(model, part, shape, dtype=torch.float32).gradients[0], exact)
        for part in (None, 2)
    )
    assert parts < max(0.02, 3 * whole)


def normalised() -> nn.Module:
    """Batch normalisations of all kinds, one of them twice, past a skip, one that stands still."""

    class Skips(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Linear(SIZE, 6), nn.Linear(6, 5)
            self.plain = nn.BatchNorm1d(6)
            self.twice = nn.BatchNorm1d(6, momentum=None, eps=1e-3)
            self.bare = nn.BatchNorm1d(6, affine=False)
            self.timed = nn.BatchNorm1d(3, track_running_stats=False)
            self.flat = nn.BatchNorm2d(3, momentum=0.3)
            self.still = nn.BatchNorm1d(5)

        def forward(self, values: Tensor) -> Tensor:
            hidden = self.plain(self.first(values))
            # In place, over a result that the layer before keeps for itself.
            hidden = self.twice(nn.functional.relu(hidden, inplace=True)) + values
            hidden = hidden + self.bare(self.twice(hidden.tanh()))
            channels = self.timed(hidden.reshape(-1, 3, 2)).unsqueeze(-1)
            hidden = hidden + self.flat(channels.sigmoid()).reshape(-1, 6)
            result: Tensor = self.still(self.last(hidden))
            return result

    network = Skips()
    network.still.train = lambda mode=True: nn.Module.train(network.still, False)
    return network


@given(part=st.integers(1, ITEMS), items=st.integers(4, ITEMS))
@settings(max_examples=20, deadline=None)
def test_any_division_gives_the_same_step(part, items):
    model, shape = Layers(normalised), (items, SIZE)
    check_same(steps(model, part, shape), steps(model, None, shape), 1e-9)


def test_parts_that_normalise_alone_give_another_step():
    """Were it not so, the tests above could not fail."""
    torch.manual_seed(0)
    systems = [System(Layers(normalised), Softmax(), CLASSES).double().train() for _ in range(2)]
    systems[1].load_state_dict(systems[0].state_dict())
    inputs, labels = torch.randn(6, SIZE, dtype=torch.float64), torch.arange(6) % CLASSES
    one, other = (
        learn(system, inputs, labels, 3, PLAIN, norm).loss
        for system, norm in zip(systems, ("parts", "full"), strict=True)
    )
    assert abs(one - other) > 1e-3


@pytest.mark.parametrize(
    "loss", [GhmClassification(), GhmRegression(), AngularTriplet(mining="semi-hard")], ids=repr
)
def test_a_loss_that_looks_at_the_whole_batch_gets_all_embeddings(loss):
    run = partial(steps, Layers(normalised), shape=(2 * CLASSES, SIZE), loss=loss)
    check_same(run(3), run(None), 1e-9)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
def test_half_precision_is_as_near_as_the_undivided_step(precision):
    """A factor on the loss, as a scaler of float16 has it, is on all gradients."""

    def backward(loss: Tensor) -> None:
        (64 * loss).backward()

    half = Precision(partial(autocast, precision, "cpu"), backward)
    run = partial(steps, Layers(normalised), loss=Softmax(), dtype=torch.float32)
    exact = run(None).gradients[0]
    whole, parts = (
        distance(run(part, precision=half).gradients[0] / 64, exact) for part in (None, 3)
    )
    assert 1e-5 < whole < 0.1
    assert parts < 3 * whole


def test_dropout_repeats_from_a_seed():
    """Two layers of it between two normalisations: the parts draw in another order than at once."""
    model = Layers(
        lambda: nn.Sequential(
            nn.Linear(SIZE, 5), nn.Dropout(0.5), nn.Tanh(), nn.Dropout(0.5), nn.BatchNorm1d(5)
        )
    )
    check_same(steps(model, 3), steps(model, 3), 1e-15)
    assert distance(steps(model, 3).gradients[0], steps(model, None).gradients[0]) > 1e-3


def test_a_training_that_was_cut_off_ends_with_the_same_weights(tmp_path: Path):
    recipe = small.RECIPE.model_copy(update={"batch": 4, "micro_batch": 2, "batch_norm": "full"})

    def train(folder: str, stop_at: int | None = None) -> dict[str, Tensor]:
        torch.manual_seed(1)
        system = System(Normalised(), AamSoftmax(), 3)
        small.trained(tmp_path / folder, recipe, stop_at, system=system)
        return system.state_dict()

    whole = train("whole")
    with pytest.raises(small.StopError):
        train("cut", stop_at=4)
    again = train("cut")
    assert whole["trunk.3.num_batches_tracked"] == recipe.steps
    assert all(torch.equal(again[name], value) for name, value in whole.items())


class Normalised(small.Trunk):
    """The small network, normalised."""

    def build(self) -> nn.Module:
        return nn.Sequential(*super().build(), nn.BatchNorm1d(3))


class Branches(nn.Module):
    """Goes through its batch normalisations by what the first number of its input is."""

    def __init__(self, orders: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm1d(SIZE), nn.BatchNorm1d(SIZE)])
        self.last, self.orders, self.calls = nn.Linear(SIZE, 5), orders, 0

    def forward(self, values: Tensor) -> Tensor:
        order = self.orders[self.calls % 2]
        self.calls += 1
        for each in order:
            values = self.norms[each](values)
        result: Tensor = self.last(values)
        return result


class Again(nn.Module):
    """Computes its batch normalisation again in the backward pass."""

    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.first, self.norm, self.reentrant = nn.Linear(SIZE, 5), nn.BatchNorm1d(5), reentrant

    def forward(self, values: Tensor) -> Tensor:
        result: Tensor = checkpoint(self.norm, self.first(values), use_reentrant=self.reentrant)
        return result


class Cast(nn.BatchNorm1d):
    """Leaves the autocast that is around it."""

    def forward(self, values: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().forward(values)


class Native(nn.BatchNorm1d):
    """Goes past the function that all others call."""

    def forward(self, values: Tensor) -> Tensor:
        return torch.ops.aten.native_batch_norm(
            values, self.weight, self.bias, self.running_mean, self.running_var, True, 0.1, 1e-5
        )[0]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (partial(Branches, ((0, 1), (1, 0))), "in the same order"),
        (partial(Branches, ((0, 1), (0,))), "some are through the network"),
        (partial(Again, False), "activation checkpointing"),
        (partial(Again, True), "activation checkpointing"),
        (lambda: nn.Sequential(nn.Linear(SIZE, 5), Cast(5)), "autocast"),
        (lambda: nn.Sequential(nn.Linear(SIZE, 5), Native(5)), "2 calls .* did not go through"),
        (lambda: torch.jit.script(nn.Sequential(nn.Linear(SIZE, 5), nn.BatchNorm1d(5))), "compil"),
    ],
    ids=["order", "number", "checkpoint", "reentrant", "cast", "native", "script"],
)
def test_what_cannot_be_joined_is_refused(made, told):
    with pytest.raises(JobFailed, match=told) as raised:
        steps(Layers(made), 4)
    assert "batch_norm" in str(raised.value)
    # What was begun is over: the next step, of another network, finds nothing of it.
    check_same(steps(Layers(normalised), 4), steps(Layers(normalised), None), 1e-9)


def test_an_error_of_the_network_comes_out_as_it_is():
    class Fails(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            raise ArithmeticError("third layer")

    with pytest.raises(ArithmeticError, match="third layer"):
        steps(Layers(lambda: nn.Sequential(nn.Linear(SIZE, 5), nn.BatchNorm1d(5), Fails())), 4)


def test_one_number_a_channel_in_all_has_no_variance():
    values = torch.zeros(1, 3)
    alone = Arrival(NormCall(values, None, None, training=True), values[0], values[0])
    with pytest.raises(ValueError, match="more than one number a channel"):
        join([alone])
