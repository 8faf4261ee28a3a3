"""Optimiser of a recipe, its updates, and schedules of its learning rate and a head's values.

Schedules are pure functions of the share of steps done.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from harness.config.recipe_tables import LearningRate, Optimizer, Rise
from harness.config.recipes import Recipe
from harness.errors import JobFailed
from harness.series.series import MarkKind

LEAST_SCALE = 2.0**-14
"""Factor on a loss below which gradients that overflow are no matter of half precision's range."""

EDGE = 1e-9
"""By how much a share may miss the edge of a cycle or a stair: rounding delays no restart."""


def make_optimizer(
    plan: Optimizer, parameters: Iterable[nn.Parameter], *, fused: bool = False
) -> torch.optim.Optimizer:
    """Make SGD, Adam or AdamW over all parameters, at the peak learning rate.

    Args:
        plan: of the recipe.
        parameters: of the network and its head.
        fused: a step is one kernel for all of a tensor. On a processor it takes a quarter of the
            time; on a GPU torch's own choice, a kernel for all tensors, is as fast, and leaves
            gradients to be clipped under a scaler.
    """
    if plan.name == "sgd":
        return torch.optim.SGD(
            parameters,
            lr=plan.lr,
            momentum=plan.momentum,
            weight_decay=plan.weight_decay,
            nesterov=plan.nesterov and plan.momentum > 0,
            fused=fused or None,
        )
    kind = torch.optim.AdamW if plan.name == "adamw" else torch.optim.Adam
    return kind(parameters, lr=plan.lr, weight_decay=plan.weight_decay, fused=fused or None)


def update_weights(
    fabric: Fabric, module: Any, optimizer: Any, clip_norm: float | None
) -> tuple[bool, float | None]:
    """Clip the gradients, and let the optimiser do its step.

    In `16-mixed` a scaler multiplies the loss, so that small gradients are not rounded to zero. It
    leaves a step out whose gradients are not finite, and halves its factor.

    Args:
        fabric: the precision's.
        module: whose gradients are there, with the scaler's factor on them.
        optimizer: of its parameters.
        clip_norm: largest norm of the gradient; None for any.

    Returns:
        False if the step was left out; the gradient's norm before it was clipped, None if it is
        not clipped or not finite.

    Raises:
        JobFailed: the gradients are not finite, with no scaler or at a factor that is too low.
    """
    scaler, norm = loss_scaler(fabric), None
    if clip_norm is not None:
        norm = fabric.clip_gradients(
            module, optimizer, max_norm=clip_norm, error_if_nonfinite=False
        )
        if scaler is None and norm is not None and not norm.isfinite():
            raise JobFailed(f"the gradient's norm became {float(norm)}")
    before = scaler.get_scale() if scaler is not None else 0.0
    optimizer.step()
    after = scaler.get_scale() if scaler is not None else 0.0
    if after < before and after < LEAST_SCALE:
        raise JobFailed(f"no gradient was finite in half precision, down to a loss x {after:.0e}")
    return after >= before, float(norm) if norm is not None and norm.isfinite() else None


def loss_scaler(fabric: Fabric) -> torch.amp.GradScaler | None:
    """Return the scaler of half precision's losses; None if the precision needs none."""
    scaler: torch.amp.GradScaler | None = getattr(fabric.strategy.precision, "scaler", None)
    return scaler


def learning_rate_factor(plan: LearningRate, progress: float) -> float:
    """Return the learning rate over its peak.

    Linear warm-up from 0 to the begin of the shape, which is the peak but for `cyclic`; then

    - `constant`;
    - `cosine`: one half cosine from the peak to `final`;
    - `exponential`: from the peak to `final`, by an equal share with every step;
    - `cyclic`: triangles from `final` to the peak and back (Smith, WACV 2017, arXiv:1506.01186,
      section 3.1);
    - `warm-restarts`: half cosines from the peak to `final`, each `growth` times as long as the
      one before (Loshchilov and Hutter, ICLR 2017, arXiv:1608.03983, equation 5).

    With `from_start` the shape runs from the first step on, and the warm-up is a factor that rises
    from 0 to 1 upon it: WeSpeaker's manner, whose peak is thus under the rate that is named.

    Args:
        plan: the recipe's learning rate.
        progress: share of steps done, from 0 to 1.

    >>> learning_rate_factor(LearningRate(shape="cosine", warmup=0.1, final=0.01), 0.05)
    0.5
    >>> round(learning_rate_factor(LearningRate(shape="cosine", warmup=0.1, final=0.01), 1.0), 6)
    0.01
    >>> triangles = LearningRate(shape="cyclic", warmup=0, final=0.2, cycles=2)
    >>> [round(learning_rate_factor(triangles, share / 8), 3) for share in range(5)]
    [0.2, 0.6, 1.0, 0.6, 0.2]
    >>> restarted = LearningRate(shape="warm-restarts", warmup=0, cycles=2, growth=3)
    >>> [round(learning_rate_factor(restarted, share), 3) for share in (0, 0.125, 0.25, 1)]
    [1.0, 0.505, 1.0, 0.01]
    """
    if plan.from_start:
        risen = min(1.0, progress / plan.warmup) if plan.warmup else 1.0
        return risen * _shape(plan, progress)
    if progress < plan.warmup:
        begins = plan.final if plan.shape == "cyclic" else 1.0
        return begins * progress / plan.warmup
    return _shape(plan, (progress - plan.warmup) / (1 - plan.warmup))


def _shape(plan: LearningRate, done: float) -> float:
    """Return the factor without a warm-up, at a share of the shape."""
    if plan.shape == "exponential":
        return float(plan.final**done)
    if plan.shape == "cosine":
        above = 0.5 * (1 + math.cos(math.pi * done))
    elif plan.shape == "cyclic":
        above = 1 - abs(2 * (done * plan.cycles % 1) - 1)
    elif plan.shape == "warm-restarts":
        above = 0.5 * (1 + math.cos(math.pi * _share_of_restart(plan, done)))
    else:
        above = 1.0
    return plan.final + (1 - plan.final) * above


def _share_of_restart(plan: LearningRate, done: float) -> float:
    """Return the share done of the present restarted cosine; the last one has length 1."""
    count = round(plan.cycles)
    lengths = [plan.growth ** (number + 1 - count) for number in range(count)]
    left = done * sum(lengths)
    for length in lengths:
        if left < length * (1 - EDGE):
            return max(0.0, left / length)
        left -= length
    return 1.0


def head_value(plan: Rise, full: float, progress: float) -> float:
    """Return a head's value at a point of the run.

    Args:
        plan: the recipe's schedule of it.
        full: the loss's own value, if the schedule names none.
        progress: share of steps done, from 0 to 1.

    >>> head_value(Rise(shape="linear", initial_value=30, final_value=35, end=1.0), 32.0, 0.4)
    32.0
    >>> head_value(Rise(shape="linear", initial=0.5, end=1.0), 32.0, 0.5)
    24.0
    """
    top = full if plan.final_value is None else plan.final_value
    if plan.initial_value is None:
        return top * rise_factor(plan, progress)
    risen = _risen_share(plan, progress)
    return (1 - risen) * plan.initial_value + risen * top


def rise_factor(plan: Rise, progress: float) -> float:
    """Return a head's value over its full value: `initial` before `start`, 1 from `end` on.

    The exponential rise is WeSpeaker's margin schedule, 1 - (1/1000)^x, made to end at 1. With
    `stairs` it has at each moment the height of the stair's first step.

    Args:
        plan: the start and the end of the rise.
        progress: share of steps done, from 0 to 1.

    >>> rise_factor(Rise(shape="linear", start=0.0, end=0.5), 0.25)
    0.5
    >>> rise_factor(Rise(shape="linear", initial=0.5, start=0.0, end=0.5), 0.25)
    0.75
    >>> rise_factor(Rise(shape="linear", start=0.0, end=0.5, stairs=2), 0.49)
    0.5
    >>> rise_factor(Rise(start=0.0, end=0.0), 0.0)
    1.0
    """
    return plan.initial + (1 - plan.initial) * _risen_share(plan, progress)


def _risen_share(plan: Rise, progress: float) -> float:
    if progress >= plan.end:
        return 1.0
    if progress <= plan.start:
        return 0.0
    done = (progress - plan.start) / (plan.end - plan.start)
    if plan.stairs is not None:
        done = math.floor(done * plan.stairs + EDGE) / plan.stairs
    if plan.shape == "linear":
        return done
    return float((1 - 1e-3**done) / (1 - 1e-3))


def head_values(recipe: Recipe, name: str, full: float, steps: int) -> list[float]:
    """Return what a recipe drives a value of the head to at each of its steps, `[steps]`.

    >>> recipe = Recipe(steps=2, schedules={"margin": Rise(shape="linear", end=1.0)})
    >>> head_values(recipe, "margin", 0.5, 2), head_values(recipe, "scale", 32.0, 2)
    ([0.0, 0.25], [32.0, 32.0])
    """
    rise = recipe.schedules.get(name)
    if rise is None:
        return [full] * steps
    return [head_value(rise, full, step / max(1, steps)) for step in range(steps)]


def scheduled_marks(
    recipe: Recipe, full: Mapping[str, float], steps: int
) -> dict[int, list[tuple[MarkKind, str]]]:
    """Return what a recipe's schedules do at single steps: step -> marks, steps from 1.

    A `restart` is a step whose learning rate begins a new cosine; a `margin`, one at which a value
    of the head begins to change or ends to.

    Args:
        recipe: with the schedules.
        full: name -> the head's own value.
        steps: of the training.

    >>> recipe = Recipe(steps=4, schedules={"margin": Rise(shape="linear", start=0.25, end=0.75)})
    >>> scheduled_marks(recipe, {"margin": 0.2}, 4)
    {3: [('margin', 'margin 0 -> 0.1')], 4: [('margin', 'margin 0.1 -> 0.2')]}
    """
    marks: dict[int, list[tuple[MarkKind, str]]] = {}
    if recipe.learning_rate.shape == "warm-restarts":
        warmed = math.ceil(recipe.learning_rate.warmup * steps)
        factors = [learning_rate_factor(recipe.learning_rate, n / steps) for n in range(steps + 1)]
        for step in range(warmed + 2, steps + 1):
            if factors[step] > factors[step - 1]:
                marks.setdefault(step, []).append(("restart", "learning rate"))
    for name in sorted(set(full) & set(recipe.schedules)):
        values = head_values(recipe, name, full[name], steps)
        moved = [False, *(one != other for one, other in pairwise(values)), False]
        for place in range(1, steps):
            if moved[place] and not (moved[place - 1] and moved[place + 1]):
                text = f"{name} {values[place - 1]:g} -> {values[place]:g}"
                marks.setdefault(place + 1, []).append(("margin", text))
    return marks
