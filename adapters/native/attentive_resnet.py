"""ResNet34 with attentive pooling in the place of temporal statistics pooling.

Attribute names follow the state dict of published WeSpeaker checkpoints, so that these load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import nn

from adapters.native.attentive_pooling import AttentiveStatisticsPooling
from adapters.native.multi_query_pooling import MultiQueryPooling
from adapters.native.resnet import ResNet

_QUERIES = 2


class AttentiveResNet(ResNet):
    """A residual network whose frames are weighed before they are pooled.

    With the other defaults: 7,292,384 parameters with `astp`, 8,606,560 with `mqmhastp`.
    """

    def __init__(
        self,
        *,
        pooling: Literal["astp", "mqmhastp"] = "astp",
        bins: int = 80,
        embedding_size: int = 256,
        channels: int = 32,
        blocks: Sequence[int] = (3, 4, 6, 3),
    ) -> None:
        """Builds the network.

        Args:
            pooling: One attention over all features (`astp`), or two queries of eight heads
                (`mqmhastp`).
            bins: Mel bins of the input.
            embedding_size: Dimension of the embedding.
            channels: Channels of the first stage; doubled from stage to stage.
            blocks: Blocks in each of the four stages.
        """
        super().__init__(bins=bins, embedding_size=embedding_size, channels=channels, blocks=blocks)
        statistics = self.seg_1.in_features
        if pooling == "astp":
            self.register_module("pool", AttentiveStatisticsPooling(statistics // 2))
        else:
            self.register_module("pool", MultiQueryPooling(statistics // 2, queries=_QUERIES))
            self.seg_1 = nn.Linear(_QUERIES * statistics, embedding_size)
