"""The operating point of a detector: the prior of a target, and the cost of each error."""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.metrics.validation import MetricError


@dataclass(frozen=True)
class OperatingPoint:
    """The application of a detector: prior and costs.

    Attributes:
        p_target: prior probability of a target trial, between 0 and 1.
        c_miss: cost of a miss, above 0.
        c_fa: cost of a false alarm, above 0.

    Raises:
        MetricError: a prior or a cost out of its range.
    """

    p_target: float = 0.01
    c_miss: float = 1.0
    c_fa: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.p_target < 1:
            raise MetricError(f"p_target is {self.p_target}; give a value between 0 and 1")
        if not (0 < self.c_miss < math.inf and 0 < self.c_fa < math.inf):
            raise MetricError(
                f"c_miss is {self.c_miss} and c_fa {self.c_fa}; give positive finite costs"
            )

    @property
    def weights(self) -> tuple[float, float]:
        """Costs of a miss rate and a false-alarm rate of 1, over the better trivial decision.

        >>> OperatingPoint(p_target=0.5, c_fa=3.0).weights
        (1.0, 3.0)
        """
        miss, false_alarm = self.c_miss * self.p_target, self.c_fa * (1 - self.p_target)
        least = min(miss, false_alarm)
        return miss / least, false_alarm / least

    @property
    def bayes_threshold(self) -> float:
        """The threshold that costs least when scores are log likelihood ratios (natural log).

        >>> OperatingPoint(p_target=0.5).bayes_threshold
        0.0
        """
        return math.log(self.c_fa * (1 - self.p_target)) - math.log(self.c_miss * self.p_target)

    @property
    def effective_prior(self) -> float:
        """The prior at which equal costs ask for the same threshold.

        >>> round(OperatingPoint(p_target=0.5, c_fa=3.0).effective_prior, 6)
        0.25
        """
        miss, false_alarm = self.c_miss * self.p_target, self.c_fa * (1 - self.p_target)
        return miss / (miss + false_alarm)
