"""EER of runs over a quantity, as a picture and as cells of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from harness.board.standing.figures import UNKNOWN
from harness.report.drawing import drawing, drawn_name, look, svg
from harness.trials.det_plot import legend_below


class Rate(Protocol):
    """An error rate with its interval over speakers, if it has one."""

    @property
    def value(self) -> float:
        """The rate, a fraction."""

    @property
    def low(self) -> float | None:
        """The lower end of its interval."""

    @property
    def high(self) -> float | None:
        """The upper end."""


@dataclass(frozen=True)
class Line:
    """The EER of one run over a quantity.

    Attributes:
        place, run: of the run within the report.
        at: values of the quantity, `[N]`.
        rates: the EER at each, `[N]`.
    """

    place: int
    run: str
    at: Sequence[float]
    rates: Sequence[Rate]


def draw_lines(lines: Sequence[Line], label: str) -> bytes:
    """Draw the EER of runs over a quantity, with the interval at each of its values.

    Args:
        lines: of the runs.
        label: of the quantity, with its unit.
    """
    with drawing() as figure:
        axes = figure.add_subplot()
        places = [place for line in lines for place in line.at]
        for number, line in enumerate(lines):
            # Runs of one list share their places: moved apart so that no interval hides another.
            shift = (number - (len(lines) - 1) / 2) * 0.012 * float(np.ptp(places))
            at, style = [place + shift for place in line.at], look(line.place)
            ends = np.array([_ends(rate) for rate in line.rates])
            values = [100 * rate.value for rate in line.rates]
            axes.plot(at, values, label=drawn_name(line.run, line.place), **style)
            axes.vlines(at, *(100 * ends.T), color=style["color"], linewidth=1)
        axes.set_xlabel(label, fontsize=8)
        axes.set_ylabel("EER, %", fontsize=8)
        axes.grid(axis="y", color="0.9", linewidth=0.7)
        axes.set_axisbelow(True)
        if len(lines) > 1:
            legend_below(figure, 7)
        return svg(figure)


def rate_text(rate: Rate | None) -> str:
    """Return a rate as `5.31 % (4.62–6.07)`; a dash if there is none."""
    if rate is None:
        return UNKNOWN
    if rate.low is None or rate.high is None:
        return f"{100 * rate.value:.2f} %"
    return f"{100 * rate.value:.2f} % ({100 * rate.low:.2f}–{100 * rate.high:.2f})"


def _ends(rate: Rate) -> tuple[float, float]:
    """Return the interval; of a rate without one its value twice."""
    if rate.low is None or rate.high is None:
        return rate.value, rate.value
    return rate.low, rate.high
