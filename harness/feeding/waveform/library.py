"""A collection of noises or rooms, found, packed once and known by its content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.config.datasets import Dataset
from harness.config.recipe_tables import Augment
from harness.data.corpus import Corpus
from harness.datasets.locate import Absence, locate
from harness.datasets.pack import Pack, PackRequest, Tell, packed, silent
from harness.datasets.packing.content import noted, open_pack
from harness.errors import ConfigError, CorpusAbsent, DataError
from harness.feeding.waveform.noises import EmbeddedNoise, NoiseFolder
from harness.feeding.waveform.rooms import RoomFolder, SimulatedRooms

Use = Literal["noise", "reverb"]

OPENSLR = {
    "noise": "https://www.openslr.org/17/ (MUSAN)",
    "reverb": "https://www.openslr.org/28/ (RIRS_NOISES)",
}


@dataclass(frozen=True)
class Library:
    """What is packed, and what of it is used.

    Attributes:
        labels: the kind of every item, `[items]`.
        pack: their sound.
        used: the items that are drawn, each as likely as another.
    """

    labels: NDArray[np.str_]
    pack: Pack
    used: NDArray[np.int64]

    def pick(self, place: float) -> int:
        """The item at a place from 0 to under 1."""
        return int(self.used[int(place * len(self.used))])

    def of(self, kinds: tuple[str, ...]) -> Library:
        """The same with only some kinds in use.

        Raises:
            ConfigError: it has none of them.
        """
        used = np.flatnonzero(np.isin(self.labels, kinds))
        if len(used) == 0:
            there = ", ".join(sorted(set(self.labels)))
            raise ConfigError(f"augment.noise.kinds: no {' or '.join(kinds)}; there is {there}")
        return replace(self, used=used)


@dataclass(frozen=True)
class Shelf:
    """Where a library comes from and where its pack lies.

    Attributes:
        use: what it is for.
        source: as the recipe names it.
        corpus: the reader.
        folder: where its files lie.
        cache: where packs lie.
    """

    use: Use
    source: str
    corpus: Corpus
    folder: Path
    cache: Path

    def open(self, tell: Tell = silent) -> Library:
        """Pack it, where that was not done yet, and open it.

        Args:
            tell: is given the notes with which its files were read.

        Raises:
            DataError: it holds no sound, or damaged files, all named.
        """
        request = self._request
        pack = packed(request)
        if pack.damaged:
            raise DataError(_damage_report(self, request, pack))
        if pack.notes:
            tell(f"augment.{self.use}: {noted(pack, request.items)}")
        labels = request.items["label"].to_numpy(str)
        return Library(labels, pack, np.arange(len(labels)))

    def content(self) -> str:
        """What its pack hashes to; empty where nobody has packed it yet."""
        pack = open_pack(self.pack_folder)
        return "" if pack is None else pack.content

    @property
    def pack_folder(self) -> Path:
        """Where its pack lies, or will."""
        return self._request.folder

    @property
    def _request(self) -> PackRequest:
        items = self.corpus.items("full", self.folder)
        request = PackRequest(self.cache, self.corpus, self.folder, items, lambda _: None)
        return replace(request, folder=self.cache / f"{self.use}-{request.key()[:12]}")


def shelves(augment: Augment, folder: Path, cache: Path) -> dict[Use, Shelf]:
    """The libraries that an augmentation draws from.

    Args:
        augment: the recipe's table.
        folder: the benchmark file's.
        cache: where packs lie.

    Raises:
        CorpusAbsent: a folder is not on this machine.
    """
    found: dict[Use, Shelf] = {}
    if augment.noise:
        source = augment.noise.source
        noises: Corpus = EmbeddedNoise() if source == "embedded" else NoiseFolder()
        found["noise"] = _shelf("noise", source, noises, folder, cache)
    if augment.reverb:
        source = augment.reverb.source
        rooms: Corpus = SimulatedRooms() if source == "simulated" else RoomFolder()
        found["reverb"] = _shelf("reverb", source, rooms, folder, cache)
    return found


def _shelf(use: Use, source: str, corpus: Corpus, folder: Path, cache: Path) -> Shelf:
    if not corpus.needs_folder:
        return Shelf(use, source, corpus, folder, cache)
    wanted = Dataset(adapter=type(corpus).__name__, licence="", path=source, source=OPENSLR[use])
    place = locate(f"augment.{use}: {source}", wanted, folder)
    if isinstance(place, Absence):
        raise CorpusAbsent(place.message())
    return Shelf(use, source, corpus, place.resolve(), cache)


def _damage_report(shelf: Shelf, request: PackRequest, pack: Pack) -> str:
    """Every file that cannot be used, and the mend."""
    lines = [f"augment.{shelf.use}: {len(pack.damaged)} of {len(pack)} files cannot be used:"]
    for row, why in sorted(pack.damaged.items()):
        lines.append(f"  {shelf.folder / str(request.items['source'].iloc[row])}: {why}")
    lines.append("Mend or replace them, or take them out of the folder.")
    return "\n".join(lines)
