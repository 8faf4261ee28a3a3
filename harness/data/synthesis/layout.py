"""Who says what, in which session and split, and for how long: known without synthesising."""

from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

import pandas as pd

from harness.data.synthesis.seeds import stable_hash

CORPUS = "open-26666"
SAMPLE_RATE = 16_000
UTTERANCES = 26_666
SPEAKERS = 500

Profile: TypeAlias = Literal["quick", "full"]
Split: TypeAlias = Literal["train", "validation", "test"]
Gender: TypeAlias = Literal["f", "m"]

_SPLIT_SPEAKERS: dict[Split, int] = {"train": 350, "validation": 50, "test": 100}
_QUICK_SPEAKERS: dict[Split, int] = {"train": 120, "validation": 20, "test": 64}
_QUICK_UTTERANCES: dict[Split, int] = {"train": 10, "validation": 6, "test": 6}
_SHORTEST, _LONGEST = 2 * SAMPLE_RATE, 8 * SAMPLE_RATE
_QUICK_SECONDS = 4.0
_FEWEST_SESSIONS, _MOST_SESSIONS = 2, 4


class Utterance(NamedTuple):
    """What an identifier stands for.

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
    return (_full() if profile == "full" else _quick()).copy()


def utterance(utterance_id: str) -> Utterance:
    """Return what is known of one utterance.

    Raises:
        KeyError: If the corpus has no such utterance.
    """
    return _by_id()[utterance_id]


def gender_of(speaker: str) -> Gender:
    """Return the gender of a speaker; women have even numbers, men odd ones."""
    return "m" if int(speaker[3:]) % 2 else "f"


def key(kind: str, name: str) -> int:
    """Return the fixed random number by which names of one kind are put in order."""
    return stable_hash(f"{CORPUS}/{kind}/{name}")


def _speakers() -> list[str]:
    return [f"spk{number:04d}" for number in range(SPEAKERS)]


def _ordered(kind: str, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: key(kind, name))


@lru_cache(maxsize=1)
def _splits() -> dict[str, Split]:
    splits: dict[str, Split] = {}
    for gender in ("f", "m"):
        names = iter(_ordered("split", [s for s in _speakers() if gender_of(s) == gender]))
        for split, count in _SPLIT_SPEAKERS.items():
            splits |= {next(names): split for _ in range(count // 2)}
    return splits


@lru_cache(maxsize=1)
def _counts() -> dict[str, int]:
    """Return how many utterances a speaker has: as even as the exact total allows."""
    fewest, left_over = divmod(UTTERANCES, SPEAKERS)
    names = _ordered("count", _speakers())
    return {name: fewest + (rank < left_over) for rank, name in enumerate(names)}


def _sessions(speaker: str) -> int:
    return _FEWEST_SESSIONS + key("sessions", speaker) % (_MOST_SESSIONS - _FEWEST_SESSIONS + 1)


def _samples(utterance_id: str) -> int:
    return _SHORTEST + key("length", utterance_id) % (_LONGEST - _SHORTEST + 1)


def _row(speaker: str, number: int) -> Utterance:
    session = f"{speaker}-s{number % _sessions(speaker) + 1}"
    name = f"{session}-{number:03d}"
    seconds = _samples(name) / SAMPLE_RATE
    return Utterance(name, speaker, session, gender_of(speaker), _splits()[speaker], seconds)


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Utterance]:
    rows = (_row(speaker, n) for speaker in _speakers() for n in range(_counts()[speaker]))
    return {row.id: row for row in rows}


@lru_cache(maxsize=1)
def _full() -> pd.DataFrame:
    return pd.DataFrame(list(_by_id().values()), columns=list(Utterance._fields))


@lru_cache(maxsize=1)
def _quick() -> pd.DataFrame:
    chosen = {name for split in _SPLIT_SPEAKERS for name in _quick_speakers(split)}
    rows = [row for row in _by_id().values() if row.speaker in chosen]
    kept = [row for speaker in sorted(chosen) for row in _quick_rows(speaker, rows)]
    return pd.DataFrame(sorted(kept), columns=list(Utterance._fields))


def _quick_speakers(split: Split) -> list[str]:
    """Return the speakers of lowest hash, half of them women."""
    names = _ordered("quick", [name for name, part in _splits().items() if part == split])
    half = _QUICK_SPEAKERS[split] // 2
    women = [name for name in names if gender_of(name) == "f"]
    men = [name for name in names if gender_of(name) == "m"]
    return women[:half] + men[:half]


def _quick_rows(speaker: str, rows: list[Utterance]) -> list[Utterance]:
    """Return utterances of a speaker: short ones first, sessions in turn, lowest hash first."""
    mine = sorted((r for r in rows if r.speaker == speaker), key=lambda r: key("quick", r.id))
    seen: dict[tuple[str, bool], int] = {}
    turns: list[tuple[bool, int, str, Utterance]] = []
    for row in mine:
        long = row.seconds > _QUICK_SECONDS
        turn = seen[row.session, long] = seen.get((row.session, long), 0) + 1
        turns.append((long, turn, row.session, row))
    return [entry[-1] for entry in sorted(turns)][: _QUICK_UTTERANCES[_splits()[speaker]]]
