"""Autocast as a GPU does it, where there is none: torch casts by a GPU's rules on GPUs alone.

On a processor autocast leaves sums, powers and softmax in half precision. A GPU computes them in
float32, whose results and copies are held for the backward pass.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

FLOAT32 = frozenset(re.findall(r"\w+", """
    acos asin binary_cross_entropy_with_logits cdist cosh cosine_embedding_loss
    cosine_similarity cross_entropy cumprod cumsum dist erfinv exp expm1 group_norm
    hinge_embedding_loss kl_div l1_loss layer_norm log log10 log1p log2 log_softmax
    margin_ranking_loss mse_loss multilabel_margin_loss multi_margin_loss nll_loss norm pdist
    poisson_nll_loss pow __pow__ __rpow__ prod reciprocal renorm rms_norm rsqrt sinh
    smooth_l1_loss soft_margin_loss softmax softmin softplus sum tan triplet_margin_loss
"""))  # fmt: skip
"""What autocast computes in float32 on a GPU, by torch's own list of it."""


class GpuAutocast(TorchFunctionMode):
    """Casts what a GPU's autocast casts to float32, wherever the processor's autocast is on.

    What a network calls is seen, not what torch calls inside an operation of its own.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call a function, its half-precision arguments cast if it is one of `FLOAT32`."""
        named = kwargs or {}
        if getattr(func, "__name__", "") in FLOAT32 and torch.is_autocast_enabled("cpu"):
            args = tuple(map(_whole, args))
            named = {name: _whole(value) for name, value in named.items()}
        return func(*args, **named)


def _whole(value: Any) -> Any:
    half = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if half else value
