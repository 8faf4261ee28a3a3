"""Densities of gradient norms against loops over the paper's definitions, and at their limits."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from adapters.native.harmonising import Harmonising, exact_weights

NORMS = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


class Bare(Harmonising):
    def __init__(self, bins: int, momentum: float = 0.0, density: str = "bins") -> None:
        super().__init__()
        self.begin_density(bins, momentum, density)  # type: ignore[arg-type]
        self.double()

    def weights(self, norms: list[float]) -> list[float]:
        found: list[float] = self.harmonise(torch.tensor(norms, dtype=torch.float64))[0].tolist()
        return found


def slow_exact(norms: list[float], width: float) -> list[float]:
    """N / GD(g) by equations 4 to 6, one example after another."""
    found = []
    for g in norms:
        near = sum(g - width / 2 <= other < g + width / 2 for other in norms)
        length = min(g + width / 2, 1.0) - max(g - width / 2, 0.0)
        found.append(len(norms) / (near / length))
    return found


def slow_bins(norms: list[float], bins: int) -> list[float]:
    places = [min(int(g * bins), bins - 1) for g in norms]
    filled = len(set(places))
    return [len(norms) / (places.count(place) * filled) for place in places]


@settings(deadline=None, max_examples=40)
@given(NORMS, st.integers(1, 12))
def test_exact_weights_are_the_papers_definition(norms: list[float], bins: int) -> None:
    wanted = slow_exact(norms, 1 / bins)
    assert Bare(bins, density="exact").weights(norms) == pytest.approx(wanted, rel=1e-9)
    single = exact_weights(torch.tensor(norms, dtype=torch.float32), width=1 / bins)
    rounded = torch.tensor(norms, dtype=torch.float32).tolist()
    assert single.tolist() == pytest.approx(slow_exact(rounded, 1 / bins), rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(NORMS, st.integers(1, 12))
def test_weights_by_bins_are_counts(norms: list[float], bins: int) -> None:
    found = Bare(bins).weights(norms)
    assert found == pytest.approx(slow_bins(norms, bins), rel=1e-12)
    assert sum(found) / len(found) == pytest.approx(1)


@settings(deadline=None, max_examples=40)
@given(st.lists(NORMS, min_size=2, max_size=5), st.floats(0.0, 0.95))
def test_momentum_is_a_running_average_of_shares(batches: list[list[float]], m: float) -> None:
    made, running = Bare(4, m), [0.0] * 4
    for number, norms in enumerate(batches):
        places = [min(int(g * 4), 3) for g in norms]
        shares = [places.count(place) / len(norms) for place in range(4)]
        running = [
            share if number == 0 else m * old + (1 - m) * share
            for old, share in zip(running, shares, strict=True)
        ]
        filled = sum(share > 0 for share in shares)
        wanted = [1 / (running[place] * filled) for place in places]
        assert made.weights(norms) == pytest.approx(wanted, rel=1e-9)
    assert made.density.tolist() == pytest.approx(running)


@pytest.mark.parametrize("norm", [0.0, 0.05, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 7])
def test_norms_that_are_all_alike_weigh_the_same(norm: float, count: int) -> None:
    assert Bare(10, 0.75).weights([norm] * count) == pytest.approx([1.0] * count)
    inside = min(norm + 0.05, 1) - max(norm - 0.05, 0)
    found = Bare(10, density="exact").weights([norm] * count)
    assert found == pytest.approx([inside] * count)


@pytest.mark.parametrize("density", ["bins", "exact"])
def test_a_norm_that_is_no_number_moves_no_density(density: str) -> None:
    made = Bare(4, density=density)
    made.weights([0.1, 0.2, 0.9])
    kept = made.density.clone()
    assert all(map(float.__gt__, made.weights([0.1, float("nan"), 0.9]), [0.0] * 3))
    assert torch.equal(made.density, kept)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_norms_of_half_precision_are_taken(dtype: torch.dtype) -> None:
    norms = torch.tensor([0.0, 0.25, 0.251, 1.0], dtype=dtype)
    for density in ("bins", "exact"):
        weights, statistics = Bare(4, density=density).harmonise(norms)
        assert weights.isfinite().all()
        assert all(map(math.isfinite, statistics.values()))


def test_what_is_shown_of_an_exact_density_is_the_last_batchs() -> None:
    made = Bare(2, density="exact")
    made.weights([0.1, 0.2, 0.3, 0.9])
    assert made.vectors()["gradient_density"] == ([0.75, 0.25], [0.0, 0.5, 1.0])
    assert made.vectors()["gradient_weight"][0] == pytest.approx([1 / 1.5, 1 / 0.5])


def test_regions_as_wide_as_everything_weigh_nothing() -> None:
    norms: Tensor = torch.rand(9, generator=torch.Generator().manual_seed(0))
    # About a norm of one half, a region of width 2 holds all norms and the whole of 0..1.
    assert exact_weights(norms, width=2.0).tolist() == pytest.approx([1.0] * 9)
