"""A Kaldi data folder: `wav.scp`, `utt2spk`, and `segments`, `spk2gender`, `utt2dur` where there.

One folder, which the benchmark splits, or one for each split.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.corpora.kaldi_files import Named, read_named, read_optional, seconds, segment
from harness.data.names import clean_name
from harness.data.reading.columns import SPEAKER, Entry, told_apart
from harness.data.reading.commands import allow_command
from harness.data.reading.own_splits import own_splits
from harness.data.reading.own_trials import OwnLists
from harness.data.reading.paths import Root
from harness.data.reading.sources import part, read_source
from harness.errors import ConfigError, DataError
from harness.trials.text_lines import list_examples

_ARCHIVED = re.compile(r".*\.ark:\d+")


@dataclass(frozen=True, kw_only=True)
class KaldiFolder(OwnLists):
    """Utterances of one Kaldi data folder, or of one for each split.

    Attributes:
        train, validation, test: data folders below the corpus's folder, as `data/train`; none
            where the corpus's folder is the only one. Without `validation` the benchmark holds
            training speakers out.
        label: what is told apart: the speaker, or one of `columns`.
        columns: column -> a further file of the data folders, as `{ session = "utt2session" }`;
            `gender` is `spk2gender` where that is there.
        convert: resample to 16 kHz and mix down, instead of calling other files damaged.
        allow_outside: whether paths may leave the corpus's folder.
        allow_commands: whether commands (`... |`) run, in a shell and in the corpus's folder.
    """

    train: str = ""
    validation: str = ""
    test: str = ""
    label: str = SPEAKER
    columns: dict[str, str] = field(default_factory=dict)
    convert: bool = True
    allow_outside: bool = False
    allow_commands: bool = False

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every utterance that has a speaker, sorted by speaker and id.

        Paths are relative to the corpus's folder. `seconds` is what `segments` or `utt2dur`
        tell; the latter is an estimate in many folders, and is not held against the sound.

        Raises:
            DataError: a file is absent, a line is short or comes twice, an utterance has no
                speaker or no sound, a segment has no recording or no length, a path leaves the
                corpus's folder, or a sound is written by a command, where these may not be.
        """
        del profile
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        splits = own_splits(parts, str(folder)) if any(parts.values()) else {"": ""}
        root = Root(folder, self.allow_outside)
        entries = [
            entry for name, split in splits.items() for entry in self._entries(root, name, split)
        ]
        return told_apart(entries, self.label, str(folder))

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one utterance, or the part of a recording that it is.

        Raises:
            DamagedItem: it cannot be read, or its command fails.
        """
        return read_source(
            item.source, folder, convert=self.convert, allow_commands=self.allow_commands
        )

    def _entries(self, root: Root, name: str, split: str) -> list[Entry]:
        data = root.folder / name
        speakers = read_named(data / "utt2spk")
        places = self._places(root, data)
        _check_all(speakers, places, data)
        further = self._further(data, speakers)
        lasting = read_optional(data / "utt2dur") or {}
        return [
            Entry(
                id=utterance,
                speaker=speaker.text,
                source=places[utterance].source,
                seconds=places[utterance].seconds or _seconds(lasting.get(utterance)),
                line=places[utterance].line,
                split=split,
                further={column: values[utterance] for column, values in further.items()},
            )
            for utterance, speaker in speakers.items()
        ]

    def _places(self, root: Root, data: Path) -> dict[str, _Place]:
        recordings = data / "wav.scp"
        sounds = {
            name: _Place(self._source(named, root), 0.0, named.line)
            for name, named in read_named(recordings).items()
        }
        parts = read_optional(data / "segments")
        if parts is None:
            return sounds
        return {name: _part(named, sounds, recordings) for name, named in parts.items()}

    def _source(self, named: Named, root: Root) -> str:
        if named.text.endswith("|"):
            command = named.text.removesuffix("|").rstrip()
            return allow_command(command, named.where, allowed=self.allow_commands)
        if _ARCHIVED.fullmatch(named.text):
            raise DataError(
                f"{named.where}: {named.text!r} lies in a Kaldi archive, which is not read here; "
                "write sound files (Kaldi's wav-copy does)"
            )
        return root.source(named.text, named.where)

    def _further(self, data: Path, speakers: Mapping[str, Named]) -> dict[str, dict[str, str]]:
        files = dict(self.columns)
        if "gender" not in files and (data / "spk2gender").exists():
            files["gender"] = "spk2gender"
        return {column: _column(column, data / file, speakers) for column, file in files.items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an utterance's sound lies, how long it is (0 where nobody knows), and its line."""

    source: str
    seconds: float
    line: int


def _part(named: Named, sounds: Mapping[str, _Place], recordings: Path) -> _Place:
    found = segment(named)
    if found.recording not in sounds:
        raise DataError(f"{named.where}: {recordings} has no recording {found.recording!r}")
    source = part(sounds[found.recording].source, found.start, found.end)
    return _Place(source, 0.0 if found.end is None else found.end - found.start, named.line)


def _check_all(speakers: Mapping[str, Named], places: Mapping[str, _Place], data: Path) -> None:
    mend = "Kaldi's utils/fix_data_dir.sh leaves such utterances away"
    for without, what, others in ((places, "speaker", speakers), (speakers, "sound", places)):
        lacking = sorted(name for name in without if name not in others)
        if lacking:
            raise DataError(
                f"{data}: {len(lacking)} of {len(without)} utterances have no {what}: "
                f"{list_examples(lacking, len(lacking))}; {mend}"
            )


def _column(column: str, path: Path, speakers: Mapping[str, Named]) -> dict[str, str]:
    """What a file of utterances or speakers says of each utterance; nothing where it is silent."""
    values = {clean_name(name): named.text for name, named in read_named(path).items()}
    if path.name.startswith("utt2"):
        return {name: values.get(clean_name(name), "") for name in speakers}
    if path.name.startswith("spk2"):
        return {
            name: values.get(clean_name(speaker.text), "") for name, speaker in speakers.items()
        }
    raise ConfigError(f"columns.{column}: {path.name!r} is no file whose name begins utt2 or spk2")


def _seconds(named: Named | None) -> float:
    return 0.0 if named is None else max(0.0, seconds(named.text, named.where))
