"""Networks that keep little against themselves keeping everything, which is plain autograd."""

from __future__ import annotations

import hashlib

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from adapters.native.campplus import CamPlusPlusBackbone
from adapters.native.eres2net import ERes2NetBackbone, ERes2NetV2Backbone
from adapters.native.recomputation import Keeps, Stretch, keep
from adapters.native.recomputed_layers import BatchNorm2d, Conv2d, add_and_clip, convolve_parts
from tests.adapters.native.small import (
    NETWORKS,
    SIZE,
    farthest,
    features,
    gradients,
    small,
    weighed,
)

LEAN: tuple[Keeps, ...] = ("convolutions", "inputs")


@pytest.fixture(params=sorted(NETWORKS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LEAN)
def keeps(request: pytest.FixtureRequest) -> Keeps:
    kept: Keeps = request.param
    return kept


def buffers(network: nn.Module) -> dict[str, Tensor]:
    return {key: value.double().clone() for key, value in network.named_buffers()}


class Counted(TorchDispatchMode):
    """Counts convolutions, forward and backward."""

    def __init__(self) -> None:
        super().__init__()
        self.forward = self.backward = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.forward += func is torch.ops.aten.convolution.default
        self.backward += func is torch.ops.aten.convolution_backward.default
        return func(*args, **(kwargs or {}))


def test_outputs_gradients_and_running_statistics_are_those_of_plain_autograd(
    name: str, keeps: Keeps
) -> None:
    plain, lean = small(name, "everything"), small(name, keeps)
    losses = [weighed(network(features())) for network in (plain, lean)]
    assert float(losses[1].detach()) == pytest.approx(float(losses[0].detach()), rel=1e-11)
    assert farthest(gradients(lean, losses[1]), gradients(plain, losses[0])) < 1e-11
    assert farthest(buffers(lean), buffers(plain)) < 1e-12


def test_the_gradient_reaches_the_features(name: str, keeps: Keeps) -> None:
    found = []
    for network in (small(name, "everything"), small(name, keeps)):
        given = features().requires_grad_()
        weighed(network(given)).backward()
        assert given.grad is not None
        found.append({"features": given.grad})
    assert farthest(found[1], found[0]) < 1e-11


def test_running_statistics_move_once_a_step(name: str, keeps: Keeps) -> None:
    network = small(name, keeps)
    loss = weighed(network(features()))
    before = buffers(network)
    loss.backward()
    after = buffers(network)
    assert all(torch.equal(before[key], after[key]) for key in before)
    tracked = [value for key, value in after.items() if key.endswith("num_batches_tracked")]
    assert tracked
    assert all(float(value) == 1 for value in tracked)


def test_only_checkpointing_computes_convolutions_twice(name: str) -> None:
    counts = {}
    for keeps in ("everything", *LEAN):
        network, counted = small(name, keeps), Counted()
        with counted:
            loss = weighed(network(features()))
            first = counted.forward
            loss.backward()
        counts[keeps] = (first, counted.forward - first)
    convolutions = counts["everything"][0]
    assert counts["everything"][1] == counts["convolutions"][1] == 0
    assert counts["inputs"][0] == convolutions
    assert convolutions / 2 < counts["inputs"][1] <= convolutions


def test_single_precision_is_as_near_as_its_rounding(name: str, keeps: Keeps) -> None:
    exact = small(name, "everything")
    truth = weighed(exact(features()))
    wanted, errors, losses = gradients(exact, truth), [], []
    for kept in ("everything", keeps):
        network = small(name, kept, torch.float32)
        loss = weighed(network(features(torch.float32)))
        losses.append(abs(float(loss.detach() / truth.detach()) - 1))
        found = gradients(network, loss)
        errors.append(farthest({k: v.double() for k, v in found.items()}, wanted))
    # How far rounding carries differs by processor and threads, for plain autograd too.
    assert losses[1] < max(1e-3, 3 * losses[0])
    assert losses[0] < 0.01
    assert errors[1] < max(1e-3, 3 * errors[0])


def test_autocast_is_the_same_in_both_runs(name: str, keeps: Keeps) -> None:
    exact = small(name, "everything")
    wanted = gradients(exact, weighed(exact(features())))
    errors = []
    for kept in ("everything", keeps):
        network = small(name, kept, torch.float32)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = weighed(network(features(torch.float32)).float())
        found = gradients(network, loss)
        assert {gradient.dtype for gradient in found.values()} == {torch.float32}
        errors.append(farthest({k: v.double() for k, v in found.items()}, wanted))
    # Eight bits of mantissa: as far from the truth as plain autograd, within its own noise.
    assert errors[1] < 1.5 * errors[0]


@pytest.mark.parametrize("training", [True, False])
def test_without_gradients_nothing_is_recorded(name: str, keeps: Keeps, training: bool) -> None:
    plain, lean = (small(name, kept).train(training) for kept in ("everything", keeps))
    with torch.inference_mode():
        assert torch.equal(lean(features()), plain(features()))


def test_evaluation_can_be_differentiated(name: str, keeps: Keeps) -> None:
    plain, lean = (small(name, kept).eval() for kept in ("everything", keeps))
    found, wanted = (gradients(each, weighed(each(features()))) for each in (lean, plain))
    assert farthest(found, wanted) < 1e-14


def test_frozen_weights_get_no_gradient(name: str, keeps: Keeps) -> None:
    network = small(name, keeps)
    frozen = [key for key, _ in network.named_parameters()][:7]
    for key, parameter in network.named_parameters():
        parameter.requires_grad_(key not in frozen)
    weighed(network(features())).backward()
    without = [key for key, parameter in network.named_parameters() if parameter.grad is None]
    assert without == frozen


def test_a_frozen_normalisation_uses_its_running_statistics(name: str, keeps: Keeps) -> None:
    networks = [small(name, kept) for kept in ("everything", keeps)]
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.eval()
    wanted, found = (gradients(each, weighed(each(features()))) for each in networks)
    assert farthest(found, wanted) < 1e-11


@pytest.mark.parametrize(
    ("network", "digest"),
    [
        (CamPlusPlusBackbone, "2926dbe6b302b288"),
        (ERes2NetBackbone, "c2ef5402cf612773"),
        (ERes2NetV2Backbone, "a4583e5fde220071"),
    ],
)
def test_a_seed_gives_the_weights_that_it_always_gave(
    network: type[nn.Module], digest: str
) -> None:
    torch.manual_seed(0)
    found = hashlib.sha256()
    for key, value in network().state_dict().items():
        found.update(key.encode())
        found.update(value.numpy().tobytes())
    assert found.hexdigest()[:16] == digest


class Tail(Stretch):
    """Two parts, convolved as one, normalised, added to the first, and clipped."""

    def __init__(self, ceiling: float) -> None:
        super().__init__()
        self.convolution = Conv2d(6, 3, 1)
        self.normalisation = BatchNorm2d(3)
        self.ceiling = ceiling

    def body(self, first: Tensor, second: Tensor) -> Tensor:
        hidden = convolve_parts(self.convolution, (first, second))
        return add_and_clip(self.normalisation, hidden, first, ceiling=self.ceiling)


@pytest.mark.parametrize("ceiling", [0.5, float("inf")])
def test_a_joined_convolution_and_a_clipped_sum_by_their_definition(
    keeps: Keeps, ceiling: float
) -> None:
    torch.manual_seed(0)
    tail = keep(Tail(ceiling), keeps).double()
    parts = [torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    image = torch.cat(parts, dim=1).movedim(1, 3)
    hidden = image @ tail.convolution.weight[:, :, 0, 0].T + tail.convolution.bias
    rows = hidden.reshape(-1, 3)
    scaled = (hidden - rows.mean(0)) / (rows.var(0, correction=0) + 1e-5).sqrt()
    scaled = scaled * tail.normalisation.weight + tail.normalisation.bias
    slow = (scaled + parts[0].movedim(1, 3)).clamp(0, ceiling).movedim(3, 1)
    found = tail(*parts)
    assert torch.allclose(found, slow, atol=1e-12)
    weights = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    places = (*parts, *tail.parameters())
    wanted = torch.autograd.grad((slow * weights).sum(), places)
    for one, two in zip(torch.autograd.grad((found * weights).sum(), places), wanted, strict=True):
        assert torch.allclose(one, two, atol=1e-11)


def test_one_value_a_channel_has_no_variance(keeps: Keeps) -> None:
    tail = keep(Tail(1.0), keeps)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        tail(torch.ones(1, 3, 1, 1), torch.ones(1, 3, 1, 1))


def test_a_normalisation_without_a_momentum_is_refused(keeps: Keeps) -> None:
    tail = keep(Tail(1.0), keeps)
    tail.normalisation.momentum = None
    with pytest.raises(ValueError, match="give it a momentum, got None"):
        tail(torch.ones(2, 3, 1, 1), torch.ones(2, 3, 1, 1))


def test_embeddings_have_their_size(name: str) -> None:
    assert small(name, "convolutions")(features()).shape == (4, SIZE)
