"""ResNet34's attentive poolings; tests of parity hold them to WeSpeaker's own."""

from __future__ import annotations

import pytest

from adapters.native.pooling import MultiQueryPooling


def test_heads_that_do_not_divide_the_features_are_refused() -> None:
    with pytest.raises(ValueError, match="1500 features of a frame cannot be cut into 8 heads"):
        MultiQueryPooling(1500)
