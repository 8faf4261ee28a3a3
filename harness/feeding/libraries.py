"""Libraries of noises and rooms: found, packed once and identified by their content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.config.datasets import Dataset
from harness.config.recipe_tables import Augment
from harness.data.corpus import Corpus
from harness.datasets.corpus_folders import locate, require
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack import Pack, note_summary
from harness.datasets.packing.pack_files import open_pack
from harness.datasets.packing.pack_request import (
    MessageCallback,
    PackRequest,
    ignore_count,
    ignore_message,
)
from harness.errors import ConfigError, DataError
from harness.feeding.sound_readers import EmbeddedNoise, NoiseFolder, RoomFolder, SimulatedRooms

Use = Literal["noise", "reverb"]

OPENSLR = {
    "noise": "https://www.openslr.org/17/ (MUSAN)",
    "reverb": "https://www.openslr.org/28/ (RIRS_NOISES)",
}


@dataclass(frozen=True)
class Library:
    """A packed collection of sounds, and the items of it that are used.

    Attributes:
        labels: the kind of every item, `[items]`.
        pack: their sound.
        used: the items that are drawn, each as likely as another.
    """

    labels: NDArray[np.str_]
    pack: Pack
    used: NDArray[np.int64]

    def pick(self, place: float) -> int:
        """Return the item at a place from 0 to under 1."""
        return int(self.used[int(place * len(self.used))])

    def of(self, kinds: tuple[str, ...]) -> Library:
        """Return the same library with only some kinds in use.

        Raises:
            ConfigError: it has none of them.
        """
        used = np.flatnonzero(np.isin(self.labels, kinds))
        if len(used) == 0:
            there = ", ".join(sorted(set(self.labels)))
            raise ConfigError(f"augment.noise.kinds: no {' or '.join(kinds)}; there is {there}")
        return replace(self, used=used)


@dataclass(frozen=True)
class LibrarySource:
    """The reader of a library, its files and its pack.

    Attributes:
        use: purpose of the library.
        source: as the recipe names it.
        corpus: the reader.
        folder: of its files.
        cache: folder of all packs.
    """

    use: Use
    source: str
    corpus: Corpus
    folder: Path
    cache: Path

    def open(self, tell: MessageCallback = ignore_message) -> Library:
        """Pack it, if that was not done yet, and open it.

        Args:
            tell: receives the notes with which its files were read.

        Raises:
            DataError: it holds no sound, or damaged files, all named.
        """
        request = self._request
        pack = ensure_pack(request)
        if pack.damaged:
            raise DataError(_damage_report(self, request, pack))
        if pack.notes:
            tell(f"augment.{self.use}: {note_summary(pack, request.items)}")
        labels = request.items["label"].to_numpy(str)
        return Library(labels, pack, np.arange(len(labels)))

    def content(self) -> str:
        """Return the hash of its pack; empty if nobody has packed it yet."""
        pack = open_pack(self.pack_folder)
        return "" if pack is None else pack.content

    @property
    def pack_folder(self) -> Path:
        """Folder of its pack, which may be missing."""
        return self._request.folder

    @property
    def _request(self) -> PackRequest:
        items = self.corpus.items("full", self.folder)
        request = PackRequest(self.cache, self.corpus, self.folder, items, ignore_count)
        return replace(request, folder=self.cache / f"{self.use}-{request.key()[:12]}")


def library_sources(augment: Augment, folder: Path, cache: Path) -> dict[Use, LibrarySource]:
    """Return the sources of the libraries that an augmentation draws from.

    Args:
        augment: the recipe's table.
        folder: the benchmark file's.
        cache: folder of all packs.

    Raises:
        CorpusAbsent: a folder is not on this machine.
    """
    found: dict[Use, LibrarySource] = {}
    if augment.noise:
        name = augment.noise.source
        noises: Corpus = EmbeddedNoise() if name == "embedded" else NoiseFolder()
        found["noise"] = LibrarySource("noise", name, noises, folder, cache)
    if augment.reverb:
        name = augment.reverb.source
        rooms: Corpus = SimulatedRooms() if name == "simulated" else RoomFolder()
        found["reverb"] = LibrarySource("reverb", name, rooms, folder, cache)
    return {use: _locate(each) for use, each in found.items()}


def _locate(library: LibrarySource) -> LibrarySource:
    """Find the folder of a library, if it needs one."""
    if not library.corpus.needs_folder:
        return library
    use, path = library.use, library.source
    adapter = type(library.corpus).__name__
    wanted = Dataset(adapter=adapter, licence="", path=path, source=OPENSLR[use])
    place = require(locate(f"augment.{use}: {path}", wanted, library.folder))
    return replace(library, folder=place.resolve())


def _damage_report(library: LibrarySource, request: PackRequest, pack: Pack) -> str:
    """Name every file that cannot be used, and the mend."""
    lines = [f"augment.{library.use}: {len(pack.damaged)} of {len(pack)} files cannot be used:"]
    for row, why in sorted(pack.damaged.items()):
        lines.append(f"  {library.folder / str(request.items['source'].iloc[row])}: {why}")
    lines.append("Mend or replace them, or take them out of the folder.")
    return "\n".join(lines)
