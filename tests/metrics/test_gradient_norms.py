"""Gradients over easy and hard items: laws of histograms, evenness and shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import entropy

from harness.metrics.gradient_norms import (
    density,
    evenness,
    hardest_share,
    mean_weights,
    spread,
    sums_by_bin,
)

NORMS = st.integers(1, 60).map(lambda items: np.random.default_rng(items).beta(0.5, 0.5, items))


@settings(deadline=None)
@given(NORMS, st.integers(1, 12))
def test_bins_hold_every_item_once_and_a_density_has_the_mean_one(
    norms: NDArray[np.float64], bins: int
) -> None:
    norms = np.append(norms, [0.0, 1.0])
    counts = sums_by_bin(norms, bins=bins)
    reference, _ = np.histogram(np.floor(norms * bins).clip(max=bins - 1), np.arange(bins + 1))
    assert counts.tolist() == reference.tolist()
    assert density(counts).mean() == pytest.approx(1)


@settings(deadline=None)
@given(st.lists(st.floats(0, 9), min_size=2, max_size=9).filter(lambda parts: sum(parts) > 1e-6))
def test_evenness_is_the_entropy_over_its_largest_value(parts: list[float]) -> None:
    found = evenness(np.array(parts))
    assert found == pytest.approx(entropy(parts) / math.log(len(parts)), abs=1e-9)
    assert 0 <= found <= 1 + 1e-12


def test_nothing_is_neither_even_nor_uneven() -> None:
    assert math.isnan(evenness(np.zeros(4)))
    assert math.isnan(hardest_share(np.array([0.5]), np.array([0.0])))


@settings(deadline=None)
@given(NORMS, st.floats(0.01, 1))
def test_equal_weights_give_the_hardest_their_own_share(
    norms: NDArray[np.float64], share: float
) -> None:
    assert hardest_share(norms, np.full(len(norms), 3.0), share) == pytest.approx(share)


def test_weights_that_are_the_inverse_density_balance_every_bin() -> None:
    """The paper's harmonised weights: each bin has as much weight as any other."""
    norms = np.array([0.05] * 6 + [0.35] * 3 + [0.95])
    counts = sums_by_bin(norms)
    weights = 1 / counts[(norms * 10).astype(int)]
    assert sums_by_bin(norms, weights)[counts > 0] == pytest.approx(1)
    assert mean_weights(norms, weights)[counts > 0] == pytest.approx(1 / counts[counts > 0])
    assert hardest_share(norms, weights) == pytest.approx(1 / 3)


def test_nine_statistics() -> None:
    values = np.array([0.2, 0.25, 0.9])
    found = spread(values, sums_by_bin(values, bins=4))
    assert (found.count, found.median, found.minimum, found.maximum) == (3, 0.25, 0.2, 0.9)
    assert (found.mean, found.deviation) == (pytest.approx(0.45), pytest.approx(values.std()))
    assert (found.fullest, found.emptiest) == (0, 2)  # one in each of three bins, the third empty
    assert found.evenness == pytest.approx(math.log(3) / math.log(4))
