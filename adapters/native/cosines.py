"""Cosines to class centres, and margins on their angles."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

# Bounds the derivative of the sine, which is infinite where the cosine is 1 or -1.
_LEAST_SQUARED_SINE = 1e-7


def cosines(embeddings: Tensor, centres: Tensor) -> Tensor:
    """Cosine of each embedding with each centre: `[batch, size]` and `[n, size]` to `[batch, n]`.

    The answer has the centres' type: autocast would round it to 8 bits, which a scale makes felt.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        directions = functional.normalize(embeddings.to(centres.dtype))
        return functional.linear(directions, functional.normalize(centres))


def margined(cosine: Tensor, margin: float, *, easy: bool = False) -> Tensor:
    """Widen an angle, given and returned as its cosine: cos(theta + margin).

    Where theta + margin would pass pi, cos(theta + margin) would rise again and pull the
    embedding away from its class; there the cosine is shifted instead, by the constant that
    meets cos(pi) = -1 at the seam: cos(theta) - (1 - cos(margin)). The result is continuous and
    falls everywhere as the angle grows, and its gradient is finite everywhere, +-1 included.

    Args:
        cosine: cosines of any shape.
        margin: in radians, 0 to pi.
        easy: widen only angles under a right angle, leave others as they are ("easy margin").
    """
    sine = (1 - cosine.square()).clamp(min=_LEAST_SQUARED_SINE).sqrt()
    widened = cosine * math.cos(margin) - sine * math.sin(margin)
    if easy:
        return torch.where(cosine > 0, widened, cosine)
    return torch.where(cosine > -math.cos(margin), widened, cosine - (1 - math.cos(margin)))


def narrowed(cosine: Tensor, margin: float) -> Tensor:
    """Make an angle smaller, given and returned as its cosine: cos(theta - margin).

    An angle seen from the opposite side is pi - theta, so this is `margined` there: under the
    margin, where the cosine would fall again and draw an embedding closer to what it should
    leave, it is shifted by a constant instead, and the gradient is finite at +-1.

    Args:
        cosine: cosines of any shape.
        margin: in radians, 0 to pi.
    """
    return -margined(-cosine, margin)
