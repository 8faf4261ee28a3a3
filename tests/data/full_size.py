"""CN-Celeb's folders, lists and trials at full size, with invented sound.

Every count that its makers publish is met: 2,793 training speakers, 196 models, 17,777 test
utterances, 3,484,292 trials of which 17,755 are targets. Training speakers have 20 utterances
instead of hundreds, as many as validation's trials take, and all are short.

    python -m tests.data.full_size FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.data.miniature import RATE, Voice, write_lines, write_sound

Samples = NDArray[np.int16]

DEV, SECOND, MODELS, TESTS, STRANGERS = 797, 1_996, 196, 17_777, 22
"""Training speakers of both corpora, models, test utterances, and those that no model spoke."""

SESSIONS = ("speech-01", "interview-01")
EACH, ENROLLED = 10, 3
"""Utterances of a training speaker's session, and of a model."""

SECONDS, SPOKEN = 0.5, 4.0
"""Length of an utterance, and of what it is cut from."""


def write_full_size(folder: Path, *, seed: int = 5) -> None:
    """Write both corpora.

    Args:
        folder: where; it will hold `CN-Celeb_flac/` and `CN-Celeb2_flac/`.
        seed: of the voices.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    first, second = folder / "CN-Celeb_flac", folder / "CN-Celeb2_flac"
    for root, listing, begin, count in (
        (first, "dev/dev.lst", 0, DEV),
        (second, "spk.lst", 10_000, SECOND),
    ):
        speakers = [f"id{begin + number:05}" for number in range(count)]
        for speaker in speakers:
            sounds = cut(generator, len(SESSIONS) * EACH)
            for session, number in product(SESSIONS, range(1, EACH + 1)):
                write_sound(root / "data" / speaker / f"{session}-{number:03}", next(sounds))
        write_lines(root / listing, speakers)
    _write_test(first, generator)


def cut(generator: np.random.Generator, count: int) -> Iterator[Samples]:
    """Cut utterances of one new voice out of a longer one, int16 `[samples]` each."""
    said = Voice(generator).say(SPOKEN)
    length = round(SECONDS * RATE)
    for begin in generator.integers(len(said) - length, size=count):
        yield said[begin : begin + length]


def _write_test(root: Path, generator: np.random.Generator) -> None:
    """Write the models' and the test utterances, and the lists that compare all with all."""
    speakers = [f"id{800 + number:05}" for number in range(MODELS)]
    tests: list[str] = []
    enrolled: list[str] = []
    for place, speaker in enumerate(speakers):
        sounds = cut(generator, ENROLLED + _share(place))
        names = [f"{SESSIONS[0]}-{number:03}" for number in range(1, ENROLLED + 1)]
        for name in names:
            write_sound(root / "data" / speaker / name, next(sounds))
        enrolled.append(" ".join([f"{speaker}-enroll", *(f"{speaker}/{n}.wav" for n in names)]))
        tests += _write_tests(root, speaker, sounds)
    tests += _write_tests(root, "id00999", cut(generator, STRANGERS))
    lists = root / "eval" / "lists"
    write_lines(lists / "enroll.map", enrolled)
    write_lines(lists / "test.lst", [f"test/{name}.wav" for name in tests])
    write_lines(
        lists / "trials.lst",
        [
            f"{speaker}-enroll test/{test}.wav {test.startswith(speaker):d}"
            for speaker, test in product(speakers, tests)
        ],
    )


def _share(place: int) -> int:
    """Return the test utterances of a model, which are as even as their number allows."""
    each, more = divmod(TESTS - STRANGERS, MODELS)
    return each + (place < more)


def _write_tests(root: Path, speaker: str, sounds: Iterator[Samples]) -> list[str]:
    names = []
    for number, sound in enumerate(sounds, 1):
        names.append(f"{speaker}-{SESSIONS[1]}-{number:03}")
        write_sound(root / "eval" / "test" / names[-1], sound)
    return names


if __name__ == "__main__":
    write_full_size(Path(sys.argv[1]))
