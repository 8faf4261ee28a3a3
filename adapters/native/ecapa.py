"""SpeechBrain's ECAPA-TDNN with the harness's output shape, and a backward pass that repeats.

Desplanques et al., "ECAPA-TDNN", Interspeech 2020, arXiv:2005.07143.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from speechbrain.lobes.models.ECAPA_TDNN import (  # type: ignore[import-untyped,unused-ignore]
    ECAPA_TDNN,
)
from speechbrain.nnet.CNN import Conv1d  # type: ignore[import-untyped,unused-ignore]
from speechbrain.utils.importutils import (  # type: ignore[import-untyped,unused-ignore]
    LazyModule,
)
from torch import Tensor
from torch.nn import functional


class EcapaTdnnBackbone(ECAPA_TDNN):  # type: ignore[misc]
    """SpeechBrain's own network: a subclass keeps the state dict that its checkpoints have."""

    def __init__(self, *sizes: Any, **options: Any) -> None:
        super().__init__(*sizes, **options)
        for part in self.modules():
            if isinstance(part, Conv1d):
                part._manage_padding = _pad_like_a_mirror

    def forward(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, embedding_size]`."""
        embedding: Tensor = super().forward(features).squeeze(1)
        return embedding


class MirrorPadding(torch.autograd.Function):
    """Padding of the last axis by its mirror image, whose gradient has the same bits every time.

    torch's own backward pass of it adds in no fixed order on a GPU. The sums are the same, and in
    the order of torch's processor kernel: what comes from the left, the middle, the right.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, width: int) -> Tensor:
        """Pad `[..., length]` to `[..., width + length + width]`; 0 <= width < length."""
        ctx.width = width
        return functional.pad(values, (width, width), mode="reflect")

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Add the gradients of the margins to those of the frames that they mirror."""
        (gradient,), width = gradients, ctx.width
        length = gradient.shape[-1] - 2 * width
        inner = gradient.narrow(-1, width, length).clone()
        if width:
            inner[..., 1 : width + 1] += gradient[..., :width].flip(-1)
            inner[..., -width - 1 : -1] += gradient[..., -width:].flip(-1)
        return inner, None


def _pad_like_a_mirror(values: Tensor, kernel_size: int, dilation: int, _stride: int) -> Tensor:
    """Pad as SpeechBrain's convolutions of stride 1, the only ones here, pad to keep a length."""
    width = dilation * (kernel_size - 1) // 2
    if not torch.is_grad_enabled():  # the same numbers, by an operation that can be exported
        return functional.pad(values, (width, width), mode="reflect")
    padded: Tensor = MirrorPadding.apply(values, width)
    return padded


# SpeechBrain puts modules into `sys.modules` that import themselves, and fail if k2 or another
# optional library is absent, as soon as an attribute is read. Whoever looks through all modules
# (`inspect`, and so hypothesis and parts of torch) asks each for `__file__`, and would die of that
# ImportError. A None that is there already is an answer that imports nothing.
for _module in list(sys.modules.values()):
    if isinstance(_module, LazyModule):
        vars(_module).setdefault("__file__", None)
