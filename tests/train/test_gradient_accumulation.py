"""A batch that goes through the network in parts teaches what the whole batch would."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from adapters.class_losses import ClassBalancedSoftmax, FocalSoftmax, SphereFace2
from adapters.ghm import GhmClassification, GhmSigmoid
from adapters.long_tail import Ldam, LogitAdjustment
from adapters.losses import AamSoftmax, AmSoftmax, Softmax, SubcenterAam
from adapters.ranking import GhmRegression
from adapters.triplet import AngularTriplet
from harness.adapter import LossAdapter, Vector
from harness.train.gradient_accumulation import Learned, Precision, learn
from harness.train.system import System

SIZE, CLASSES, LABELS = 7, 4, [0, 1, 2, 0, 1, 2, 3, 3, 0, 2, 1, 3]
SUMS: list[LossAdapter] = [
    Softmax(label_smoothing=0.1),
    AamSoftmax(),
    AmSoftmax(),
    SubcenterAam(),
    SphereFace2(),
    FocalSoftmax(),
    ClassBalancedSoftmax(),
    LogitAdjustment(),
    Ldam(),
]
WHOLES: list[LossAdapter] = [
    GhmClassification(),
    GhmSigmoid(momentum=0.0, density="exact"),
    GhmRegression(),
    AngularTriplet(),
    AngularTriplet(mining="semi-hard"),
    AngularTriplet(mining="all"),
]
PLAIN = Precision(nullcontext, torch.Tensor.backward)


@dataclass(frozen=True)
class Trunk:
    """Two layers with what a test asks for between them."""

    between: Callable[[], nn.Module] = nn.Identity
    embedding_size = 5
    version = 1

    def inputs(self) -> Vector:
        return Vector(size=SIZE)

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(SIZE, 6), self.between(), nn.Tanh(), nn.Linear(6, 5))


class Reads(TorchDispatchMode):
    """Notes in a list when the number of a tensor is asked for, for which a GPU is waited for."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self.order = order

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            self.order.append("read")
        return func(*args, **(kwargs or {}))


class Counted(nn.Module):
    """Counts in a buffer how often it was trained on, and keeps what came out."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.seen: list[Tensor] = []
        self.register_buffer("times", torch.zeros((), dtype=torch.int64))

    def forward(self, values: Tensor) -> Tensor:
        self.times += 1
        dropped: Tensor = self.dropout(values)
        self.seen.append(dropped.detach().clone())
        return dropped


def made(loss: LossAdapter, between: Any = nn.Identity, dtype: Any = torch.float64) -> System:
    torch.manual_seed(0)
    counts = [3, 1, 7, 20]
    system = System(Trunk(between), loss, CLASSES, counts=counts)
    return system.to(dtype).train()


def batch(dtype: Any = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    rows = torch.randn(len(LABELS), SIZE, dtype=torch.float64, generator=generator)
    return rows.to(dtype), torch.tensor(LABELS)


def taught(
    system: System, part: int | None, precision: Precision = PLAIN, dtype: Any = torch.float64
) -> tuple[Learned, dict[str, Tensor]]:
    """What a batch says, and the gradients that it leaves."""
    torch.manual_seed(9)
    learned = learn(system, *batch(dtype), part, precision)
    gradients = {
        name: weight.grad.clone()
        for name, weight in system.named_parameters()
        if weight.grad is not None
    }
    assert len(gradients) == len(list(system.parameters()))
    return learned, gradients


def check_close(one: dict[str, Tensor], two: dict[str, Tensor], tolerance: float) -> None:
    """Held against the size of a gradient: a scale of 32 makes some large."""
    for name, wanted in two.items():
        assert (one[name] - wanted).abs().max() <= tolerance * wanted.abs().max(), name


@pytest.mark.parametrize("part", [1, 3, 4, 6])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 5e-5)])
@pytest.mark.parametrize("loss", [*SUMS, *WHOLES], ids=repr)
def test_gradients_are_those_of_the_whole_batch(
    loss: LossAdapter, dtype: Any, tolerance: float, part: int
) -> None:
    whole, wanted = taught(made(loss, dtype=dtype), None, dtype=dtype)
    parts, found = taught(made(loss, dtype=dtype), part, dtype=dtype)
    check_close(found, wanted, tolerance)
    assert parts.loss == pytest.approx(whole.loss, rel=tolerance)
    assert parts.statistics == pytest.approx(whole.statistics)
    assert (whole.logits is None) == (parts.logits is None)
    if whole.logits is not None and parts.logits is not None:
        check_close({"logits": parts.logits}, {"logits": whole.logits}, tolerance)
        assert not parts.logits.requires_grad


@pytest.mark.parametrize("loss", WHOLES, ids=repr)
def test_a_plain_sum_over_parts_would_be_another_loss(loss: LossAdapter) -> None:
    """Were it not, there would be no need to keep embeddings."""
    _, wanted = taught(made(loss), None)
    system = made(loss)
    system.looks_at_whole_batch = False
    rows, labels = batch()
    order = labels.argsort()
    learn(system, rows[order], labels[order], 6, PLAIN)
    found = system.trunk[0].weight.grad
    assert not torch.allclose(found, wanted["trunk.0.weight"], rtol=1e-3)


def test_gradients_are_added_to_those_that_are_there() -> None:
    system = made(GhmClassification(momentum=0.0))
    _, once = taught(system, 4)
    _, twice = taught(system, 4)
    check_close({name: 2 * value for name, value in once.items()}, twice, 1e-12)


def test_the_density_of_ghm_moves_once_a_step() -> None:
    one, two = made(GhmClassification()), made(GhmClassification())
    for _ in range(3):
        taught(one, None)
        taught(two, 3)
    assert torch.equal(one.head.density, two.head.density)


@pytest.mark.parametrize("loss", [GhmClassification(), AngularTriplet()], ids=repr)
def test_both_passes_drop_the_same(loss: LossAdapter) -> None:
    system = made(loss, Counted)
    taught(system, 4)
    counted = system.trunk[1]
    first, second = counted.seen[:3], counted.seen[3:]
    assert len(second) == 3
    assert all(torch.equal(one, two) for one, two in zip(first, second, strict=True))
    assert not torch.equal(first[0] == 0, first[1] == 0), "each part drops in its own way"
    assert int(counted.times) == 3, "buffers move in one of the passes"


@pytest.mark.parametrize("loss", [GhmClassification(), AngularTriplet()], ids=repr)
def test_the_gradient_is_that_of_the_parts_side_by_side(loss: LossAdapter) -> None:
    """With batch-normalisation and dropout: one graph of all parts, each normalised by itself."""
    between = lambda: nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(0.3))  # noqa: E731
    system = made(loss, between)
    other = copy.deepcopy(system)
    learned, found = taught(system, 4)
    torch.manual_seed(9)
    rows, labels = batch()
    output = other.judge(torch.cat([other.embed(part) for part in rows.split(4)]), labels)
    output.loss.backward()
    wanted = {name: weight.grad for name, weight in other.named_parameters()}
    check_close(found, wanted, 1e-12)
    assert learned.loss == pytest.approx(float(output.loss.detach()), rel=1e-12)
    for (name, one), two in zip(system.named_buffers(), other.buffers(), strict=True):
        torch.testing.assert_close(one, two, msg=f"{name}: each part moves it once")


def scaled(loss: Tensor) -> None:
    torch.amp.GradScaler("cpu", init_scale=1024.0).scale(loss).backward()


@pytest.mark.parametrize(
    ("dtype", "backward", "scale"), [(torch.bfloat16, None, 1), (torch.float16, scaled, 1024)]
)
@pytest.mark.parametrize("loss", [Softmax(), GhmClassification(), AngularTriplet()], ids=repr)
def test_mixed_precision_gives_the_same_as_for_the_whole_batch(
    loss: LossAdapter, dtype: Any, backward: Any, scale: float
) -> None:
    """A scaler's factor is on the gradients once, and weights get theirs under autocast."""
    way = Precision(lambda: torch.autocast("cpu", dtype=dtype), backward or torch.Tensor.backward)
    whole, parts, plain = (
        taught(made(loss, dtype=torch.float32), part, precision, torch.float32)[1]
        for part, precision in ((None, way), (4, way), (None, PLAIN))
    )
    for name, wanted in plain.items():
        size = wanted.abs().max()
        assert (parts[name] - whole[name]).abs().max() < 0.02 * scale * size, name
        assert (parts[name] / scale - wanted).abs().max() < 0.1 * size, name
    half = parts["trunk.0.weight"] / scale
    assert not torch.equal(half, plain["trunk.0.weight"]), "it did not compute in half"


def test_a_loss_that_ignores_its_embeddings_is_told() -> None:
    system = made(GhmClassification())
    system.head = nn.Module()
    system.head.forward = lambda embeddings, batch: _Constant()  # type: ignore[method-assign]
    with pytest.raises(TypeError, match="does not rest on the embeddings"):
        learn(system, *batch(), 4, PLAIN)


class _Constant:
    loss = torch.zeros((), dtype=torch.float64, requires_grad=True)
    logits, statistics = None, {}


@pytest.mark.parametrize(
    ("loss", "part", "backward"),
    [(Softmax(), None, 1), (Softmax(), 4, 3), (GhmClassification(), 4, 1)],
)
def test_no_loss_is_read_before_its_backward_pass_is_under_way(
    loss: LossAdapter, part: int | None, backward: int
) -> None:
    """A GPU that is waited for in between has nothing to do meanwhile."""
    order: list[str] = []
    system = System(Trunk(), loss, CLASSES)
    began = Precision(nullcontext, lambda total: (order.append("backward"), total.backward())[1])
    with Reads(order):
        learn(system, torch.randn(len(LABELS), SIZE), torch.tensor(LABELS), part, began)
    last = len(order) - 1 - order[::-1].index("backward")
    assert order.count("backward") == backward
    assert "read" in order[last:]
    if not isinstance(loss, GhmClassification):  # which looks at its numbers to weight them
        assert "read" not in order[:last]
