"""Promises of a head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.adapter import Batch, LossAdapter, LossOutput, build_head
from harness.testing.model_checks import (
    half_types,
    load_through_file,
    require_close,
    require_gradients,
)
from harness.testing.requirements import build_from_seed, require

_BATCH, _SIZE, _CLASSES = 8, 12, 5
_COUNTS = (9, 4, 1, 30, 2)
_NEEDS = frozenset({"pairs", "grades", "pk", "full_batch", "counts", "views", "epoch_embeddings"})


def check_declarations(adapter: LossAdapter) -> None:
    """Check that needs are known ones, and that attributes that schedules drive can be set."""
    unknown = adapter.needs - _NEEDS
    known = ", ".join(sorted(_NEEDS))
    require(not unknown, adapter, f"needs {sorted(unknown)}; what there is: {known}")
    head = _head(adapter)
    for name in adapter.scheduled:
        value = getattr(head, name, None)
        require(isinstance(value, float), adapter, f"scheduled `{name}` of the head is no float")
        setattr(head, name, 0.5 * getattr(head, name))
        require(getattr(head, name) != value or value == 0, adapter, f"`{name}` cannot be set")
        _require_loss(adapter, head(_embeddings(), _batch()))


def check_output(adapter: LossAdapter) -> None:
    """Check for a finite scalar loss, and logits `[batch, classes]` with and without labels."""
    head, embeddings = _head(adapter), _embeddings()
    output = head(embeddings, _batch())
    _require_loss(adapter, output)
    if output.logits is not None:
        for logits in (output.logits, head.logits(embeddings)):
            shape, wanted = tuple(logits.shape), (_BATCH, _CLASSES)
            require(shape == wanted, adapter, f"logits have shape {shape}, not {wanted}")
    numbers = all(isinstance(value, float) for value in output.statistics.values())
    require(numbers, adapter, "statistics hold something that is no float")


def check_half(adapter: LossAdapter) -> None:
    """Check that autocast keeps loss and gradient finite and near those of single precision."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for dtype in half_types():
        whole, pull = _loss_and_gradient(adapter, device, dtype, half=False)
        loss, gradient = _loss_and_gradient(adapter, device, dtype, half=True)
        require_close(adapter, loss, whole, what=f"the {dtype} loss")
        require_close(adapter, gradient, pull, what=f"the {dtype} loss's gradient")


def check_gradients(adapter: LossAdapter) -> None:
    """Check that the embeddings and every parameter of the head get a finite gradient."""
    head, embeddings = _head(adapter).train(), _embeddings().requires_grad_()
    head(embeddings, _batch()).loss.backward()
    gradient = embeddings.grad
    reached = gradient is not None and bool(gradient.isfinite().all() and gradient.any())
    require(reached, adapter, "no finite gradient other than zero reaches the embeddings")
    require_gradients(adapter, head)


def check_evaluation(adapter: LossAdapter) -> None:
    """Check that a head in evaluation mode leaves its weights and buffers as they are."""
    head = _head(adapter)
    head(_embeddings(), _batch())
    before = {name: value.clone() for name, value in head.state_dict().items()}
    head.eval()(_embeddings(), _batch())
    moved = [name for name, value in head.state_dict().items() if not value.equal(before[name])]
    require(not moved, adapter, f"evaluation changes {', '.join(moved)}")


def check_state(adapter: LossAdapter) -> None:
    """Check that a head built elsewhere and loaded from a file computes the same loss."""
    head, other = _head(adapter), _head(adapter, seed=1)
    head(_embeddings(), _batch())
    load_through_file(adapter, head, other)
    one, two = (module.eval()(_embeddings(), _batch()).loss for module in (head, other))
    require(torch.equal(one, two), adapter, "the loss differs after saving and loading")


CHECKS: tuple[Callable[[LossAdapter], None], ...] = (
    check_declarations,
    check_output,
    check_gradients,
    check_half,
    check_evaluation,
    check_state,
)


def _head(adapter: LossAdapter, *, seed: int = 0) -> Any:
    """Build a head in training mode."""
    return build_from_seed(build_head, adapter, _SIZE, _CLASSES, _COUNTS, seed=seed).train()


def _loss_and_gradient(
    adapter: LossAdapter, device: str, dtype: torch.dtype, *, half: bool
) -> tuple[Tensor, Tensor]:
    """Return them for rounded embeddings, as a backbone under autocast gives them or widened."""
    head = _head(adapter).to(device)
    rounded = _embeddings().to(device, dtype)
    embeddings = (rounded if half else rounded.float()).requires_grad_()
    batch = _batch(device)
    with torch.autocast(device, dtype=dtype, enabled=half):
        loss = head(embeddings, batch).loss
    (gradient,) = torch.autograd.grad(loss, embeddings)
    return loss.detach(), gradient


def _embeddings() -> Tensor:
    return torch.randn(_BATCH, _SIZE, generator=torch.Generator().manual_seed(0))


def _batch(device: str = "cpu") -> Batch:
    """Make a batch with all that a loss may ask for: balanced labels, grades, a teacher."""
    labels = torch.arange(_BATCH) // 2 % _CLASSES
    teacher = torch.randn(_BATCH, _CLASSES, generator=torch.Generator().manual_seed(1))
    pairs, grades = torch.combinations(torch.arange(_BATCH)), torch.linspace(1, -1, _BATCH)
    return Batch(
        labels.to(device),
        teacher=teacher.to(device),
        pairs=pairs.to(device),
        grades=grades.to(device),
    )


def _require_loss(adapter: LossAdapter, output: LossOutput) -> None:
    require(isinstance(output, LossOutput), adapter, "the head answers no LossOutput")
    shape = tuple(output.loss.shape)
    require(shape == (), adapter, f"the loss has shape {shape}, not that of a scalar")
    require(bool(output.loss.isfinite()), adapter, "the loss is not finite")
