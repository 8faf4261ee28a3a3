"""What autograd keeps of a forward pass until the backward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MEBIBYTE = 2**20


def saved_mebibytes(network: nn.Module, features: Tensor) -> float:
    """MiB a crop in distinct storages, weights and running statistics apart.

    Args:
        network: in training mode.
        features: `[crops, frames, bins]`.
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
    # Held, so that no storage is freed and its address given to another.
    held: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(features)
    return sum(storage.nbytes() for storage in held.values()) / len(features) / MEBIBYTE
