"""Losses that say they weigh both labels of a mixed item do."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from harness.adapter import Batch, build_head
from harness.config.imports import construct
from harness.config.loader import load
from harness.config.merging import builtin_benchmark

LOSSES = load(builtin_benchmark()).benchmark.losses
CLASSES, SIZE, ITEMS = 5, 6, 7


def made(name: str) -> Any:
    table = LOSSES[name]
    return construct(table.adapter, table.fields, name)


MIXING = [name for name in LOSSES if getattr(made(name), "mixes", False)]


def test_some_do() -> None:
    assert {"softmax", "label-smoothing", "aam", "focal", "class-balanced"} <= set(MIXING)
    assert not {"ghm", "triplet"} & set(MIXING)


@pytest.mark.parametrize("name", MIXING)
def test_the_loss_is_the_weighed_mean_of_both_labels(name: str) -> None:
    torch.manual_seed(0)
    head = build_head(made(name), SIZE, CLASSES, [4, 1, 9, 2, 2]).double()
    rows = torch.randn(ITEMS, SIZE, dtype=torch.float64)
    labels, others = torch.arange(ITEMS) % CLASSES, (torch.arange(ITEMS) + 2) % CLASSES
    shares = torch.rand(ITEMS, dtype=torch.float64)
    found = head(rows, Batch(labels, mix_labels=others, mix_weights=shares)).loss

    def alone(place: int, label: torch.Tensor) -> torch.Tensor:
        own = slice(place, place + 1)
        loss: torch.Tensor = head(rows[own], Batch(label[own])).loss
        return loss

    wanted = sum(
        shares[place] * alone(place, labels) + (1 - shares[place]) * alone(place, others)
        for place in range(ITEMS)
    )
    torch.testing.assert_close(found, wanted / ITEMS)
