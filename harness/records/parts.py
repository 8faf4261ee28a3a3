"""A batch that goes through a network in parts, in words."""

from __future__ import annotations

import math


def in_parts(batch: int, part: int | None, word: str = "") -> str:
    """The batch, and of how many parts of how many items it is where it is not computed at once.

    Args:
        batch: items of a training step.
        part: the most items of it that are computed together; None for all of them.
        word: what is said of the batch.

    >>> in_parts(128, 32), in_parts(56, 19, "used"), in_parts(64, None)
    ('128 = 4 x 32', '56 used = 3 x 19', '64')
    """
    named = f"{batch} {word}".rstrip()
    return f"{named} = {math.ceil(batch / part)} x {part}" if part else named


def items_in_part(batch: int, parts: int) -> int | None:
    """Items of the largest of even parts; None where the batch is not in parts.

    >>> items_in_part(56, 3), items_in_part(64, 1)
    (19, None)
    """
    return math.ceil(batch / parts) if parts > 1 else None
