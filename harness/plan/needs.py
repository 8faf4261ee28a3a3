"""What a loss asks of its batches, held against what the loop draws."""

from __future__ import annotations

from harness.adapter import LossAdapter
from harness.errors import ConfigError

DRAWN = frozenset({"full_batch"})
"""A step's batch is never divided."""

ASKED = {"pk": "several utterances of each of a batch's speakers", "pairs": "pairs"}


def check_needs(loss: LossAdapter, where: str) -> None:
    """Refuse a loss that no batch here would serve.

    Args:
        loss: its adapter.
        where: the loss's table, for the error.

    Raises:
        ConfigError: it asks for batches that recipes do not draw.
    """
    for need in sorted(loss.needs - DRAWN):
        raise ConfigError(
            f"{where}: asks for batches with {ASKED.get(need, need)} ({need}), which recipes do "
            "not draw yet; choose another loss"
        )
