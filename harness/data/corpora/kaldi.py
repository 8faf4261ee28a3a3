"""A Kaldi data folder: `wav.scp`, `utt2spk`, and `segments`, `spk2gender`, `utt2dur` if present.

One folder, which the benchmark splits, or one for each split.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.data.item_names import clean_name
from harness.data.reading.audio_corpus import SplitSpeechCorpus
from harness.data.reading.item_table import ListedUtterance
from harness.data.reading.sources import Root, allow_command, part
from harness.data.reading.text_lists import read_text
from harness.errors import ConfigError, DataError
from harness.trials.text_lines import list_examples

_ARCHIVED = re.compile(r".*\.ark:\d+")
_BLANKS = " \t\r"


class NamedText(NamedTuple):
    """The rest of a line that begins with a name.

    Attributes:
        text: the rest.
        where: file and line, for errors.
        line: counted from 1.
    """

    text: str
    where: str
    line: int


class _Place(NamedTuple):
    """The source of an utterance's sound, its duration (0 if unknown), and its line."""

    source: str
    seconds: float
    line: int


@dataclass(frozen=True, kw_only=True)
class KaldiFolder(SplitSpeechCorpus):
    """Utterances of one Kaldi data folder, or of one for each split.

    Paths are relative to the corpus's folder, and so are the data folders, as `data/train`; the
    corpus's folder is the only one if none is given. `seconds` is the duration by `segments` or
    `utt2dur`; the latter is an estimate in many folders, and is not compared with the sound.

    Attributes:
        columns: column -> a further file of the data folders, as `{ session = "utt2session" }`;
            `gender` is `spk2gender` if that is there.
    """

    columns: dict[str, str] = field(default_factory=dict)

    def list_entries(self, root: Root, name: str, split: str) -> Iterable[ListedUtterance]:
        """Return the utterances of a data folder, each of which must have a speaker and a sound.

        Raises:
            ConfigError: a file of `columns` is not of utterances or of speakers.
            DataError: a file is absent, a line is short or comes twice, an utterance has no
                speaker or no sound, a segment has no recording or no length, a path leaves the
                corpus's folder, or a sound is written by a command without leave.
        """
        data = root.folder / name
        speakers = read_named(data / "utt2spk")
        places = self._places(root, data)
        _check_all(speakers, places, data)
        files = dict(self.columns)
        if "gender" not in files and (data / "spk2gender").exists():
            files["gender"] = "spk2gender"
        further = {column: _column(column, data / file, speakers) for column, file in files.items()}
        lasting = _read_optional(data / "utt2dur") or {}
        for utterance, speaker in speakers.items():
            place, estimate = places[utterance], lasting.get(utterance)
            seconds = place.seconds
            if not seconds and estimate:
                seconds = max(0.0, _seconds(estimate.text, estimate.where))
            facts = {column: values[utterance] for column, values in further.items()}
            yield ListedUtterance(
                utterance, speaker.text, place.source, seconds, place.line, split, facts
            )

    def _places(self, root: Root, data: Path) -> dict[str, _Place]:
        recordings = data / "wav.scp"
        sounds = {
            name: _Place(self._source(named, root), 0.0, named.line)
            for name, named in read_named(recordings).items()
        }
        parts = _read_optional(data / "segments")
        if parts is None:
            return sounds
        return {name: _segment(named, sounds, recordings) for name, named in parts.items()}

    def _source(self, named: NamedText, root: Root) -> str:
        if named.text.endswith("|"):
            command = named.text.removesuffix("|").rstrip()
            return allow_command(command, named.where, allowed=self.allow_commands)
        if _ARCHIVED.fullmatch(named.text):
            raise DataError(
                f"{named.where}: {named.text!r} lies in a Kaldi archive, which is not read here; "
                "write sound files (Kaldi's wav-copy does)"
            )
        return root.source(named.text, named.where)


def read_named(path: Path) -> dict[str, NamedText]:
    """Read lines of a name and a rest, separated by the first blank.

    Raises:
        DataError: the file is absent, empty, or no UTF-8 text, or a line has no rest or a name
            that stands in an earlier one.
    """
    found: dict[str, NamedText] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        words = line.strip(_BLANKS).replace("\t", " ").split(" ", 1)
        if words == [""]:
            continue
        where, name = f"{path}: line {number}", words[0]
        if len(words) == 1:
            raise DataError(f"{where}: says nothing of {name!r}; '{name} ...' is wanted")
        if name in found:
            raise DataError(f"{where}: {name!r} stands in line {found[name].line} too")
        found[name] = NamedText(words[1].strip(_BLANKS), where, number)
    if not found:
        raise DataError(f"{path}: is empty")
    return found


def _read_optional(path: Path) -> dict[str, NamedText] | None:
    return read_named(path) if path.exists() else None


def _segment(named: NamedText, sounds: Mapping[str, _Place], recordings: Path) -> _Place:
    """Read the rest of a line of `segments`: a recording, a start and an end."""
    words = named.text.split()
    if len(words) != 3:
        raise DataError(
            f"{named.where}: '{named.text}' is not 'recording start end', in seconds"
            + ("; a channel of a recording is not read here" if len(words) == 4 else "")
        )
    recording = words[0]
    start, end = (_seconds(word, named.where) for word in words[1:])
    is_open = end == -1  # older folders write an open end so
    if not is_open and end <= start:
        raise DataError(f"{named.where}: ends at {words[2]} s, not after its start at {words[1]} s")
    if start < 0:
        raise DataError(f"{named.where}: starts at {start:g} s, before its recording")
    if recording not in sounds:
        raise DataError(f"{named.where}: {recordings} has no recording {recording!r}")
    source = part(sounds[recording].source, start, None if is_open else end)
    return _Place(source, 0.0 if is_open else end - start, named.line)


def _seconds(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {text!r} is no time in seconds")
    return value


def _check_all(speakers: Mapping[str, NamedText], places: Mapping[str, _Place], data: Path) -> None:
    mend = "Kaldi's utils/fix_data_dir.sh leaves such utterances away"
    for without, what, others in ((places, "speaker", speakers), (speakers, "sound", places)):
        lacking = sorted(name for name in without if name not in others)
        if lacking:
            raise DataError(
                f"{data}: {len(lacking)} of {len(without)} utterances have no {what}: "
                f"{list_examples(lacking, len(lacking))}; {mend}"
            )


def _column(column: str, path: Path, speakers: Mapping[str, NamedText]) -> dict[str, str]:
    """Read a file of utterances or speakers: utterance -> its value, empty if there is none."""
    values = {clean_name(name): named.text for name, named in read_named(path).items()}
    if path.name.startswith("utt2"):
        return {name: values.get(clean_name(name), "") for name in speakers}
    if path.name.startswith("spk2"):
        return {
            name: values.get(clean_name(speaker.text), "") for name, speaker in speakers.items()
        }
    raise ConfigError(f"columns.{column}: {path.name!r} is no file whose name begins utt2 or spk2")
