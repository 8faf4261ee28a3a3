"""Arithmetic of a GPU: rounding, kernels that repeat to the bit, and cards with a flaw.

A processor computes in full float32 and in a fixed order whatever is set here, so nothing is. On a
GPU torch's defaults round the inputs of convolutions to TF32 (10 bits of mantissa) where the card
can, and choose kernels that add in no fixed order.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.config.recipes import Recipe

if TYPE_CHECKING:
    import torch

WORKSPACE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""The environment of a process whose products of matrices have the same bits every time.

cuBLAS otherwise shares workspaces between streams. It must be there before CUDA begins.
"""

FFT_PLANS = 16
"""Plans that cuFFT keeps: its default of 4,096 may hold gigabytes that no allocator counts."""

_IN_NO_ORDER = re.compile(r"^(\S+) does not have a deterministic implementation")
"""The begin of torch's warning (at::Context::alertNotDeterministic)."""

_WITHOUT_TENSOR_CORES = re.compile(r"\bGTX 16\d\d\b")
"""Cards whose convolutions in half precision give NaN (pytorch#58123, pytorch#77955)."""


@contextmanager
def arithmetic(
    device: torch.device,
    *,
    tf32: bool = False,
    deterministic: bool = True,
    in_no_order: set[str] | None = None,
) -> Iterator[None]:
    """Set the arithmetic of a GPU for a block; on a processor, do nothing.

    Where torch has no kernel that repeats, it computes all the same, and the operation is named:
    no network is left out for it.

    Args:
        device: it computes there.
        tf32: whether float32 products may be rounded to TF32.
        deterministic: whether kernels are chosen that give the same bits every time.
        in_no_order: takes the names of operations that have no such kernel, as they run.
    """
    if device.type != "cuda":
        yield
        return
    import torch

    plans = torch.backends.cuda.cufft_plan_cache
    plans[
        torch.cuda.current_device() if device.index is None else device.index
    ].max_size = FFT_PLANS
    found = set() if in_no_order is None else in_no_order
    with flags(tf32=tf32, deterministic=deterministic), name_in_no_order(found):
        yield


@contextmanager
def flags(*, tf32: bool, deterministic: bool) -> Iterator[None]:
    """Set torch's flags for a block, and set them back."""
    import torch

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    options: Any = torch.utils.deterministic
    kept = cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic
    mode, filled = torch.get_deterministic_debug_mode(), options.fill_uninitialized_memory
    try:
        cudnn.allow_tf32 = matmul.allow_tf32 = tf32
        cudnn.deterministic = deterministic
        # Not `use_deterministic_algorithms`, which imports torch's compiler: two seconds.
        torch.set_deterministic_debug_mode("warn" if deterministic else "default")
        # Nothing here reads memory that nobody wrote; to fill it would cost a kernel a tensor.
        options.fill_uninitialized_memory = False
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.deterministic = kept
        torch.set_deterministic_debug_mode(mode)
        options.fill_uninitialized_memory = filled


@contextmanager
def name_in_no_order(found: set[str]) -> Iterator[None]:
    """Collect the names of operations that torch warns of; other warnings are shown as ever."""
    with warnings.catch_warnings():
        # First of the filters: a caller may have silenced all.
        warnings.filterwarnings("default", ".*does not have a deterministic implementation")
        shown = warnings.showwarning

        def show(message: Warning | str, *where: object, **more: object) -> None:
            named = _IN_NO_ORDER.match(str(message))
            if named:
                found.add(named[1])
            else:
                shown(message, *where, **more)  # type: ignore[arg-type]

        warnings.showwarning = show
        yield


def arithmetic_facts(device: str, recipe: Recipe | None) -> dict[str, str]:
    """Return what a record says of a job's arithmetic; empty for a processor.

    Args:
        device: it computes there.
        recipe: of its training; None if nothing is trained.
    """
    if not device.startswith("cuda"):
        return {}
    facts = {"evaluation": "float32, deterministic", **WORKSPACE}
    if recipe is not None:
        rounding = "TF32" if recipe.tf32 else "float32"
        order = "deterministic" if recipe.deterministic else "not deterministic"
        facts["training"] = f"{rounding}, {order}"
    return facts


def half_precision_hint(card: str, precision: str) -> str:
    """Return what to try where half precision gave no number; empty if it is not the card's fault.

    >>> half_precision_hint("NVIDIA GeForce GTX 1660 SUPER", "32-true")
    ''

    Args:
        card: name of the device.
        precision: as a recipe names it.
    """
    if precision == "32-true" or not _WITHOUT_TENSOR_CORES.search(card):
        return ""
    return (
        f"{card} is known to give NaN in convolutions of half precision: give the recipe "
        'precision = "32-true"'
    )
