"""Mixup and CutMix: shares, labels and rectangles that go with one another."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats
from torch.nn import functional

from adapters.losses import Softmax
from harness.adapter import Batch
from harness.config.recipe_tables import Augment
from harness.feeding.mixing import Mixing, draw_mixing, mix_inputs

ROWS = 6


def drawn(augment: Augment, rows: int = ROWS, step: int = 0) -> Mixing:
    return draw_mixing(augment, 5, step, rows)


def test_mixup_is_the_weighed_mean_of_two_items() -> None:
    values, labels = torch.randn(ROWS, 3, 4, 5), torch.arange(ROWS)
    mixing = drawn(Augment(mixup=0.4))
    mixed, told = mix_inputs(values, labels, mixing)
    assert torch.equal(told.labels, labels[mixing.partners])
    for row in range(ROWS):
        share = float(told.weights[row])
        wanted = share * values[row] + (1 - share) * values[mixing.partners[row]]
        torch.testing.assert_close(mixed[row], wanted)


@given(st.integers(0, 10**6), st.integers(2, 33), st.integers(2, 33))
@settings(max_examples=30, deadline=None)
def test_a_label_weighs_what_its_picture_covers(step: int, height: int, width: int) -> None:
    values = torch.arange(1.0, ROWS + 1).view(-1, 1, 1, 1).expand(-1, 2, height, width)
    mixing = drawn(Augment(cutmix=1.0), step=step)
    mixed, told = mix_inputs(values, torch.arange(ROWS), mixing)
    for row in range(ROWS):
        if mixing.partners[row] == row:
            continue
        own = mixed[row, 0] == row + 1
        assert (own | (mixed[row, 0] == mixing.partners[row] + 1)).all()
        assert float(own.float().mean()) == pytest.approx(float(told.weights[row]), abs=1e-6)
        assert torch.equal(mixed[row, 0], mixed[row, 1])
        laid = (~own).nonzero()
        if len(laid):  # one rectangle, whole
            (top, left), (bottom, right) = laid.amin(0), laid.amax(0)
            assert len(laid) == int((bottom - top + 1) * (right - left + 1))


def test_shares_are_of_a_beta_distribution() -> None:
    shares = np.concatenate([drawn(Augment(mixup=0.4), 500, step).shares for step in range(4)])
    assert stats.kstest(shares, stats.beta(0.4, 0.4).cdf).pvalue > 0.001


def test_so_many_items_are_mixed() -> None:
    mixing = drawn(Augment(mixup=1.0, mixed=0.3), 4000)
    assert float((mixing.shares < 1).float().mean()) == pytest.approx(0.3, abs=0.03)
    both = drawn(Augment(mixup=1.0, cutmix=1.0), 4000)
    assert float(both.cut.float().mean()) == pytest.approx(0.5, abs=0.03)


def test_draws_are_of_seed_and_step_alone() -> None:
    plan = Augment(mixup=0.2, cutmix=1.0)
    one, again, other = drawn(plan, step=3), drawn(plan, step=3), drawn(plan, step=4)
    assert all(torch.equal(*pair) for pair in zip(one, again, strict=True))
    assert not torch.equal(one.shares, other.shares)
    assert sorted(one.partners.tolist()) == list(range(ROWS))


def test_the_loss_is_that_of_soft_labels() -> None:
    head = Softmax().build(4, ROWS)
    rows, labels = torch.randn(ROWS, 4), torch.arange(ROWS)
    _, told = mix_inputs(rows, labels, drawn(Augment(mixup=1.0)))
    found = head(rows, Batch(labels, mix_labels=told.labels, mix_weights=told.weights)).loss
    soft = told.weights[:, None] * functional.one_hot(labels, ROWS)
    soft = soft + (1 - told.weights)[:, None] * functional.one_hot(told.labels, ROWS)
    torch.testing.assert_close(found, functional.cross_entropy(head.logits(rows), soft))


def test_a_share_of_what_is_refused() -> None:
    with pytest.raises(ValidationError, match="mixed: by what"):
        Augment(mixed=0.5)
