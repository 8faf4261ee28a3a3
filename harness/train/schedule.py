"""Values over a run, as pure functions of the share of steps done."""

from __future__ import annotations

import math

from harness.config.recipe_tables import LearningRate, Rise

EDGE = 1e-9
"""By how much a share may miss the edge of a cycle or a stair: rounding delays no restart."""


def learning_rate_factor(plan: LearningRate, progress: float) -> float:
    """The learning rate over its peak.

    Linear warm-up from 0 to where the shape begins, which is the peak but for `cyclic`; then

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
    """The factor without a warm-up, at a share of the shape."""
    if plan.shape == "exponential":
        return float(plan.final**done)
    return plan.final + (1 - plan.final) * _above_final(plan, done)


def _above_final(plan: LearningRate, done: float) -> float:
    """Place between `final` (0) and the peak (1)."""
    if plan.shape == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if plan.shape == "cyclic":
        return 1 - abs(2 * (done * plan.cycles % 1) - 1)
    if plan.shape == "warm-restarts":
        return 0.5 * (1 + math.cos(math.pi * _cosine_done(plan, done)))
    return 1.0


def _cosine_done(plan: LearningRate, done: float) -> float:
    """Share that is done of the present one of the restarted cosines; the last has length 1."""
    count = round(plan.cycles)
    lengths = [plan.growth ** (number + 1 - count) for number in range(count)]
    left = done * sum(lengths)
    for length in lengths:
        if left < length * (1 - EDGE):
            return max(0.0, left / length)
        left -= length
    return 1.0


def scheduled_value(plan: Rise, full: float, progress: float) -> float:
    """A head's value at a point of the run.

    Args:
        plan: the recipe's schedule of it.
        full: the loss's own value, where the schedule names none.
        progress: share of steps done, from 0 to 1.

    >>> scheduled_value(Rise(shape="linear", initial_value=30, final_value=35, end=1.0), 32.0, 0.4)
    32.0
    >>> scheduled_value(Rise(shape="linear", initial=0.5, end=1.0), 32.0, 0.5)
    24.0
    """
    top = full if plan.final_value is None else plan.final_value
    if plan.initial_value is None:
        return top * rise_factor(plan, progress)
    risen = _risen(plan, progress)
    return (1 - risen) * plan.initial_value + risen * top


def rise_factor(plan: Rise, progress: float) -> float:
    """A head's value over its full value: `initial` before `start`, 1 from `end` on.

    The exponential rise is WeSpeaker's margin schedule, 1 - (1/1000)^x, made to end at 1. With
    `stairs` it has at each moment the height of the stair's first step.

    Args:
        plan: where the rise starts and ends.
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
    return plan.initial + (1 - plan.initial) * _risen(plan, progress)


def _risen(plan: Rise, progress: float) -> float:
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
