"""GHM-C against a slow reference that keeps lists and loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from adapters.ghm import GhmClassification, GhmSigmoid
from adapters.native.ghm_head import GhmHead, gradient_norm
from harness.adapter import Batch
from harness.testing import check_loss

SIZE, CLASSES = 5, 3


def ghm_head(bins: int, momentum: float) -> GhmHead:
    torch.manual_seed(0)
    head = GhmClassification(bins=bins, momentum=momentum).build(SIZE, CLASSES).double()
    assert isinstance(head, GhmHead)
    return head


def batches(count: int, size: int = 40) -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(3)
    return [
        (
            3 * torch.randn(size, SIZE, dtype=torch.float64, generator=generator),
            torch.randint(CLASSES, (size,), generator=generator),
        )
        for _ in range(count)
    ]


class SlowGhm:
    """The paper's counts, as counts: one running count a bin."""

    def __init__(self, bins: int, momentum: float) -> None:
        self.bins, self.momentum = bins, momentum
        self.running: list[float] | None = None

    def __call__(
        self,
        rows: list[list[float]],
        labels: list[int],
        weight: list[list[float]],
        bias: list[float],
    ) -> tuple[float, list[list[float]], list[float]]:
        """Loss, its gradient on the embeddings, and the examples' weights."""
        shares = [softmax(row, weight, bias) for row in rows]
        norms = [abs(1 - p[y]) for p, y in zip(shares, labels, strict=True)]
        places = [min(int(g * self.bins), self.bins - 1) for g in norms]
        counts = [float(places.count(b)) for b in range(self.bins)]
        self.move(counts)
        assert self.running is not None
        filled = sum(count > 0 for count in counts)
        betas = [len(rows) / (self.running[place] * filled) for place in places]
        loss, gradients = 0.0, []
        for beta, p, y in zip(betas, shares, labels, strict=True):
            loss -= beta * math.log(p[y]) / len(rows)
            pull = [(p[c] - (c == y)) * beta / len(rows) for c in range(CLASSES)]
            gradients.append(
                [sum(pull[c] * weight[c][j] for c in range(CLASSES)) for j in range(SIZE)]
            )
        return loss, gradients, betas

    def move(self, counts: list[float]) -> None:
        if self.running is None:
            self.running = counts
        else:
            self.running = [
                self.momentum * old + (1 - self.momentum) * new
                for old, new in zip(self.running, counts, strict=True)
            ]


def dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def softmax(row: list[float], weight: list[list[float]], bias: list[float]) -> list[float]:
    powers = [math.exp(dot(w, row) + b) for w, b in zip(weight, bias, strict=True)]
    return [power / sum(powers) for power in powers]


@pytest.mark.parametrize("bins", [1, 4, 10])
@pytest.mark.parametrize("momentum", [0.0, 0.75])
def test_loss_and_gradient_are_the_references(bins: int, momentum: float) -> None:
    head, slow = ghm_head(bins, momentum), SlowGhm(bins, momentum)
    weight, bias = head.classifier.weight.tolist(), head.classifier.bias.tolist()
    for rows, labels in batches(4):
        rows.requires_grad_()
        output = head(rows, Batch(labels))
        output.loss.backward()
        loss, gradients, betas = slow(rows.tolist(), labels.tolist(), weight, bias)
        assert float(output.loss.detach()) == pytest.approx(loss, rel=1e-12)
        assert rows.grad is not None
        assert torch.allclose(rows.grad, torch.tensor(gradients, dtype=torch.float64))
        assert output.statistics["mean_weight"] == pytest.approx(sum(betas) / len(betas))


def test_one_bin_is_plain_cross_entropy() -> None:
    head = ghm_head(1, 0.75)
    for rows, labels in batches(3):
        output = head(rows, Batch(labels))
        expected = torch.nn.functional.cross_entropy(head.logits(rows), labels)
        assert torch.allclose(output.loss, expected)


def test_the_mean_weight_is_one_without_momentum() -> None:
    head = ghm_head(10, 0.0)
    for rows, labels in batches(3):
        statistics = head(rows, Batch(labels)).statistics
        assert statistics["mean_weight"] == pytest.approx(1)


def test_the_gradient_norm_is_half_the_l1_norm_of_the_gradient_on_the_logits() -> None:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(9, 4, dtype=torch.float64, generator=generator).requires_grad_()
    labels = torch.arange(9) % 4
    torch.nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    assert logits.grad is not None
    assert torch.allclose(gradient_norm(logits, labels), logits.grad.abs().sum(dim=1) / 2)


def test_easiest_and_hardest_shares() -> None:
    head = ghm_head(10, 0.0)
    with torch.no_grad():
        head.classifier.weight.copy_(torch.eye(CLASSES, SIZE))
        head.classifier.bias.zero_()
    rows = 20 * torch.eye(SIZE, dtype=torch.float64)[[0, 0, 1, 0]]
    statistics = head(rows, Batch(torch.tensor([0, 0, 1, 1]))).statistics
    assert statistics["easiest_share"] == 0.75
    assert statistics["hardest_share"] == 0.25


def test_the_density_is_saved_and_evaluation_leaves_it_alone() -> None:
    head, (first, second) = ghm_head(10, 0.75), batches(2)
    head(first[0], Batch(first[1]))
    kept = head.state_dict()["density"].clone()
    assert kept.sum() == pytest.approx(1)
    head.eval()(second[0], Batch(second[1]))
    assert torch.equal(head.density, kept)
    head.train()(second[0], Batch(second[1]))
    assert not torch.equal(head.density, kept)


def test_a_smaller_batch_of_the_same_mixture_weighs_the_same() -> None:
    rows, labels = batches(1)[0]
    weights = []
    for size in (1, 2):
        head = ghm_head(10, 0.75)
        head(torch.cat([rows, rows]), Batch(torch.cat([labels, labels])))
        output = head(torch.cat([rows] * size), Batch(torch.cat([labels] * size)))
        weights.append(output.statistics["mean_weight"])
    assert weights[0] == pytest.approx(weights[1])


def test_weights_carry_no_gradient() -> None:
    head, (rows, labels) = ghm_head(10, 0.75), batches(1)[0]
    head(rows, Batch(labels)).loss.backward()
    assert not head.density.requires_grad


def test_mixed_labels_are_refused() -> None:
    head, (rows, labels) = ghm_head(10, 0.75), batches(1)[0]
    with pytest.raises(ValueError, match="one label"):
        head(rows, Batch(labels, mix_labels=labels, mix_weights=torch.ones(len(labels))))


def slow_sigmoid(logits: list[list[float]], labels: list[int], bins: int) -> float:
    """GHM-C of the paper: each class of each example is one of N examples of its own."""
    norms, losses = [], []
    for row, label in zip(logits, labels, strict=True):
        for place, logit in enumerate(row):
            p = 1 / (1 + math.exp(-logit))
            norms.append(1 - p if place == label else p)
            losses.append(-math.log(p if place == label else 1 - p))
    places = [min(int(g * bins), bins - 1) for g in norms]
    filled = len(set(places))
    betas = [len(norms) / (places.count(place) * filled) for place in places]
    return sum(b * loss for b, loss in zip(betas, losses, strict=True)) / len(norms)


def test_the_sigmoid_form_is_the_papers() -> None:
    torch.manual_seed(0)
    head = GhmSigmoid(momentum=0.0).build(SIZE, CLASSES).double()
    for rows, labels in batches(3):
        output = head(rows, Batch(labels))
        wanted = slow_sigmoid(output.logits.tolist(), labels.tolist(), 10)
        assert float(output.loss.detach()) == pytest.approx(wanted, rel=1e-6)


def test_exact_densities_weigh_the_losses() -> None:
    torch.manual_seed(0)
    head = GhmClassification(momentum=0.0, density="exact").build(SIZE, CLASSES).double()
    rows, labels = batches(1)[0]
    output = head(rows, Batch(labels))
    norms = gradient_norm(output.logits, labels).tolist()
    total = 0.0
    for g in norms:
        near = sum(g - 0.05 <= other < g + 0.05 for other in norms)
        length = min(g + 0.05, 1.0) - max(g - 0.05, 0.0)
        total -= math.log(1 - g) * length / near
    assert float(output.loss.detach()) == pytest.approx(total, rel=1e-6)


FORMS = [
    GhmClassification(),
    GhmClassification(momentum=0.0, density="exact"),
    GhmSigmoid(),
    GhmSigmoid(momentum=0.0, density="exact"),
]


@pytest.mark.parametrize("adapter", FORMS, ids=repr)
def test_every_form_conforms(adapter: GhmClassification) -> None:
    check_loss(adapter)


@pytest.mark.parametrize("adapter", FORMS, ids=repr)
def test_one_example_is_a_batch(adapter: GhmClassification) -> None:
    rows, labels = batches(1, size=1)[0]
    output = adapter.build(SIZE, CLASSES).double()(rows.requires_grad_(), Batch(labels))
    output.loss.backward()
    assert output.loss.isfinite()
    assert rows.grad is not None
    assert rows.grad.isfinite().all()


@pytest.mark.parametrize("adapter", FORMS, ids=repr)
def test_a_batch_that_is_no_number_is_told_of_by_the_loss_alone(adapter: GhmClassification) -> None:
    head = adapter.build(SIZE, CLASSES).double()
    rows, labels = batches(1)[0]
    head(rows, Batch(labels))
    kept = head.density.clone()
    rows[0, 0] = torch.nan
    assert head(rows, Batch(labels)).loss.isnan()
    assert torch.equal(head.density, kept)


@pytest.mark.parametrize(
    "fields",
    [
        {"bins": 0},
        {"momentum": 1.0},
        {"momentum": -0.1},
        {"density": "smooth"},
        {"density": "exact"},
    ],
)
@pytest.mark.parametrize("adapter", [GhmClassification, GhmSigmoid])
def test_fields_that_make_no_sense_are_refused(
    adapter: type[GhmClassification], fields: dict[str, float]
) -> None:
    with pytest.raises(ValueError, match="must be"):
        adapter(**fields)  # type: ignore[arg-type]
