"""Checks that trunks and heads share: gradients, saving and loading."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from harness.testing.errors import require

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_HALF_TOLERANCE = 0.1


def seeded(build: Any, *arguments: Any, seed: int = 0) -> nn.Module:
    """Build a module from a seed, and leave the global generator as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: nn.Module = build(*arguments)
    return module


def half_types() -> list[torch.dtype]:
    """Types of half precision in which this machine trains: autocast's on its device."""
    import torch

    return [torch.bfloat16, *([torch.float16] if torch.cuda.is_available() else [])]


def require_close(adapter: Any, half: Tensor, whole: Tensor, *, what: str) -> None:
    """A result of half precision is finite and near that of single precision.

    Near is within a tenth in the Euclidean norm: what is left of 8 bits after tens of layers.
    """
    require(bool(half.isfinite().all()), adapter, f"{what} under autocast is not finite")
    error = float((half.float() - whole).norm() / whole.norm().clamp(min=1e-6))
    message = f"{what} under autocast differs by {error:.2f} of its size"
    require(error <= _HALF_TOLERANCE, adapter, message)


def require_gradients(adapter: Any, module: nn.Module) -> None:
    """Every parameter has a finite gradient.

    One of exact zero passes: a residual branch may start at zero, and a shift before a softmax
    or a batch normalisation has no effect by nature.
    """
    missing = [name for name, weight in module.named_parameters() if weight.grad is None]
    require(not missing, adapter, f"no gradient reaches {_few(missing)}")
    bad = [
        name
        for name, weight in module.named_parameters()
        if weight.grad is not None and not weight.grad.isfinite().all()
    ]
    require(not bad, adapter, f"a gradient that is not finite reaches {_few(bad)}")


def saved_and_loaded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state dict after a round trip through a file's bytes, weights alone."""
    import torch

    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded: dict[str, Tensor] = torch.load(file, weights_only=True)
    return loaded


def require_same_state(adapter: Any, first: nn.Module, second: nn.Module) -> None:
    """Two modules hold the same keys and values."""
    import torch

    one, two = first.state_dict(), second.state_dict()
    require(one.keys() == two.keys(), adapter, "two builds hold different state-dict keys")
    changed = [name for name in one if not torch.equal(one[name], two[name])]
    require(not changed, adapter, f"saving and loading changes {_few(changed)}")


def _few(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
