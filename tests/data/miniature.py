"""CN-Celeb and VoxCeleb with a few voices: their folders, lists and quirks, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import lfilter

RATE = 16_000

GENRES = ("speech", "interview", "live_broadcast", "singing")

DEV = ("id00000", "id00001", "id00003", "id00007", "id00012", "id00799", "id00996", "id00999")
"""Two of them above id00800."""

SECOND = ("id10000", "id10001", "id10007", "id11999")

UNLISTED = ("id00002", "id00420")
"""In data/ and below id00800, and yet in no list."""

ENROLLED = ("id00800", "id00801", "id00807", "id00900")

NOT_ENROLLED = ("id00808",)
"""Tested without a model: all of their trials are nontarget."""


@dataclass
class Voice:
    """Pulses through one resonance, in noise; each session and utterance a little off.

    Attributes:
        generator: of all that differs.
        pitch: Hz.
        formant: Hz.
    """

    generator: np.random.Generator
    pitch: float = field(init=False)
    formant: float = field(init=False)

    def __post_init__(self) -> None:
        self.pitch = self.generator.uniform(90, 240)
        self.formant = self.generator.uniform(500, 2500)

    def say(self, seconds: float) -> np.ndarray[Any, np.dtype[np.int16]]:
        """One utterance, int16 `[samples]`."""
        samples = round(seconds * RATE)
        time = np.arange(samples) / RATE
        pitch = self.pitch * (1 + 0.05 * self.generator.normal())
        pulses = np.diff(np.floor(pitch * time), prepend=0)
        angle = 2 * np.pi * self.formant * (1 + 0.04 * self.generator.normal()) / RATE
        voiced = lfilter([0.03], [1, -2 * 0.97 * np.cos(angle), 0.97**2], pulses)
        loud = voiced * (1 + 0.3 * np.sin(6 * np.pi * time))
        noisy = loud / np.abs(loud).max() + 0.02 * self.generator.normal(size=samples)
        return np.rint(15_000 * noisy).clip(-32768, 32767).astype(np.int16)


@dataclass(frozen=True)
class MiniatureCnCeleb:
    """What was written.

    Attributes:
        folder: holds `CN-Celeb_flac/` and `CN-Celeb2_flac/`.
        utterances: training speaker -> names of utterances, of both corpora.
        enrolment: model -> its utterances, as `speaker/name`.
        tests: names of the test utterances.
    """

    folder: Path
    utterances: dict[str, list[str]]
    enrolment: dict[str, list[str]]
    tests: list[str]

    @property
    def first(self) -> Path:
        return self.folder / "CN-Celeb_flac"

    @property
    def second(self) -> Path:
        return self.folder / "CN-Celeb2_flac"

    @property
    def lists(self) -> Path:
        return self.first / "eval" / "lists"

    @property
    def trials(self) -> list[tuple[str, str, bool]]:
        """Every model against every test utterance, in the list's order."""
        pairs = product(self.enrolment, self.tests)
        return [(model, test, model.split("-")[0] == test.split("-")[0]) for model, test in pairs]


def write_cnceleb(folder: Path, *, each: int = 6, seed: int = 7) -> MiniatureCnCeleb:
    """Write both corpora, FLAC files under lists that name .wav.

    Args:
        folder: where; made if it is not there.
        each: utterances of a training speaker, and test utterances of a test speaker.
        seed: of the voices.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    first, second = folder / "CN-Celeb_flac", folder / "CN-Celeb2_flac"
    utterances = {
        speaker: _write_speaker(root / "data" / speaker, Voice(generator), each)
        for root, speakers in ((first, DEV), (second, SECOND))
        for speaker in speakers
    }
    for speaker in UNLISTED:
        _write_speaker(first / "data" / speaker, Voice(generator), 2)
    write_lines(first / "dev" / "dev.lst", DEV)
    write_lines(second / "spk.lst", SECOND)
    enrolment, tests = _write_evaluation(first, generator, each)
    written = MiniatureCnCeleb(folder, utterances, enrolment, tests)
    _write_lists(written)
    return written


def _write_evaluation(
    root: Path, generator: np.random.Generator, each: int
) -> tuple[dict[str, list[str]], list[str]]:
    enrolment, tests = {}, []
    for place, speaker in enumerate((*ENROLLED, *NOT_ENROLLED)):
        voice = Voice(generator)
        others = _write_speaker(root / "data" / speaker, voice, 4)
        if speaker in ENROLLED:
            chosen = others[: 2 + place % 2]  # the rest is neither trained on nor scored
            sound = np.concatenate([_read(root / "data" / speaker / name) for name in chosen])
            write_sound(root / "eval" / "enroll" / f"{speaker}-enroll", sound)
            enrolment[f"{speaker}-enroll"] = [f"{speaker}/{name}" for name in chosen]
        for name, seconds in _names(generator, each, first=50):
            write_sound(root / "eval" / "test" / f"{speaker}-{name}", voice.say(seconds))
            tests.append(f"{speaker}-{name}")
    return enrolment, tests


def _write_lists(written: MiniatureCnCeleb) -> None:
    lists, enrolment = written.lists, written.enrolment
    write_lines(lists / "enroll.lst", [f"{model} enroll/{model}.wav" for model in enrolment])
    write_lines(
        lists / "enroll.map",
        [" ".join([model, *(f"{name}.wav" for name in enrolment[model])]) for model in enrolment],
    )
    write_lines(lists / "test.lst", [f"test/{name}.wav" for name in written.tests])
    write_lines(
        lists / "trials.lst",
        [f"{model} test/{test}.wav {target:d}" for model, test, target in written.trials],
    )


VOX1_DEV = ("id10001", "id10002", "id10003", "id10269")

VOX1_TEST = ("id10270", "id10271", "id10309")

VOX2_DEV = ("id00012", "id00015", "id00018", "id00900", "id05060", "id07000", "id09271", "id09272")

VOX2_TEST = ("id00017",)

VIDEOS = ("-a_Bc-12x3Y", "x6uYqmx31kE")

LISTS = {
    "veri_test.txt": (VOX1_TEST, 1),
    "veri_test2.txt": (VOX1_TEST, 2),
    "list_test_all.txt": ((*VOX1_DEV, *VOX1_TEST), 1),
    "list_test_all2.txt": ((*VOX1_DEV, *VOX1_TEST), 2),
    "list_test_hard.txt": (VOX1_DEV, 1),
    "list_test_hard2.txt": (VOX1_DEV, 2),
}
"""Each list's speakers, and which trials of all of theirs: every first, every second."""


@dataclass(frozen=True)
class MiniatureVoxCeleb:
    """What was written.

    Attributes:
        folder: holds `voxceleb1/`, `voxceleb2/` and the lists.
        utterances: speaker -> utterances as `speaker/video/number`, of both corpora.
        trials: file name of a list -> its trials: the two utterances and whether it is a target.
    """

    folder: Path
    utterances: dict[str, list[str]]
    trials: dict[str, list[tuple[str, str, bool]]]


def write_voxceleb(
    folder: Path, *, merged: bool = False, each: int = 3, seed: int = 11
) -> MiniatureVoxCeleb:
    """Write VoxCeleb1 as .wav, VoxCeleb2 as .flac beside what is left of its .m4a, and all lists.

    Args:
        folder: where; made if it is not there.
        merged: one `wav/` a corpus, dev and test speakers together, instead of the archives'
            `dev/wav/`, `test/wav/` and `dev/aac/`.
        each: utterances of a video; a speaker has two.
        seed: of the voices.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    parts = (
        ("voxceleb1/dev/wav", VOX1_DEV, ".wav"),
        ("voxceleb1/test/wav", VOX1_TEST, ".wav"),
        ("voxceleb2/dev/aac", VOX2_DEV, ".flac"),
        ("voxceleb2/test/aac", VOX2_TEST, ".flac"),
    )
    utterances = {}
    for place, speakers, ending in parts:
        root = folder / (f"{place.split('/')[0]}/wav" if merged else place)
        for speaker in speakers:
            utterances[speaker] = _write_videos(root / speaker, Voice(generator), each, ending)
    trials = {name: list(_pairs(utterances, *choice)) for name, choice in LISTS.items()}
    for name, listed in trials.items():
        lines = [f"{target:d} {enrol}.wav {test}.wav" for enrol, test, target in listed]
        write_lines(folder / "lists" / name, lines)
    _write_meta(folder)
    return MiniatureVoxCeleb(folder, utterances, trials)


def _pairs(
    utterances: dict[str, list[str]], speakers: tuple[str, ...], step: int
) -> Iterator[tuple[str, str, bool]]:
    """As many target as nontarget trials of each utterance, and not of its own video."""
    for place, speaker in enumerate(speakers):
        other = utterances[speakers[(place + 1) % len(speakers)]]
        own = utterances[speaker]
        for index in range(0, len(own), step):
            yield own[index], own[(index + len(own) // 2) % len(own)], True
            yield own[index], other[(index + len(own) // 2) % len(own)], False


def _write_meta(folder: Path) -> None:
    sets = [(VOX1_DEV, "dev"), (VOX1_TEST, "test")]
    rows = [(name, "mf"[int(name[-1]) % 2], part) for names, part in sets for name in names]
    head = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet"
    lines = [f"{name}\tA_Name\t{gender}\tNew Zealand\t{part}" for name, gender, part in rows]
    write_lines(folder / "vox1_meta.csv", [head, *lines])
    sets = [(VOX2_DEV, "dev"), (VOX2_TEST, "test")]
    rows = [(name, "mf"[int(name[-1]) % 2], part) for names, part in sets for name in names]
    head = "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set "
    lines = [f"{name} ,n{name[2:]} ,{gender} ,{part} " for name, gender, part in rows]
    write_lines(folder / "vox2_meta.csv", [head, *lines])


def _write_videos(folder: Path, voice: Voice, each: int, ending: str) -> list[str]:
    written = []
    for video in VIDEOS:
        for number in range(1, each + 1):
            place = folder / video / f"{number:05}"
            write_sound(place, voice.say(voice.generator.uniform(0.6, 1.2)), ending)
            if ending == ".flac":
                place.with_suffix(".m4a").write_bytes(b"what is left of the archive")
            written.append(f"{folder.name}/{video}/{number:05}")
    return written


def _write_speaker(folder: Path, voice: Voice, each: int) -> list[str]:
    names = []
    for name, seconds in _names(voice.generator, each):
        write_sound(folder / name, voice.say(seconds))
        names.append(name)
    return names


def _names(
    generator: np.random.Generator, each: int, first: int = 1
) -> Iterator[tuple[str, float]]:
    """Names of utterances, from two genres and two sessions each, with how long they last, s."""
    genres = generator.permutation(GENRES)[:2]
    for number in range(each):
        genre, session = genres[number % 2], 1 + number // 2 % 2
        seconds = 0.6 if number == 1 else generator.uniform(0.7, 1.2)
        yield f"{genre}-{session:02}-{first + number:03}", 2.5 if number == 5 else seconds


def _read(place: Path) -> np.ndarray[Any, np.dtype[np.int16]]:
    return soundfile.read(f"{place}.flac", dtype="int16")[0]


def write_sound(place: Path, samples: np.ndarray[Any, Any], ending: str = ".flac") -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(f"{place}{ending}", samples, RATE, subtype="PCM_16")


def write_lines(path: Path, lines: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
