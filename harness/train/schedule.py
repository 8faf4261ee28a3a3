"""Values over a run, as pure functions of the share of steps done."""

from __future__ import annotations

import math

from harness.config.schema import LearningRate, Rise


def learning_rate_factor(plan: LearningRate, progress: float) -> float:
    """The learning rate over its peak.

    Linear warm-up from 0, then constant, a half cosine, or an exponential down to `final`.

    Args:
        plan: the recipe's learning rate.
        progress: share of steps done, from 0 to 1.

    >>> learning_rate_factor(LearningRate(shape="cosine", warmup=0.1, final=0.01), 0.05)
    0.5
    >>> round(learning_rate_factor(LearningRate(shape="cosine", warmup=0.1, final=0.01), 1.0), 6)
    0.01
    """
    if progress < plan.warmup:
        return progress / plan.warmup
    done = (progress - plan.warmup) / (1 - plan.warmup)
    if plan.shape == "cosine":
        return plan.final + (1 - plan.final) * 0.5 * (1 + math.cos(math.pi * done))
    if plan.shape == "exponential":
        return float(plan.final**done)
    return 1.0


def rise_factor(plan: Rise, progress: float) -> float:
    """A head's value over its full value: `initial` before `start`, 1 from `end` on.

    The exponential rise is WeSpeaker's margin schedule: 1 - (1/1000)^x, made to end at 1.

    Args:
        plan: where the rise starts and ends.
        progress: share of steps done, from 0 to 1.

    >>> rise_factor(Rise(shape="linear", start=0.0, end=0.5), 0.25)
    0.5
    >>> rise_factor(Rise(shape="linear", initial=0.5, start=0.0, end=0.5), 0.25)
    0.75
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
    if plan.shape == "linear":
        return done
    return float((1 - 1e-3**done) / (1 - 1e-3))
