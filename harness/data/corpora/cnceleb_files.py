"""Which utterances of CN-Celeb lie where, and what their names tell."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.data.reading.lists import read_lines
from harness.data.reading.sound_files import check_present, sounds
from harness.errors import DataError
from harness.trials.text_lines import list_examples

FIRST, SECOND = "CN-Celeb_flac", "CN-Celeb2_flac"

ARCHIVES = {FIRST: "cn-celeb_v2.tar.gz", SECOND: "cn-celeb2_v2.tar.gz (three parts to be joined)"}

EVALUATION = ("test", "enroll")
"""Folders whose files have their speaker in their name."""

SESSION = re.compile(r"([a-z_]+)-\d+")
"""What stands before the number of an utterance: genre and session, as in `live_broadcast-02`."""


class Utterance(NamedTuple):
    """A row of the item table; rows sort by speaker, then by id.

    Attributes:
        unit: the speaker.
        id: its path below `data/` or `eval/`, without its ending.
        source: its path below what the corpora lie in.
        line: where the list names it that it is taken for; 0 for training speakers.
        split: `test`, or empty where it may be trained on.
        genre, session: as `speech` and `speech-01`; empty where the name does not tell them.
    """

    unit: str
    id: str
    source: str
    line: int
    split: str
    genre: str
    session: str


def evaluation(folder: Path, place: str, lines: dict[str, int], listing: str) -> list[Utterance]:
    """Listed utterances of the test speakers, which lie in a folder of the first corpus.

    Args:
        folder: what the corpora lie in.
        place: the folder that their ids are below.
        lines: id -> its line.
        listing: the list, for errors.

    Raises:
        DataError: the corpus or some of its files are absent.
    """
    root = corpus_root(folder, FIRST)
    found: dict[str, str] = {}
    for inner in sorted({item.rpartition("/")[0] for item in lines}):
        names = sounds(root / place / inner)
        found |= {f"{inner}/{name}": f"{FIRST}/{place}/{inner}/{names[name]}" for name in names}
    check_present(lines, found, root / listing)
    return [_utterance(item, found[item], line, "test") for item, line in lines.items()]


def training(folder: Path, corpus: str, listing: str) -> list[Utterance]:
    """All utterances of the listed speakers; other speakers are not for training.

    Args:
        folder: what the corpora lie in.
        corpus: which of them.
        listing: its list of speakers.

    Raises:
        DataError: the corpus or its list is absent, or speakers have no files.
    """
    root = corpus_root(folder, corpus)
    speakers = [line.words[0] for line in read_lines(root / listing, "speaker")]
    rows, without = [], []
    for speaker in speakers:
        names = sounds(root / "data" / speaker)
        place = f"{corpus}/data/{speaker}"
        rows += [_utterance(f"{speaker}/{name}", f"{place}/{names[name]}", 0, "") for name in names]
        without += [] if names else [speaker]
    if without:
        raise DataError(
            f"{root / listing}: {len(without)} of {len(speakers)} speakers have no .flac or .wav "
            f"file in {root / 'data'}: {list_examples(without, len(without))}; unpacking or "
            "conversion was not finished, so do it again"
        )
    return rows


def told(item: str) -> tuple[str, str, str]:
    """Speaker, genre and session of an item, from its id."""
    folder, _, name = item.rpartition("/")
    speaker = folder
    if folder in EVALUATION:
        speaker, _, name = name.partition("-")
    session, _, number = name.rpartition("-")
    genre = _genre(session) if number.isdecimal() else ""
    return (speaker, genre, session) if genre else (speaker, "", "")


def corpus_root(folder: Path, corpus: str) -> Path:
    """Where a corpus lies.

    Raises:
        DataError: it is absent.
    """
    root = folder / corpus
    if not root.is_dir():
        without = "" if corpus == FIRST else ', or train without it (train = "1")'
        raise DataError(
            f"{folder}: has no folder {corpus}; get {ARCHIVES[corpus]} from "
            f"https://www.openslr.org/82/ and unpack it there{without}"
        )
    return root


def _utterance(item: str, source: str, line: int, split: str) -> Utterance:
    speaker, genre, session = told(item)
    return Utterance(speaker, item, source, line, split, genre, session)


@cache
def _genre(session: str) -> str:
    """The genre of a session; there are few sessions and very many utterances."""
    match = SESSION.fullmatch(session)
    return match[1] if match else ""
