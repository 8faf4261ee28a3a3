"""Cosines to class centres, and the margin of a class that is not the example's own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from adapters.native.aam_head import margined


def cosines(embeddings: Tensor, centres: Tensor) -> Tensor:
    """Cosine of each embedding with each centre: `[batch, size]` and `[n, size]` to `[batch, n]`.

    The answer has the centres' type: autocast would round it to 8 bits, which a scale makes felt.
    """
    with torch.autocast(embeddings.device.type, enabled=False):
        directions = functional.normalize(embeddings.to(centres.dtype))
        return functional.linear(directions, functional.normalize(centres))


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
