"""CN-Celeb's folders, lists and trials at full size, with invented sound.

Every count that its makers publish is met: 2,793 training speakers, 196 models, 17,777 test
utterances, 3,484,292 trials of which 17,755 are targets. Training speakers have a few utterances
instead of hundreds, and all are short.

    python -m tests.data.full_size FOLDER
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np

from tests.data.miniature import Voice, write_lines, write_sound

DEV, SECOND, MODELS, TESTS, STRANGERS = 797, 1_996, 196, 17_777, 22
"""Training speakers of both corpora, models, test utterances, and those that no model spoke."""

SESSIONS = ("speech-01", "interview-01")
EACH = 3
"""Utterances of a training speaker's session, and of a model."""


def write_full_size(folder: Path, *, seconds: float = 1.0, seed: int = 5) -> None:
    """Write both corpora.

    Args:
        folder: where; it will hold `CN-Celeb_flac/` and `CN-Celeb2_flac/`.
        seconds: length of an utterance; those of the test are half as long.
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
            _write_training_speaker(root / "data" / speaker, Voice(generator), seconds)
        write_lines(root / listing, speakers)
    _write_test(first, generator, seconds)


def _write_training_speaker(folder: Path, voice: Voice, seconds: float) -> None:
    for session, number in product(SESSIONS, range(1, EACH + 1)):
        write_sound(folder / f"{session}-{number:03}", voice.say(seconds))


def _write_test(root: Path, generator: np.random.Generator, seconds: float) -> None:
    """Write the models' and the test utterances, and the lists that compare all with all."""
    speakers = [f"id{800 + number:05}" for number in range(MODELS)]
    tests: list[str] = []
    enrolled: list[str] = []
    for place, speaker in enumerate(speakers):
        voice = Voice(generator)
        names = [f"{SESSIONS[0]}-{number:03}" for number in range(1, EACH + 1)]
        for name in names:
            write_sound(root / "data" / speaker / name, voice.say(seconds))
        enrolled.append(" ".join([f"{speaker}-enroll", *(f"{speaker}/{n}.wav" for n in names)]))
        tests += _write_tests(root, speaker, voice, _share(place), seconds / 2)
    tests += _write_tests(root, "id00999", Voice(generator), STRANGERS, seconds / 2)
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


def _write_tests(root: Path, speaker: str, voice: Voice, count: int, seconds: float) -> list[str]:
    names = [f"{speaker}-{SESSIONS[1]}-{number:03}" for number in range(1, count + 1)]
    for name in names:
        write_sound(root / "eval" / "test" / name, voice.say(seconds))
    return names


if __name__ == "__main__":
    write_full_size(Path(sys.argv[1]))
