"""Which recordings of VoxCeleb lie where, and what its meta files say of the speakers."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import product
from pathlib import Path

from harness.data.reading.lists import read_text
from harness.data.reading.sound_files import ENDINGS, sounds
from harness.errors import DataError
from harness.trials.text_lines import list_examples

SPEAKER = re.compile(r"id\d+")

UNREADABLE = ".m4a"
"""What the archive of VoxCeleb2 holds; libsndfile does not decode it."""

MERGED = "."

HALVES = (MERGED, "test", "dev")
"""Where the archives unpack their halves, and where people merge them."""

KINDS = (".", "aac", "wav", "flac")
"""The folder of the speakers; the archives' own, or one of converted files, or none."""

META = ("vox1_meta.csv", "vox2_meta.csv")


@dataclass(frozen=True)
class Meta:
    """What a meta file says of a speaker; empty where it does not.

    Attributes:
        gender: `m` or `f`.
        nationality: a country.
        part: `dev` or `test`.
    """

    gender: str = ""
    nationality: str = ""
    part: str = ""


def recordings(
    folder: Path, corpus: str, meta: dict[str, Meta], speakers: Collection[str] | None = None
) -> dict[str, str]:
    """The sources of a corpus's utterances by `speaker/video/number`.

    Args:
        folder: what the corpora lie in.
        corpus: `voxceleb1`, of which all speakers are taken, or `voxceleb2`, of which those of the
            dev part are.
        meta: tells the parts of VoxCeleb2 where they lie in one folder.
        speakers: look at no others.

    Raises:
        DataError: there is nothing, an utterance is there as .m4a alone, or nothing tells whether
            a speaker of VoxCeleb2 is of the dev part.
    """
    found: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for half, place, speaker in _speakers(folder, corpus):
        wanted = speakers is None or speaker in speakers
        if wanted and (corpus == "voxceleb1" or _is_dev(half, speaker, meta, folder / place)):
            for item, source in _utterances(folder, f"{place}/{speaker}"):
                (unreadable if source.endswith(UNREADABLE) else found)[item] = source
    if not found and not unreadable:
        raise DataError(
            f"{folder / corpus}: holds no recording; unpack the corpus there, so that "
            f"{corpus}/dev/{'wav' if corpus == 'voxceleb1' else 'aac'}/idXXXXX/VIDEO/00001.wav is "
            "one (test/ beside dev/, or both in one wav/)"
        )
    _check_converted(found, unreadable, folder / corpus)
    return found


def read_meta(folder: Path, places: tuple[str, ...]) -> dict[str, Meta]:
    """What the meta files say of each speaker, where they are there.

    Raises:
        DataError: a file cannot be read, names no speakers, or has a short line.
    """
    found: dict[str, Meta] = {}
    for name, place in product(META, reversed(places)):
        path = folder / place / name
        if path.is_file():
            found |= _read_meta(path)
    return found


def _speakers(folder: Path, corpus: str) -> Iterator[tuple[str, str, str]]:
    """Half, folder and name of every speaker; by name within a folder."""
    for half, kind in product(HALVES, KINDS):
        place = Path(corpus, half, kind).as_posix()
        for speaker in _folders(folder / place):
            if SPEAKER.fullmatch(speaker):
                yield half, place, speaker


def _utterances(folder: Path, place: str) -> Iterator[tuple[str, str]]:
    speaker = place.rpartition("/")[2]
    for video in _folders(folder / place):
        names = sounds(folder / place / video, (UNREADABLE, *ENDINGS))
        for name, file in names.items():
            yield f"{speaker}/{video}/{name}", f"{place}/{video}/{file}"


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_dev(half: str, speaker: str, meta: dict[str, Meta], root: Path) -> bool:
    part = meta.get(speaker, Meta()).part if half == MERGED else half
    if not part:
        raise DataError(
            f"{root / speaker}: dev or test? put {META[1]} beside the trial lists, which tells "
            "it, or keep the speakers in voxceleb2/dev/ and voxceleb2/test/"
        )
    return part == "dev"


def _check_converted(found: dict[str, str], unreadable: dict[str, str], root: Path) -> None:
    left = [source for item, source in unreadable.items() if item not in found]
    if left:
        raise DataError(
            f"{root}: {len(left)} of {len(found.keys() | unreadable.keys())} utterances are there "
            f"as {UNREADABLE} alone, which cannot be decoded here: "
            f"{list_examples(left, len(left))}; "
            f"convert each beside itself: find {root} -name '*.m4a' -exec sh -c "
            '\'ffmpeg -n -i "$0" -ac 1 -ar 16000 "${0%.m4a}.wav"\' {} \\;'
        )


def _read_meta(path: Path) -> dict[str, Meta]:
    head, *rows = _table(path)
    columns = [word.lower() for word in head]
    if not columns or not columns[0].endswith("id"):
        raise DataError(
            f"{path}: line 1 does not name columns, as in 'VoxCeleb2 ID, ..., Gender, Set'; get "
            "the file again"
        )
    found = {}
    for number, row in enumerate(rows, 2):
        if row and len(row) < len(columns):
            raise DataError(f"{path}: line {number}: {len(row)} columns, want {len(columns)}")
        if row:
            facts = dict(zip(columns, row, strict=False))
            named = (facts.get(name, "") for name in ("gender", "nationality", "set"))
            found[row[0]] = Meta(*named)
    return found


def _table(path: Path) -> list[list[str]]:
    """The words of each line, parted by tabs or else commas, without the blanks around them."""
    text = read_text(path)
    separator = "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.reader(StringIO(text), delimiter=separator)
    try:
        return [[word.strip() for word in row] for row in reader] or [[]]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from error
