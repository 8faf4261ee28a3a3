"""Which pairs of utterances are compared: fixed lists, made by rule and seed."""

from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd

from harness.data.synthesis.layout import CORPUS, Profile, utterances
from harness.data.synthesis.portable import IntArray
from harness.data.synthesis.seeds import generator

KINDS = (
    "target same-session",
    "target cross-session",
    "nontarget same-gender",
    "nontarget cross-gender",
)

# Every target pair is used in quick; the full list takes fewer of the easier, same-session ones.
_WANTED: dict[Profile, tuple[int | None, int | None, int, int]] = {
    "quick": (None, None, 12_000, 8_000),
    "full": (20_000, 40_000, 144_000, 96_000),
}
_VALIDATION_SHARE = 4
_DRAWS_PER_TRIAL = 4


def trials(profile: Profile, split: Literal["validation", "test"]) -> pd.DataFrame:
    """Return the trial list of a split.

    Args:
        profile: ``quick`` or ``full``.
        split: ``validation`` (a quarter as many nontarget trials) or ``test``.

    Returns:
        One trial a row: ``enrol`` and ``test`` (utterance identifiers), ``target`` (whether the
        speaker is the same) and ``kind`` (one of ``KINDS``).
    """
    return _trials(profile, split).copy()


@lru_cache(maxsize=4)
def _trials(profile: Profile, split: str) -> pd.DataFrame:
    table = utterances(profile)
    table = table[table["split"] == split].reset_index(drop=True)
    rng = generator(f"{CORPUS}/trials/{profile}/{split}")
    same, cross, *nontargets = _WANTED[profile]
    wanted = [same, cross, *(_share(count, split) for count in nontargets)]
    targets, others = _target_pairs(table), _nontarget_pairs(table, rng, wanted)
    return _listed(table, _chosen(table, np.concatenate([targets, others]), wanted, rng))


def _share(count: int | None, split: str) -> int:
    return (count or 0) // (1 if split == "test" else _VALIDATION_SHARE)


def _target_pairs(table: pd.DataFrame) -> IntArray:
    """Return all pairs of rows [pairs, 2] with the same speaker."""
    groups = table.groupby("speaker", sort=True).indices.values()
    pairs = [np.stack([g[i] for i in np.triu_indices(len(g), 1)], axis=1) for g in groups]
    return np.concatenate(pairs).astype(np.int64)


def _nontarget_pairs(
    table: pd.DataFrame, rng: np.random.Generator, wanted: list[int | None]
) -> IntArray:
    """Return different random pairs of rows [pairs, 2] with different speakers."""
    count = _DRAWS_PER_TRIAL * sum(number or 0 for number in wanted[2:])
    pairs = np.sort(rng.integers(len(table), size=(count, 2)), axis=1)
    pairs = np.unique(pairs, axis=0)
    speaker = table["speaker"].factorize()[0]
    apart = speaker[pairs[:, 0]] != speaker[pairs[:, 1]]
    return np.asarray(pairs[apart], dtype=np.int64)


def _kinds(table: pd.DataFrame, pairs: IntArray) -> IntArray:
    """Return the place in ``KINDS`` of each pair [pairs]."""
    codes = {name: table[name].factorize()[0] for name in ("speaker", "session", "gender")}
    same = {name: code[pairs[:, 0]] == code[pairs[:, 1]] for name, code in codes.items()}
    kinds = np.where(same["speaker"], 1 - same["session"], 3 - same["gender"])
    return np.asarray(kinds, dtype=np.int64)


def _chosen(
    table: pd.DataFrame, pairs: IntArray, wanted: list[int | None], rng: np.random.Generator
) -> IntArray:
    """Return the pairs kept [trials, 2]: of each kind all, or a random choice of those wanted."""
    kinds = _kinds(table, pairs)
    kept: list[IntArray] = []
    for kind, count in enumerate(wanted):
        places = np.flatnonzero(kinds == kind)
        kept.append(places if count is None else np.sort(rng.permutation(places)[:count]))
    return pairs[np.concatenate(kept)]


def _listed(table: pd.DataFrame, pairs: IntArray) -> pd.DataFrame:
    names = table["id"].to_numpy()
    kinds = _kinds(table, pairs)
    columns = {"enrol": names[pairs[:, 0]], "test": names[pairs[:, 1]], "target": kinds < 2}
    return pd.DataFrame(columns | {"kind": np.asarray(KINDS, dtype=object)[kinds]})
