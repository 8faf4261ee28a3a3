"""What does not fit between a score file and its trial list: repeated, unknown, missing trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.trials.columns import Codes
from harness.trials.complaints import EXAMPLES, ScoreFileError, counted, listed
from harness.trials.reading import Table
from harness.trials.trials import Keys, TrialList, pair_keys, repeats


def mismatch(table: Table, trials: TrialList, found: Keys) -> ScoreFileError:
    """Says all that keeps a score file from being joined.

    Args:
        table: the score file; the names of the list have the same numbers in it.
        trials: the list.
        found: `[lines]`, the key of each line of the score file.
    """
    again, firsts = repeats(found)
    unknown = np.flatnonzero(_absent(found, trials.keys))
    missing = np.flatnonzero(_absent(trials.keys, found))
    parts = [
        _repeated(table, again, firsts),
        _unknown(table, unknown),
        _missing(trials, missing),
        _hint(table, trials, missing, found),
    ]
    told = ". ".join(part for part in parts if part)
    return ScoreFileError(
        f"{table.path}: does not hold each trial of {trials.path} exactly once. {told}. "
        "Score each trial of the list once, and no other"
    )


def _repeated(table: Table, again: NDArray[np.intp], firsts: NDArray[np.intp]) -> str:
    examples = [
        f"{_line(table, place)} as line {table.first + first}"
        for place, first in zip(again[:EXAMPLES].tolist(), firsts[:EXAMPLES].tolist(), strict=True)
    ]
    return _told(examples, len(again), f"of {len(table)} repeated")


def _unknown(table: Table, unknown: NDArray[np.intp]) -> str:
    examples = [_line(table, place) for place in unknown[:EXAMPLES].tolist()]
    return _told(examples, len(unknown), f"of {len(table)} of no trial in the list")


def _missing(trials: TrialList, missing: NDArray[np.intp]) -> str:
    examples = [trials.line(place) for place in missing[:EXAMPLES].tolist()]
    return _told(examples, len(missing), f"of {len(trials)} of the list without a score")


def _told(examples: Sequence[str], count: int, what: str) -> str:
    return f"{counted(count, 'line')} {what}: {listed(examples, count)}" if count else ""


def _hint(table: Table, trials: TrialList, missing: NDArray[np.intp], found: Keys) -> str:
    if not missing.size:
        return ""
    enrol = _numbers(trials.test_names, table.names["enrol"])[trials.test[missing]]
    test = _numbers(trials.enrol_names, table.names["test"])[trials.enrol[missing]]
    if not bool(_absent(pair_keys(enrol, test), found).any()):
        return "All that are missing are there with enrol and test swapped: swap the columns"
    return ""


def _absent(keys: Keys, among: Keys) -> NDArray[np.bool_]:
    """`[N]`, which keys are not among others; np.isin does the same, several times slower."""
    ascending = np.sort(among)
    places = np.searchsorted(ascending, keys)
    np.minimum(places, len(ascending) - 1, out=places)
    absent: NDArray[np.bool_] = ascending[places] != keys
    return absent


def _numbers(names: Sequence[str], among: Sequence[str]) -> Codes:
    """The place of each name in `among`, -1 where it has none."""
    places = {name: place for place, name in enumerate(among)}
    return np.array([places.get(name, -1) for name in names], dtype=np.int32)


def _line(table: Table, row: int) -> str:
    enrol = table.names["enrol"][table.codes["enrol"][row]]
    test = table.names["test"][table.codes["test"][row]]
    return f"line {table.first + row} ({enrol} {test})"
