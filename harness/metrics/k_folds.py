"""K folds over units, for a corpus with too few speakers to keep some aside for testing alone.

Each fold is tested by a network of its own, trained on the others, so that every unit is tested
once. Scores of different networks are on no common scale and are never pooled: the metric is
computed within each fold, and then averaged.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.metrics.validation import MetricError


def unit_folds(units: Iterable[str], folds: int, *, seed: int) -> dict[str, int]:
    """Deal units to K folds whose sizes differ by one at most.

    Units are dealt in the order of the sha256 of seed and name, so neither the order of the items
    nor how many each unit has makes a difference, and the answer is the same on every machine.

    Args:
        units: names, as often as they come: one for each item will do.
        folds: K, at least 2.
        seed: another seed deals otherwise.

    Returns:
        The fold, from 0 to K - 1, of each distinct unit, by ascending name.

    Raises:
        MetricError: fewer than two folds, fewer than two units a fold (leaving one out would empty
            it), or a unit that is no string.

    >>> unit_folds(["ann", "bob", "eve", "kim", "ann"], folds=2, seed=0)
    {'ann': 1, 'bob': 0, 'eve': 1, 'kim': 0}
    """
    distinct = set(units)
    wrong = [unit for unit in distinct if not isinstance(unit, str)]
    if wrong:
        raise MetricError(
            f"{len(wrong)} of {len(distinct)} units are no strings, as {wrong[0]!r}; name each unit"
        )
    names = sorted(map(str, distinct))
    if folds < 2 or len(names) < 2 * folds:
        raise MetricError(
            f"{len(names)} units in {folds} folds; give at least 2 folds, and 2 units a fold: at "
            f"most {len(names) // 2} folds here"
        )
    keys = {name: hashlib.sha256(f"fold:{seed}:{name}".encode()).hexdigest() for name in names}
    dealt = sorted(names, key=keys.__getitem__)
    fold = {name: position % folds for position, name in enumerate(dealt)}
    return {name: fold[name] for name in names}


def over_folds(
    values: Sequence[float], left_out: Sequence[Mapping[str, float]]
) -> tuple[float, dict[str, float]]:
    """Join the metric of K folds to one value, with each unit of all folds left out.

    With v_k the metric on fold k, and v_k(-u) the same without unit u of that fold:

        value = (v_1 + ... + v_K) / K
        left_out[u] = value + (v_k(-u) - v_k) / K

    which is what computing every metric again without u gives, since no other fold tests it; the
    networks stay as they are. Every fold weighs the same. Both results go into
    `harness.metrics.significance.ComparedEntry`, whose jackknife is then over all units. For a
    metric that is a mean over units it is too wide rather than too narrow, by
    sqrt(n (S - 1) / ((n - 1) S)) for S units in folds of n (a sixth at 3 of 12 units, a fortieth at
    10 of 20): prefer few folds. It does not hold the spread of networks trained again.

    Args:
        values: `[K]`, the metric on each fold.
        left_out: K mappings, from each unit of the fold to the metric on the fold without it.

    Returns:
        The value, and the left-one-out values of all units by ascending name.

    Raises:
        MetricError: fewer than two folds, lengths differ, a fold of fewer than two units, a unit
            in two folds, or a value that is NaN or infinite.

    >>> over_folds([0.5, 0.75], [{"ann": 0.25, "bob": 0.75}, {"eve": 0.75, "kim": 0.75}])
    (0.625, {'ann': 0.5, 'bob': 0.75, 'eve': 0.625, 'kim': 0.625})
    """
    _check_folds(values, left_out)
    count = len(values)
    joined = {
        unit: math.fsum([*values[:k], without, *values[k + 1 :]]) / count
        for k, fold in enumerate(left_out)
        for unit, without in fold.items()
    }
    return math.fsum(values) / count, {unit: joined[unit] for unit in sorted(joined)}


def _check_folds(values: Sequence[float], left_out: Sequence[Mapping[str, float]]) -> None:
    if len(values) < 2 or len(values) != len(left_out):
        raise MetricError(
            f"{len(values)} values and {len(left_out)} left-one-out mappings; give one of each for "
            "at least 2 folds"
        )
    for k, (value, fold) in enumerate(zip(values, left_out, strict=True)):
        _check_fold(f"fold {k}", value, fold)
    twice = sorted(u for u, n in Counter(u for fold in left_out for u in fold).items() if n > 1)
    if twice:
        raise MetricError(
            f"{len(twice)} units are in more than one fold, the first is {twice[0]!r}; a unit is "
            "tested once"
        )


def _check_fold(what: str, value: float, left_out: Mapping[str, float]) -> None:
    if len(left_out) < 2:
        raise MetricError(f"{what}: {len(left_out)} units, want at least 2; make fewer folds")
    if not math.isfinite(value):
        raise MetricError(f"{what}: the metric is {value}; give folds on which it can be computed")
    bad = [unit for unit, without in left_out.items() if not math.isfinite(without)]
    if bad:
        raise MetricError(
            f"{what}: {len(bad)} of {len(left_out)} left-one-out values are NaN or infinite, the "
            f"first without {bad[0]!r}; make fewer, larger folds"
        )
