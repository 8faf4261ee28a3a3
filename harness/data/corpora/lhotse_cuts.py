"""Cuts of Lhotse: `cuts.jsonl`, plain or gzip, with recordings that are files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.corpora.cut_lines import UNREADABLE, CutLine, cut_lines
from harness.data.reading.columns import SPEAKER, Entry, told_apart
from harness.data.reading.commands import allow_command
from harness.data.reading.own_splits import own_splits
from harness.data.reading.own_trials import OwnLists
from harness.data.reading.paths import Root
from harness.data.reading.sources import part, read_source
from harness.errors import DataError


@dataclass(frozen=True, kw_only=True)
class LhotseCuts(OwnLists):
    """Cuts of one file, or of one for each split.

    Attributes:
        file: the cuts, below the corpus's folder, where the benchmark splits them.
        train, validation, test: else the cuts of each split. Without `validation` the benchmark
            holds training speakers out.
        label: what is told apart: the speaker, or what a supervision tells (`language`, ...).
        convert: resample to 16 kHz and mix down, instead of calling other files damaged.
        allow_outside: whether paths may leave the corpus's folder.
        allow_commands: whether commands run, in a shell and in the corpus's folder.
    """

    file: str = "cuts.jsonl.gz"
    train: str = ""
    validation: str = ""
    test: str = ""
    label: str = SPEAKER
    convert: bool = True
    allow_outside: bool = False
    allow_commands: bool = False

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Every cut, sorted by speaker and id, with what its supervision tells in words.

        Paths are relative to the corpus's folder.

        Raises:
            ConfigError: the `lhotse` library is not installed.
            DataError: a file is absent, a line is no cut of one recording and one speaker, a
                path leaves the folder, a sound is written by a command, where these may not be.
        """
        del profile
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        splits = own_splits(parts, str(folder)) if any(parts.values()) else {self.file: ""}
        root = Root(folder, self.allow_outside)
        entries = [
            entry for name, split in splits.items() for entry in self._entries(root, name, split)
        ]
        return told_apart(entries, self.label, str(folder))

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one cut.

        Raises:
            DamagedItem: it cannot be read, lasts otherwise than it says, or its command fails.
        """
        return read_source(
            item.source,
            folder,
            item.seconds,
            convert=self.convert,
            allow_commands=self.allow_commands,
        )

    def _entries(self, root: Root, name: str, split: str) -> Iterator[Entry]:
        path = root.folder / name
        empty = True
        for line in cut_lines(path):
            empty = False
            try:
                yield self._entry(line, root, split)
            except UNREADABLE as error:  # a time, a name or a source of another type
                raise DataError(f"{line.where}: no cut of Lhotse ({error!r})") from error
        if empty:
            raise DataError(f"{path}: lists no cut")

    def _entry(self, line: CutLine, root: Root, split: str) -> Entry:
        return Entry(
            id=line.name(),
            speaker=line.speaker(),
            source=self._source(line, root),
            seconds=line.seconds(),
            line=line.number,
            split=split,
            further=line.further(),
        )

    def _source(self, line: CutLine, root: Root) -> str:
        place = line.place()
        if place.type == "command":
            source = allow_command(place.source, line.where, allowed=self.allow_commands)
        else:
            source = root.source(place.source, line.where)
        if line.is_whole():
            return source
        return part(source, line.cut.start, line.cut.end)
