"""Settings that Optuna proposes: a grid, random values, or TPE.

TPE is the tree-structured Parzen estimator of Bergstra, Bardenet, Bengio and Kegl, "Algorithms for
Hyper-Parameter Optimization", NeurIPS 2011.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.errors import RequestError
from harness.search.settings import grid
from harness.search.space import OneOf, Space, ValueRange, grid_of

if TYPE_CHECKING:
    import optuna

Method = Literal["grid", "random", "tpe"]

STARTUP = 4
"""Trials before which none is pruned, and which TPE draws at random."""


@dataclass(frozen=True, kw_only=True)
class SearchPlan:
    """What is searched, and how.

    Attributes:
        space: recipe keys and what each may be.
        method: by which settings are proposed.
        trials: how many; of a grid, at most so many of its own.
        seed: of the proposals.
        prunes: whether trainings end early that validation says little good of.
    """

    space: Space
    method: Method = "tpe"
    trials: int = 20
    seed: int = 0
    prunes: bool = True

    @property
    def count(self) -> int:
        """Number of trials.

        Raises:
            ConfigError: a grid has a range, or is too small or too large.
        """
        if self.method != "grid":
            return self.trials
        return min(len(grid(grid_of(self.space))), self.trials)


def make_study() -> optuna.Study:
    """Return a study in memory that maximises: what is done lies in the stages of its trials.

    Raises:
        RequestError: Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        told = "harness search needs Optuna: pip install 'trialboard[search]'"
        raise RequestError(told) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTUP)
    return optuna.create_study(direction="maximize", pruner=pruner)


def propose(study: optuna.Study, plan: SearchPlan, number: int) -> optuna.Trial:
    """Return a trial with its setting, which rests on the plan and the trials before alone.

    Args:
        study: knows the trials before.
        plan: of the search.
        number: of the trial, from 0.
    """
    import optuna

    # A sampler's own state would be lost with the process: each trial has one with its own seed.
    seed = int.from_bytes(hashlib.sha256(f"{plan.seed}:{number}".encode()).digest()[:4], "big")
    if plan.method == "grid":
        study.enqueue_trial(grid(grid_of(plan.space))[number])
    elif plan.method == "random":
        study.sampler = optuna.samplers.RandomSampler(seed=seed)
    else:
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP)
    return study.ask({key: _distribution(each) for key, each in plan.space.items()})


def _distribution(each: ValueRange | OneOf) -> optuna.distributions.BaseDistribution:
    from optuna import distributions

    if isinstance(each, OneOf):
        return distributions.CategoricalDistribution(each.values)
    if each.is_whole:
        return distributions.IntDistribution(int(each.low), int(each.high), log=each.is_log)
    return distributions.FloatDistribution(each.low, each.high, log=each.is_log)
