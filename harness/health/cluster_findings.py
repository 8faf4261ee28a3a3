"""What a clustering's curves bear out: trusted items, clusters that move, dimensions in use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.health.findings import HealthFinding, Share, Value
from harness.health.milestones import find_best
from harness.health.noise import moves_limit, noise_deviation
from harness.health.validation_curves import Curve, find_curve
from harness.series.series import Series

TRUSTED = 0.9
"""Share of trusted items from which a growing threshold has come to its end."""

OUTGREW = 0.1
"""Trusted share beyond that of the best validation from which it outgrew what was good."""

MOVING = 0.05
"""Share of items that change their cluster in an epoch from which clusters are not settled."""

FULL, IDLE = 0.5, 0.02
"""Share of an embedding's dimensions in use (participation ratio) that is much, and that is little.
"""


def cluster_findings(series: Series, validation: Curve | None) -> Iterator[HealthFinding]:
    """Yield what is borne out; nothing for a training without clusters."""
    share = _curve(series, "trusted_share")
    if share is not None:
        yield from _trust(share, validation)
    moved = _curve(series, "moved_share")
    if moved is not None:
        last = float(moved.values[-1])
        told: dict[str, Value] = {"last": Share(last), "limit": Share(MOVING)}
        if last > MOVING:
            yield HealthFinding("clusters_move", "clusters", "worrying", told)
        else:
            yield HealthFinding("clusters_settled", "clusters", "good", told)
    used = _curve(series, "used_dimensions")
    if used is not None:
        last = float(used.values[-1])
        text = "dimensions_full" if last > FULL else "dimensions_idle" if last < IDLE else ""
        if text:
            yield HealthFinding(text, "clusters", "", {"used": Share(last)})


def _curve(series: Series, name: str) -> Curve | None:
    found = find_curve(series, "training", (name,))
    return found if found is not None and len(found) else None


def _trust(share: Curve, validation: Curve | None) -> Iterator[HealthFinding]:
    """The share of trusted items at its end, and where the validation was best."""
    last = float(share.values[-1])
    if last < TRUSTED:
        yield HealthFinding("trust_open", "clusters", "", {"last": Share(last)})
    else:
        yield HealthFinding("trust_full", "clusters", "", {"last": Share(last)})
    if validation is None or len(validation) < 2:
        return
    best = find_best(validation)
    lost = float(validation.better[best.place] - validation.better[-1])
    deviation = noise_deviation(validation.values)
    if not np.isfinite(deviation) or lost <= moves_limit(len(validation)) * deviation:
        return
    step = validation.steps[best.place]
    at_best = float(share.values[max(0, int((share.steps <= step).sum()) - 1)])
    if last - at_best < OUTGREW:
        return
    begun = share.values[share.values > 0]
    text = "trust_outgrew" if at_best > float(begun[0]) else "trust_began"
    values: dict[str, Value] = {"share": Share(at_best), "last": Share(last), "at": best.at}
    yield HealthFinding(text, "clusters", "worrying", values)
