"""Promises of a backbone, and the checks that it shares with heads: gradients, saving, loading."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from harness.adapter import Fbank, ModelAdapter, Spectrogram
from harness.testing.requirements import (
    ConformanceError,
    build_from_seed,
    example_input,
    require,
)

_BATCH_TOLERANCE = 1e-4
_HALF_TOLERANCE = 0.1


def check_embeddings(adapter: ModelAdapter, frames: int) -> None:
    """Check that evaluation gives finite float32 `[batch, embedding_size]`, twice the same."""
    trunk = build_from_seed(adapter.build).eval()
    batch = example_input(adapter.inputs(), batch=3, frames=frames)
    embeddings = _embed(trunk, batch)
    _require_shape(adapter, embeddings, batch=3)
    require(bool(embeddings.isfinite().all()), adapter, "embeddings are not finite")
    again = _embed(trunk, batch)
    require(torch.equal(embeddings, again), adapter, "evaluation twice gives two answers")


def check_batch_invariance(adapter: ModelAdapter, frames: int) -> None:
    """Check that an example's embedding in evaluation does not depend on the rest of its batch."""
    trunk = build_from_seed(adapter.build).eval()
    batch = example_input(adapter.inputs(), batch=3, frames=frames)
    together, alone = _embed(trunk, batch)[:1], _embed(trunk, batch[:1])
    error = float((together - alone).abs().max() / together.abs().max())
    message = f"one alone differs from the same within a batch by {error:.1e} of the largest value"
    require(error <= _BATCH_TOLERANCE, adapter, message)


def check_lengths(adapter: ModelAdapter, frames: int) -> None:
    """Check that audio of other lengths is embedded, too."""
    inputs = adapter.inputs()
    if inputs.kind != "audio":
        return
    trunk = build_from_seed(adapter.build).eval()
    for other in (3 * frames // 5, 3 * frames // 2 + 13):
        example = example_input(inputs, batch=2, frames=other)
        _require_shape(adapter, _embed(trunk, example), batch=2)


def check_least_frames(adapter: ModelAdapter, _frames: int) -> None:
    """Check that audio as short as declared is embedded, and that the backbone trains on it."""
    inputs = adapter.inputs()
    if not isinstance(inputs, Fbank | Spectrogram):
        return
    least = inputs.least_frames
    require(least >= 1, adapter, f"declares least_frames = {least}; the least is 1")
    batch = example_input(inputs, batch=4, frames=least)
    mend = f"{least} frames (its declared `least_frames`)"
    try:
        embedded = _embed(build_from_seed(adapter.build).eval(), batch)
        trained = build_from_seed(adapter.build).train()
        trained(batch).square().sum().backward()
    except (RuntimeError, ValueError, IndexError) as error:
        why = str(error).partition("\n")[0]
        raise ConformanceError(
            f"{type(adapter).__name__}: cannot take {mend}: {why}; declare in `inputs()` how many "
            "the network needs"
        ) from error
    _require_shape(adapter, embedded, batch=4)
    finite = bool(embedded.isfinite().all())
    require(finite, adapter, f"embeddings of {mend} are not finite; declare more")
    require_gradients(adapter, trained)


def check_half(adapter: ModelAdapter, frames: int) -> None:
    """Check that autocast keeps embeddings finite and near those of single precision."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    trunk = build_from_seed(adapter.build).eval().to(device)
    batch = example_input(adapter.inputs(), batch=2, frames=frames).to(device)
    whole = _embed(trunk, batch)
    for dtype in half_types():
        with torch.autocast(device, dtype=dtype):
            require_close(adapter, _embed(trunk, batch), whole, what=f"the {dtype} embedding")


def check_gradients(adapter: ModelAdapter, frames: int) -> None:
    """Check that in training every parameter gets a finite gradient."""
    trunk = build_from_seed(adapter.build).train()
    embeddings = trunk(example_input(adapter.inputs(), batch=4, frames=frames))
    # A plain sum would vanish after a last batch normalisation, whose outputs sum to zero.
    directions = torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(1))
    (embeddings * directions).sum().backward()
    require_gradients(adapter, trunk)


def check_state(adapter: ModelAdapter, frames: int) -> None:
    """Check that a backbone built elsewhere and loaded from a file gives the same embeddings."""
    trunk, other = (build_from_seed(adapter.build, seed=seed).eval() for seed in (0, 1))
    load_through_file(adapter, trunk, other)
    batch = example_input(adapter.inputs(), batch=2, frames=frames)
    same = torch.equal(_embed(trunk, batch), _embed(other, batch))
    require(same, adapter, "embeddings differ after saving and loading the state dict")


CHECKS: tuple[Callable[[ModelAdapter, int], None], ...] = (
    check_embeddings,
    check_batch_invariance,
    check_lengths,
    check_least_frames,
    check_half,
    check_gradients,
    check_state,
)


def half_types() -> list[torch.dtype]:
    """Return the types of half precision in which this machine trains: autocast's."""
    return [torch.bfloat16, *([torch.float16] if torch.cuda.is_available() else [])]


def require_close(adapter: Any, half: Tensor, whole: Tensor, *, what: str) -> None:
    """Require a result of half precision to be finite and near that of single precision.

    Near is within a tenth in the Euclidean norm: what is left of 8 bits after tens of layers.
    """
    require(bool(half.isfinite().all()), adapter, f"{what} under autocast is not finite")
    error = float((half.float() - whole).norm() / whole.norm().clamp(min=1e-6))
    message = f"{what} under autocast differs by {error:.2f} of its size"
    require(error <= _HALF_TOLERANCE, adapter, message)


def require_gradients(adapter: Any, module: nn.Module) -> None:
    """Require a finite gradient of every parameter.

    One of exact zero passes: a residual branch may start at zero, and a shift before a softmax
    or a batch normalisation has no effect by nature.
    """
    gradients = {name: weight.grad for name, weight in module.named_parameters()}
    missing = [name for name, gradient in gradients.items() if gradient is None]
    require(not missing, adapter, f"no gradient reaches {_few(missing)}")
    bad = [
        name
        for name, gradient in gradients.items()
        if gradient is not None and not gradient.isfinite().all()
    ]
    require(not bad, adapter, f"a gradient that is not finite reaches {_few(bad)}")


def load_through_file(adapter: Any, first: nn.Module, second: nn.Module) -> None:
    """Load a module's state into another one through a file's bytes; require it to be the same."""
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file, weights_only=True))
    one, two = first.state_dict(), second.state_dict()
    require(one.keys() == two.keys(), adapter, "two builds hold different state-dict keys")
    changed = [name for name in one if not torch.equal(one[name], two[name])]
    require(not changed, adapter, f"saving and loading changes {_few(changed)}")


def _embed(trunk: nn.Module, batch: Tensor) -> Tensor:
    with torch.inference_mode():
        embeddings: Tensor = trunk(batch)
    return embeddings


def _require_shape(adapter: ModelAdapter, embeddings: Tensor, *, batch: int) -> None:
    shape, wanted = tuple(embeddings.shape), (batch, adapter.embedding_size)
    require(shape == wanted, adapter, f"embeddings have shape {shape}, not {wanted}")
    dtype = embeddings.dtype
    require(dtype == torch.float32, adapter, f"embeddings are {dtype}, not torch.float32")


def _few(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest
