"""Adapters that keep their promises conform, and a broken one is caught by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax, Softmax
from adapters.timm import Timm, TimmSpectrogram
from harness.adapter import Batch, Fbank, LossAdapter, LossOutput, ModelAdapter, Vector
from harness.testing import ConformanceError, check_loss, check_model

# Without dropout and drop path they are those of the benchmark, which has tests of its own.
MODELS: list[ModelAdapter] = [
    Timm(network="resnet10t", size=64, channels=1, dropout=0.2, drop_path=0.1),
    TimmSpectrogram(bins=32, dropout=0.1),
]
LOSSES: list[LossAdapter] = [
    Softmax(),
    Softmax(label_smoothing=0.1),
    AamSoftmax(),
    AamSoftmax(easy_margin=True),
    GhmClassification(),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("adapter", MODELS, ids=repr)
def test_model_conforms(adapter: ModelAdapter) -> None:
    check_model(adapter)


@pytest.mark.parametrize("adapter", LOSSES, ids=repr)
def test_loss_conforms(adapter: LossAdapter) -> None:
    check_loss(adapter)


def test_checking_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    check_loss(AamSoftmax())
    assert torch.equal(before, torch.get_rng_state())


class Trunk(nn.Module):
    """A linear trunk over frames, with a way to break each promise."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.linear = nn.Linear(6, 4)
        self.unused = nn.Linear(2, 2) if fault == "unused" else None

    def forward(self, features: Tensor) -> Tensor:
        embeddings: Tensor = self.linear(features.mean(dim=1))
        return FAULTS[self.fault](embeddings, features)


FAULTS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "none": lambda e, x: e,
    "unused": lambda e, x: e,
    "shape": lambda e, x: e.unsqueeze(1),
    "dtype": lambda e, x: e.double(),
    "finite": lambda e, x: e / 0,
    "random": lambda e, x: e + torch.rand_like(e),
    "batch": lambda e, x: e - e.mean(dim=0),
    "length": lambda e, x: e if x.shape[1] == 200 else e[:, :2],
    "overflow": lambda e, x: e * (1e39 if torch.is_autocast_enabled("cpu") else 1.0),
    "coarse": lambda e, x: e.round() if torch.is_autocast_enabled("cpu") else e,
}


@dataclass(frozen=True)
class Broken:
    fault: str = "none"
    embedding_size: int = 4

    version: ClassVar[int] = 1

    def inputs(self) -> Fbank:
        return Fbank(bins=6)

    def build(self) -> nn.Module:
        return Trunk(self.fault)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("unused", "no gradient reaches unused.weight, unused.bias"),
        ("shape", r"embeddings have shape \(3, 1, 4\), not \(3, 4\)"),
        ("dtype", "embeddings are torch.float64"),
        ("finite", "embeddings are not finite"),
        ("random", "evaluation twice gives two answers"),
        ("batch", "one alone differs from the same within a batch"),
        ("length", r"shape \(2, 2\), not \(2, 4\)"),
        ("overflow", "bfloat16 embedding under autocast is not finite"),
        ("coarse", "bfloat16 embedding under autocast differs by"),
    ],
)
def test_a_broken_model_is_caught_by_name(fault: str, message: str) -> None:
    check_model(Broken())
    with pytest.raises(ConformanceError, match=f"Broken: .*{message}"):
        check_model(Broken(fault))


class Unsaved(nn.Linear):
    """A trunk whose function depends on something that is not saved."""

    def __init__(self) -> None:
        super().__init__(6, 4)
        self.shift = torch.randn(())

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features) + self.shift


@dataclass(frozen=True)
class Short(Broken):
    """Declares how few frames its network takes."""

    least: int = 3

    def inputs(self) -> Fbank:
        return Fbank(bins=6, least_frames=self.least)

    def build(self) -> nn.Module:
        return nn.Sequential(Mirrored(), Trunk("none"))


class Mirrored(nn.Module):
    """Pads by two frames at either end, in a mirror, as ECAPA-TDNN does."""

    def forward(self, frames: Tensor) -> Tensor:
        return nn.functional.pad(frames.transpose(1, 2), (2, 2), mode="reflect").transpose(1, 2)


@pytest.mark.parametrize("least", [1, 2])
def test_a_model_that_declares_too_few_frames_is_caught(least: int) -> None:
    check_model(Short())
    with pytest.raises(ConformanceError, match=f"Short: cannot take {least} frames .*Padding size"):
        check_model(Short(least=least))


def test_a_model_takes_one_frame_at_least() -> None:
    with pytest.raises(ConformanceError, match="Short: declares least_frames = 0"):
        check_model(Short(least=0))


@dataclass(frozen=True)
class Forgetful(Broken):
    def inputs(self) -> Any:
        return Vector(size=6)

    def build(self) -> nn.Module:
        return Unsaved()


def test_a_model_that_forgets_its_state_is_caught() -> None:
    with pytest.raises(ConformanceError, match="differ after saving and loading"):
        check_model(Forgetful())


@dataclass
class Thawed:
    version: ClassVar[int] = 1
    embedding_size: int = 4

    def inputs(self) -> Fbank:
        return Fbank(bins=6)

    def build(self) -> nn.Module:
        return Trunk("none")


def test_an_adapter_that_can_change_is_caught() -> None:
    with pytest.raises(ConformanceError, match="Thawed: is no frozen dataclass"):
        check_model(Thawed())


@dataclass(frozen=True)
class Unwritten(Broken):
    """A field that no benchmark file can hold."""

    kinds: Any = frozenset({"a"})


@dataclass(frozen=True)
class Rounded(Broken):
    """A field that comes back as something else."""

    sizes: Any = (1, 2)


@dataclass(frozen=True)
class Optional(Broken):
    """A field that may be left out, and one that is read as what it was."""

    rank: int | None = None
    sizes: tuple[int, ...] = (1, 2)


def test_fields_that_no_table_can_hold_are_caught() -> None:
    check_model(Optional())
    with pytest.raises(ConformanceError, match=r"Unwritten: .* do not go through a TOML table"):
        check_model(Unwritten())
    with pytest.raises(ConformanceError, match="another one when its fields went through a TOML"):
        check_model(Rounded())


class BrokenHead(nn.Module):
    def __init__(self, fault: str, size: int, classes: int) -> None:
        super().__init__()
        self.fault = fault
        self.classifier = nn.Linear(size, classes)
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros(()))
        self.margin: Any = "wide" if fault == "margin" else 0.2

    def logits(self, embeddings: Tensor) -> Tensor:
        logits: Tensor = self.classifier(embeddings)
        return logits[:, :1] if self.fault == "logits" else logits

    def forward(self, embeddings: Tensor, batch: Batch) -> Any:
        kept = embeddings.detach() if self.fault == "detached" else embeddings
        logits = self.classifier(kept)
        reduction = "none" if self.fault == "scalar" else "mean"
        loss = functional.cross_entropy(logits, batch.labels, reduction=reduction)
        if self.fault == "moving":
            self.seen += 1
        if self.fault == "tuple":
            return loss, logits
        if self.fault == "half" and torch.is_autocast_enabled("cpu"):
            loss = loss * 2
        return LossOutput(loss / 0 if self.fault == "finite" else loss, logits)


@dataclass(frozen=True)
class BrokenLoss:
    fault: str = "none"

    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset()
    scheduled: ClassVar[tuple[str, ...]] = ("margin",)

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        return BrokenHead(self.fault, embedding_size, classes)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("margin", "scheduled `margin` of the head is no float"),
        ("tuple", "answers no LossOutput"),
        ("scalar", r"the loss has shape \(8,\)"),
        ("finite", "the loss is not finite"),
        ("logits", r"logits have shape \(8, 1\), not \(8, 5\)"),
        ("half", "bfloat16 loss under autocast differs by 1.00 of its size"),
        ("moving", "evaluation changes seen"),
        ("detached", "no finite gradient other than zero reaches the embeddings"),
    ],
)
def test_a_broken_loss_is_caught_by_name(fault: str, message: str) -> None:
    check_loss(BrokenLoss())
    with pytest.raises(ConformanceError, match=f"BrokenLoss: .*{message}"):
        check_loss(BrokenLoss(fault))
