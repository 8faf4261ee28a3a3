"""Whether weights fit a model, found without building it in memory."""

from __future__ import annotations

from typing import Any

import torch

from harness.config.imports import construct
from harness.errors import ConfigError, RequestError
from harness.train.checkpoint import Weights
from harness.train.foreign import fitted


def fits(adapter: str, fields: dict[str, Any], weights: Weights, where: str) -> bool:
    """Tell whether a model has a place for each weight of a network, of the right shape.

    Args:
        adapter: import path of the model.
        fields: its fields.
        weights: the checkpoint's.
        where: the model's table.
    """
    try:
        model = construct(adapter, fields, where)
        with torch.device("meta"):
            wanted = model.build().state_dict()
        fitted(weights, wanted, where)
    except (ConfigError, RequestError):  # it cannot be built here, or is another network
        return False
    except RuntimeError:  # it needs numbers to be built, which the meta device has none of
        return False
    return True
