"""The lists of ``open-26666``: who says what, in which session and split, and the trials.

All of it is known without synthesising anything.
"""

from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from harness.config.tables import Profile
from harness.data.synthesis.arithmetic import IntArray, generator, stable_hash

CORPUS = "open-26666"
SAMPLE_RATE = 16_000
UTTERANCES = 26_666
SPEAKERS = 500

Split: TypeAlias = Literal["train", "validation", "test"]
Gender: TypeAlias = Literal["f", "m"]

KINDS = (
    "target same-session",
    "target cross-session",
    "nontarget same-gender",
    "nontarget cross-gender",
)
"""The kinds of trials."""

_SPLIT_SPEAKERS: dict[Split, int] = {"train": 350, "validation": 50, "test": 100}
_QUICK_SPEAKERS: dict[Split, int] = {"train": 40, "validation": 20, "test": 64}
_QUICK_UTTERANCES: dict[Split, int] = {"train": 25, "validation": 6, "test": 6}
_SHORTEST, _LONGEST = 2 * SAMPLE_RATE, 8 * SAMPLE_RATE
_QUICK_SECONDS = 4.0
_FEWEST_SESSIONS, _MOST_SESSIONS = 2, 4

# Every target pair is used in quick; the full list takes fewer of the easier, same-session ones.
_WANTED: dict[Profile, tuple[int | None, int | None, int, int]] = {
    "quick": (None, None, 12_000, 8_000),
    "full": (20_000, 40_000, 144_000, 96_000),
}
_VALIDATION_SHARE = 4
_DRAWS_PER_TRIAL = 4


class Utterance(NamedTuple):
    """One utterance of the corpus.

    Attributes:
        id: Such as ``spk0123-s2-017``: speaker, session of the speaker, number in the speaker.
        speaker: Such as ``spk0123``.
        session: Such as ``spk0123-s2``.
        gender: ``f`` or ``m``.
        split: ``train``, ``validation`` or ``test``; a speaker is in one only.
        seconds: Exact length: samples divided by the sample rate.
    """

    id: str
    speaker: str
    session: str
    gender: Gender
    split: Split
    seconds: float


def utterances(profile: Profile) -> pd.DataFrame:
    """Return the utterances of a profile, one a row, with the columns of ``Utterance``."""
    return _table(profile).copy()


@lru_cache(maxsize=2)
def _table(profile: Profile) -> pd.DataFrame:
    rows = list(_by_id().values()) if profile == "full" else _quick()
    return pd.DataFrame(rows, columns=list(Utterance._fields))


def utterance(utterance_id: str) -> Utterance:
    """Return one utterance by its id.

    Raises:
        KeyError: If the corpus has no such utterance.
    """
    return _by_id()[utterance_id]


def gender_of(speaker: str) -> Gender:
    """Return the gender of a speaker; women have even numbers, men odd ones."""
    return "m" if int(speaker[3:]) % 2 else "f"


def _key(kind: str, name: str) -> int:
    """Return the fixed random number by which names of one kind are put in order."""
    return stable_hash(f"{CORPUS}/{kind}/{name}")


def _order(kind: str, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: _key(kind, name))


def _speakers() -> list[str]:
    return [f"spk{number:04d}" for number in range(SPEAKERS)]


@lru_cache(maxsize=1)
def _splits() -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for gender in ("f", "m"):
        names = iter(_order("split", [s for s in _speakers() if gender_of(s) == gender]))
        for split, count in _SPLIT_SPEAKERS.items():
            splits |= {next(names): split for _ in range(count // 2)}
    return splits


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Utterance]:
    # Each speaker has as many utterances as the others, as far as the exact total allows.
    fewest, left_over = divmod(UTTERANCES, SPEAKERS)
    rank = {name: place for place, name in enumerate(_order("count", _speakers()))}
    rows = (
        _row(speaker, number)
        for speaker in _speakers()
        for number in range(fewest + (rank[speaker] < left_over))
    )
    return {row.id: row for row in rows}


def _row(speaker: str, number: int) -> Utterance:
    sessions = _FEWEST_SESSIONS + _key("sessions", speaker) % (
        _MOST_SESSIONS - _FEWEST_SESSIONS + 1
    )
    session = f"{speaker}-s{number % sessions + 1}"
    name = f"{session}-{number:03d}"
    seconds = (_SHORTEST + _key("length", name) % (_LONGEST - _SHORTEST + 1)) / SAMPLE_RATE
    return Utterance(name, speaker, session, gender_of(speaker), _splits()[speaker], seconds)


def _quick() -> list[Utterance]:
    chosen = {name for split in _SPLIT_SPEAKERS for name in _quick_speakers(split)}
    rows: dict[str, list[Utterance]] = {}
    for row in _by_id().values():
        if row.speaker in chosen:
            rows.setdefault(row.speaker, []).append(row)
    return sorted(row for speaker, mine in rows.items() for row in _quick_rows(speaker, mine))


def _quick_speakers(split: Split) -> list[str]:
    """Return the speakers of lowest hash, half of them women."""
    names = _order("quick", [name for name, part in _splits().items() if part == split])
    half = _QUICK_SPEAKERS[split] // 2
    women = [name for name in names if gender_of(name) == "f"]
    men = [name for name in names if gender_of(name) == "m"]
    return women[:half] + men[:half]


def _quick_rows(speaker: str, rows: list[Utterance]) -> list[Utterance]:
    """Return utterances of a speaker: short ones first, sessions in turn, lowest hash first."""
    seen: dict[tuple[str, bool], int] = {}
    turns: list[tuple[bool, int, str, Utterance]] = []
    for row in sorted(rows, key=lambda row: _key("quick", row.id)):
        long = row.seconds > _QUICK_SECONDS
        turn = seen[row.session, long] = seen.get((row.session, long), 0) + 1
        turns.append((long, turn, row.session, row))
    return [entry[-1] for entry in sorted(turns)][: _QUICK_UTTERANCES[_splits()[speaker]]]


def trials(profile: Profile, split: Literal["validation", "test"]) -> pd.DataFrame:
    """Return the trial list of a split.

    Args:
        profile: ``quick`` or ``full``.
        split: ``validation`` (a quarter as many nontarget trials) or ``test``.

    Returns:
        One trial a row: ``enrol`` and ``test`` (utterance identifiers), ``target`` (true if the
        speaker is the same) and ``kind`` (one of ``KINDS``).
    """
    return _trials(profile, split).copy()


@lru_cache(maxsize=4)
def _trials(profile: Profile, split: str) -> pd.DataFrame:
    table = _table(profile)
    table = table[table["split"] == split].reset_index(drop=True)
    rng = generator(f"{CORPUS}/trials/{profile}/{split}")
    same, cross, same_gender, cross_gender = _WANTED[profile]
    share = 1 if split == "test" else _VALIDATION_SHARE
    nontargets = (same_gender // share, cross_gender // share)
    wanted = (same, cross, *nontargets)
    nontarget = _nontarget_pairs(table, rng, _DRAWS_PER_TRIAL * sum(nontargets))
    pairs = np.concatenate([_target_pairs(table), nontarget])
    kinds = _kinds(table, pairs)
    kept: list[IntArray] = []
    for kind, count in enumerate(wanted):
        places = np.flatnonzero(kinds == kind)
        kept.append(places if count is None else np.sort(rng.permutation(places)[:count]))
    rows = np.concatenate(kept)
    pairs, kinds, names = pairs[rows], kinds[rows], table["id"].to_numpy()
    columns = {"enrol": names[pairs[:, 0]], "test": names[pairs[:, 1]], "target": kinds < 2}
    return pd.DataFrame(columns | {"kind": np.asarray(KINDS, dtype=object)[kinds]})


def _target_pairs(table: pd.DataFrame) -> IntArray:
    """Return all pairs of rows [pairs, 2] with the same speaker."""
    groups = table.groupby("speaker", sort=True).indices.values()
    pairs = [np.stack([g[i] for i in np.triu_indices(len(g), 1)], axis=1) for g in groups]
    return np.concatenate(pairs).astype(np.int64)


def _nontarget_pairs(table: pd.DataFrame, rng: np.random.Generator, count: int) -> IntArray:
    """Return different random pairs of rows [pairs, 2] with different speakers."""
    pairs = np.unique(np.sort(rng.integers(len(table), size=(count, 2)), axis=1), axis=0)
    speaker = table["speaker"].factorize()[0]
    apart = speaker[pairs[:, 0]] != speaker[pairs[:, 1]]
    return np.asarray(pairs[apart], dtype=np.int64)


def _kinds(table: pd.DataFrame, pairs: IntArray) -> IntArray:
    """Return the place in ``KINDS`` of each pair [pairs]."""
    codes = {name: table[name].factorize()[0] for name in ("speaker", "session", "gender")}
    same = {name: code[pairs[:, 0]] == code[pairs[:, 1]] for name, code in codes.items()}
    kinds = np.where(same["speaker"], 1 - same["session"], 3 - same["gender"])
    return np.asarray(kinds, dtype=np.int64)
