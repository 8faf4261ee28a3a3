"""The promises of a trunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.adapter import Fbank, ModelAdapter, Spectrogram
from harness.testing.errors import ConformanceError, require
from harness.testing.examples import example_input
from harness.testing.modules import (
    half_types,
    require_close,
    require_gradients,
    require_same_state,
    saved_and_loaded,
    seeded,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

_BATCH_TOLERANCE = 1e-4


def check_embeddings(adapter: ModelAdapter, frames: int) -> None:
    """Evaluation gives finite float32 `[batch, embedding_size]`, twice the same."""
    import torch

    trunk, batch = (
        seeded(adapter.build).eval(),
        example_input(adapter.inputs(), batch=3, frames=frames),
    )
    embeddings = _embed(trunk, batch)
    _require_shape(adapter, embeddings, batch=3)
    require(bool(embeddings.isfinite().all()), adapter, "embeddings are not finite")
    again = _embed(trunk, batch)
    require(torch.equal(embeddings, again), adapter, "evaluation twice gives two answers")


def check_batch_invariance(adapter: ModelAdapter, frames: int) -> None:
    """An example's embedding in evaluation does not depend on what else is in its batch."""
    trunk, batch = (
        seeded(adapter.build).eval(),
        example_input(adapter.inputs(), batch=3, frames=frames),
    )
    together, alone = _embed(trunk, batch)[:1], _embed(trunk, batch[:1])
    error = float((together - alone).abs().max() / together.abs().max())
    message = f"one alone differs from the same within a batch by {error:.1e} of the largest value"
    require(error <= _BATCH_TOLERANCE, adapter, message)


def check_lengths(adapter: ModelAdapter, frames: int) -> None:
    """Audio of other lengths is embedded, too."""
    inputs = adapter.inputs()
    if inputs.kind != "audio":
        return
    trunk = seeded(adapter.build).eval()
    for other in (3 * frames // 5, 3 * frames // 2 + 13):
        example = example_input(inputs, batch=2, frames=other)
        _require_shape(adapter, _embed(trunk, example), batch=2)


def check_least_frames(adapter: ModelAdapter, frames: int) -> None:
    """Audio as short as the input declares is embedded, and the trunk can be trained on it."""
    del frames
    inputs = adapter.inputs()
    if not isinstance(inputs, Fbank | Spectrogram):
        return
    least = inputs.least_frames
    require(least >= 1, adapter, f"declares least_frames = {least}; the least is 1")
    batch = example_input(inputs, batch=4, frames=least)
    mend = f"{least} frames (its declared `least_frames`)"
    try:
        embedded = _embed(seeded(adapter.build).eval(), batch)
        trained = seeded(adapter.build).train()
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
    """Under autocast embeddings are finite and near those of single precision."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    trunk = seeded(adapter.build).eval().to(device)
    batch = example_input(adapter.inputs(), batch=2, frames=frames).to(device)
    whole = _embed(trunk, batch)
    for dtype in half_types():
        with torch.autocast(device, dtype=dtype):
            require_close(adapter, _embed(trunk, batch), whole, what=f"the {dtype} embedding")


def check_gradients(adapter: ModelAdapter, frames: int) -> None:
    """In training, every parameter gets a finite gradient."""
    import torch

    trunk = seeded(adapter.build).train()
    embeddings = trunk(example_input(adapter.inputs(), batch=4, frames=frames))
    # A plain sum would vanish after a last batch normalisation, whose outputs sum to zero.
    directions = torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(1))
    (embeddings * directions).sum().backward()
    require_gradients(adapter, trunk)


def check_state(adapter: ModelAdapter, frames: int) -> None:
    """A trunk built elsewhere and loaded from a file gives the same embeddings."""
    import torch

    trunk, other = seeded(adapter.build).eval(), seeded(adapter.build, seed=1).eval()
    other.load_state_dict(saved_and_loaded(trunk.state_dict()))
    require_same_state(adapter, trunk, other)
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


def _embed(trunk: nn.Module, batch: Tensor) -> Tensor:
    import torch

    with torch.inference_mode():
        embeddings: Tensor = trunk(batch)
    return embeddings


def _require_shape(adapter: ModelAdapter, embeddings: Tensor, *, batch: int) -> None:
    import torch

    shape, wanted = tuple(embeddings.shape), (batch, adapter.embedding_size)
    require(shape == wanted, adapter, f"embeddings have shape {shape}, not {wanted}")
    dtype = embeddings.dtype
    require(dtype == torch.float32, adapter, f"embeddings are {dtype}, not torch.float32")
