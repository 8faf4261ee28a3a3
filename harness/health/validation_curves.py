"""Which curves of a series say how well a training does: names of several programs, one meaning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.series.series import Series

Floats = NDArray[np.float64]

HIGHER_IS_BETTER = {
    "eer": False,
    "nmi": True,
    "pair_accuracy": True,
    "accuracy": True,
    "macro_f1": True,
    "ari": True,
    "kendall_tau": True,
    "min_dcf": False,
    "loss": False,
}
"""Metrics of a validation, the one that a training is judged by first."""

RATES = frozenset(HIGHER_IS_BETTER) - {"loss", "min_dcf", "ari", "kendall_tau"}
"""Those that are shares of one; a log may hold them in percent."""

OF_OTHERS = frozenset({"eer", "min_dcf", "nmi", "ari", "pair_accuracy", "kendall_tau"})
"""Those that are of a validation although their name does not say so."""

CLUSTERING = frozenset(
    {"thres", "delta", "base_dim", "trusted_share", "moved_share", "used_dimensions"}
)
OF_TRAINING = frozenset({"loss", "lr", "margin", "scale"}) | CLUSTERING
"""Those that are of the training although their name does not say so."""

SPELLINGS = {"acc": "accuracy", "acc@1": "accuracy", "mindcf": "min_dcf", "f1": "macro_f1"}
SPELLINGS |= dict.fromkeys(("learning_rate", "learning-rate", "learningrate"), "lr")
VALIDATION = frozenset({"test", "valid", "val", "validation", "dev", "eval"})
TRAINING = frozenset({"train", "training"})
SAME_MODE = frozenset({"train_eval", "traineval"})
"""Groups of training items judged as validation is: no augmentation, no margin, no dropout."""


@dataclass(frozen=True)
class Moment:
    """When something was: an epoch where epochs are known, else a step."""

    number: float
    unit: Literal["epoch", "step"]


@dataclass(frozen=True, eq=False)
class Curve:
    """The finite values of one scalar.

    Attributes:
        name: as the log has it.
        metric: as `HIGHER_IS_BETTER` has it, or what the name ends with.
        times: `[N]`, ascending: epochs, or steps.
        values: `[N]`; rates as shares of one, whatever the log has.
        steps: `[N]`, whatever `times` are.
        unit: of the times.
        broken: moments at which the value was not finite.
    """

    name: str
    metric: str
    times: Floats
    values: Floats
    steps: NDArray[np.int64]
    unit: Literal["epoch", "step"]
    broken: tuple[Moment, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @property
    def higher_is_better(self) -> bool:
        """Which way an improvement goes."""
        return HIGHER_IS_BETTER.get(self.metric, False)

    @property
    def is_rate(self) -> bool:
        """True where values are shares of one."""
        return self.metric in RATES

    @property
    def better(self) -> Floats:
        """The values, or their negatives: higher is better."""
        return self.values if self.higher_is_better else -self.values

    def moment(self, place: int) -> Moment:
        """Return when a value was."""
        return Moment(float(self.times[place]), self.unit)

    def part(self, kept: slice | NDArray[np.bool_]) -> Curve:
        """Return some of its values."""
        return replace(
            self, times=self.times[kept], values=self.values[kept], steps=self.steps[kept]
        )


@cache
def read_name(name: str) -> tuple[str, str]:
    """Return whose numbers a name is of (`validation`, `training`, `same mode`, ``) and the metric.

    >>> read_name("Test/eer"), read_name("val_acc"), read_name("Train/Loss"), read_name("EER")
    (('validation', 'eer'), ('validation', 'accuracy'), ('training', 'loss'), ('validation', 'eer'))
    """
    lowered = name.lower()
    parts = re.fullmatch(r"(train_?eval|[a-z]+)[/_.\- ](.+)", lowered)
    group, metric = (parts[1], parts[2]) if parts else ("", lowered)
    groups = (("same mode", SAME_MODE), ("validation", VALIDATION), ("training", TRAINING))
    whose = next((each for each, names in groups if group in names), "")
    if not whose:
        metric = lowered
    metric = SPELLINGS.get(metric, metric)
    if not whose and metric in OF_OTHERS:
        return "validation", metric
    return ("training" if not whose and metric in OF_TRAINING else whose), metric


def find_curve(series: Series, whose: str, metrics: Sequence[str]) -> Curve | None:
    """Return the first curve of some metrics that has a value at all.

    Args:
        series: the training's.
        whose: `validation`, `training` or `same mode`.
        metrics: in the order of preference.
    """
    known = {read_name(name): name for name in reversed(series.names)}
    for metric in metrics:
        name = known.get((whose, metric))
        if name is not None:
            return _curve(series, name, metric)
    return None


def validation_curve(series: Series) -> Curve | None:
    """Return the curve of the metric that a validation is judged by first."""
    return find_curve(series, "validation", tuple(HIGHER_IS_BETTER))


def _curve(series: Series, name: str, metric: str) -> Curve:
    rows = series[name]
    epochs = rows["epoch"].to_numpy(np.float64)
    steps = rows["step"].to_numpy(np.int64)
    values = rows["value"].to_numpy(np.float64)
    by_epoch = bool(np.isfinite(epochs).all() and (np.diff(epochs) > 0).all())
    unit: Literal["epoch", "step"] = "epoch" if by_epoch else "step"
    times = epochs if by_epoch else steps.astype(np.float64)
    finite = np.isfinite(values)
    broken = tuple(Moment(float(time), unit) for time in times[~finite])
    kept = values[finite]
    if metric in RATES and len(kept) and kept.max() > 1:
        kept = kept / 100
    return Curve(name, metric, times[finite], kept, steps[finite], unit, broken)
