"""How strong sound is, and how strong it may get."""

from __future__ import annotations

from torch import Tensor


def power(wave: Tensor) -> Tensor:
    """Mean square of every row, `[rows]`."""
    return wave.square().mean(-1)


def limited(wave: Tensor) -> Tensor:
    """Turn down the rows that leave -1..1 until they just fit; nothing is clipped.

    The ratio of what is heard in a row stays as it was.
    """
    return wave / wave.abs().amax(-1, keepdim=True).clamp_min(1.0)
