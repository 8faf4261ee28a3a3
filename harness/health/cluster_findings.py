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

JUDGED_BY = {
    "thres": "trusted_share",
    "delta": "trusted_share",
    "lr": "moved_share",
    "base_dim": "used_dimensions",
}
"""Setting of a clustering -> the curve without which nothing is said of it."""


def cluster_findings(series: Series, validation: Curve | None) -> Iterator[HealthFinding]:
    """Yield what is borne out; nothing for a training without clusters."""
    share = trusted_share(series)
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
        text = "full" if last > FULL else "idle" if last < IDLE else "some"
        yield HealthFinding(f"dimensions_{text}", "clusters", "", {"used": Share(last)})
    yield from _unjudged(series, share)


def trusted_share(series: Series) -> Curve | None:
    """Return the share of items that are trusted; None if a series does not have it.

    Some programs write the share of each epoch as `thres`, beside the `delta` by which it grows.
    """
    share = _curve(series, "trusted_share")
    thres = _curve(series, "thres")
    if share is not None or thres is None or _curve(series, "delta") is None:
        return share
    return thres if np.ptp(thres.values) > 0 else None


def _unjudged(series: Series, share: Curve | None) -> Iterator[HealthFinding]:
    """Settings of a clustering that a log holds without the curve that judges them."""
    if all(_curve(series, name) is None for name in ("delta", "base_dim")):
        return
    known = {name for name in JUDGED_BY.values() if _curve(series, name) is not None}
    known |= {"trusted_share"} if share is not None else set()
    settings = {
        name: by
        for name, by in JUDGED_BY.items()
        if by not in known and _curve(series, name) is not None
    }
    if settings:
        values: dict[str, Value] = {
            "settings": ", ".join(settings),
            "curves": ", ".join(dict.fromkeys(settings.values())),
        }
        yield HealthFinding("settings_unjudged", "clusters", "", values)


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
    if not np.isfinite(deviation) or last == 0:
        return
    step = validation.steps[best.place]
    at_best = float(share.values[max(0, int((share.steps <= step).sum()) - 1)])
    values: dict[str, Value] = {"share": Share(at_best), "last": Share(last), "at": best.at}
    if lost <= moves_limit(len(validation)) * deviation:
        yield HealthFinding("trust_held", "clusters", "", values)
    elif last - at_best >= OUTGREW:
        begun = share.values[share.values > 0]
        text = "trust_outgrew" if at_best > float(begun[0]) else "trust_began"
        yield HealthFinding(text, "clusters", "worrying", values)
