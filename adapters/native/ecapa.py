"""SpeechBrain's ECAPA-TDNN with the harness's output shape.

Desplanques et al., "ECAPA-TDNN", Interspeech 2020, arXiv:2005.07143.
"""

from __future__ import annotations

import sys

from speechbrain.lobes.models.ECAPA_TDNN import (  # type: ignore[import-untyped,unused-ignore]
    ECAPA_TDNN,
)
from speechbrain.utils.importutils import (  # type: ignore[import-untyped,unused-ignore]
    LazyModule,
)
from torch import Tensor


class EcapaTdnnBackbone(ECAPA_TDNN):  # type: ignore[misc]
    """SpeechBrain's own network: a subclass keeps the state dict that its checkpoints have."""

    def forward(self, features: Tensor) -> Tensor:
        """Map `[batch, frames, bins]` to `[batch, embedding_size]`."""
        embedding: Tensor = super().forward(features).squeeze(1)
        return embedding


# SpeechBrain puts modules into `sys.modules` that import themselves, and fail if k2 or another
# optional library is absent, as soon as an attribute is read. Whoever looks through all modules
# (`inspect`, and so hypothesis and parts of torch) asks each for `__file__`, and would die of that
# ImportError. A None that is there already is an answer that imports nothing.
for _module in list(sys.modules.values()):
    if isinstance(_module, LazyModule):
        vars(_module).setdefault("__file__", None)
