"""CN-Celeb's folders, lists and trials at full size, with invented sound.

Every count that its makers publish is met: 2,793 training speakers, 196 models, 17,777 test
utterances, 3,484,292 trials of which 17,755 are targets. Training speakers have 20 utterances
instead of hundreds, as many as validation's trials take. All are short, and many of a speaker are
one sound under several names, so that they are written in minutes.

    python -m tests.data.full_size FOLDER
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from tests.data.miniature import RATE, Voice, write_lines, write_sound

DEV, SECOND, MODELS, TESTS, STRANGERS = 797, 1_996, 196, 17_777, 22
"""Training speakers of both corpora, models, test utterances, and those that no model spoke."""

SESSIONS = ("speech-01", "interview-01")
EACH, ENROLLED = 10, 3
"""Utterances of a training speaker's session, and of a model."""

SECONDS, SPOKEN = 0.5, 4.0
"""Length of an utterance, and of what a speaker's are cut from."""

SOUNDS = 4, 30
"""Different sounds of a training speaker, and of a speaker of the test."""


def write_full_size(folder: Path, *, seed: int = 5) -> None:
    """Write both corpora.

    Args:
        folder: where; it will hold `CN-Celeb_flac/` and `CN-Celeb2_flac/`.
        seed: of the voices.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    first, second = folder / "CN-Celeb_flac", folder / "CN-Celeb2_flac"
    names = [f"{session}-{number:03}" for session in SESSIONS for number in range(1, EACH + 1)]
    for root, listing, begin, count in (
        (first, "dev/dev.lst", 0, DEV),
        (second, "spk.lst", 10_000, SECOND),
    ):
        speakers = [f"id{begin + number:05}" for number in range(count)]
        for speaker in speakers:
            write_voice(generator, [root / "data" / speaker / name for name in names], SOUNDS[0])
        write_lines(root / listing, speakers)
    _write_test(first, generator)


def write_voice(generator: np.random.Generator, places: Sequence[Path], sounds: int) -> None:
    """Write utterances of one new voice, cut from a longer one; places share so many sounds."""
    said = Voice(generator).say(SPOKEN)
    length = round(SECONDS * RATE)
    begins = generator.integers(len(said) - length, size=sounds)
    for number, place in enumerate(places):
        if number < sounds:
            write_sound(place, said[begins[number] : begins[number] + length])
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(f"{places[number % sounds]}.flac", f"{place}.flac")


def _write_test(root: Path, generator: np.random.Generator) -> None:
    """Write the models' and the test utterances, and the lists that compare all with all."""
    speakers = [f"id{800 + number:05}" for number in range(MODELS)]
    enrolled, tests = list[str](), list[str]()
    for place, speaker in enumerate(speakers):
        names = [f"{SESSIONS[0]}-{number:03}" for number in range(1, ENROLLED + 1)]
        own = _test_names(speaker, _share(place))
        places = [root / "data" / speaker / name for name in names]
        write_voice(generator, [*places, *(root / "eval/test" / name for name in own)], SOUNDS[1])
        enrolled.append(" ".join([f"{speaker}-enroll", *(f"{speaker}/{n}.wav" for n in names)]))
        tests += own
    strangers = _test_names("id00999", STRANGERS)
    write_voice(generator, [root / "eval/test" / name for name in strangers], STRANGERS)
    tests += strangers
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


def _test_names(speaker: str, count: int) -> list[str]:
    return [f"{speaker}-{SESSIONS[1]}-{number:03}" for number in range(1, count + 1)]


if __name__ == "__main__":
    write_full_size(Path(sys.argv[1]))
