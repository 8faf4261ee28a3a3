"""The interface of every corpus, whatever its layout.

A corpus is a frozen dataclass named in `benchmark.toml` by its import path, like an adapter.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile

COLUMNS = ("id", "unit", "label", "seconds", "source", "line", "split")
"""Columns of every item table; a corpus may add its own (gender, session, ...).

`unit` is the resampling unit, by which the corpus is split, too (speaker, object, drawer); `label`
is the class, the speaker for verification; `seconds` is 0 if time means nothing; `source` is a path
or an address of the item; `line` is the place in the corpus's own list, 0 if there is none; `split`
is empty if the corpus leaves an item's split to the benchmark. If time means something and
`seconds` is 0, the corpus's lists do not state it. All items of one unit stand together, in an
order that does not depend on the file system.
"""

TRIAL_COLUMNS = ("enrol", "test", "target", "kind")
"""Columns of a trial list: an item or a model, an item, true for two of one label, a kind."""

MODEL_COLUMNS = ("model", "item")
"""Columns of an enrolment list: a model's name and one of the items that it is enrolled by."""

SAMPLE_RATE = 16_000

Samples = NDArray[np.int16]
"""A sound, `[samples]` at 16 kHz."""

Pixels = NDArray[np.uint8]
"""A picture: grey `[height, width]`, or in colour `[height, width, 3]`."""

TurnVectors = NDArray[np.float32]
"""A turn of a dialogue, `[frames, size]`: text, audio and video side by side."""

HeldOut = Literal["validation", "test"]
"""The splits that may have trials."""


class Corpus(Protocol):
    """A layout that can be read.

    Attributes:
        version: changes whenever the same files would give other items.
        kind: `audio` (`Samples`), `image` (`Pixels`) or `vectors` (`TurnVectors`).
        unit: the name of the resampling unit in a table.
        needs_folder: False if the corpus is computed or bundled.
    """

    version: ClassVar[int]
    kind: ClassVar[str]
    needs_folder: ClassVar[bool]

    @property
    def unit(self) -> str:
        """The resampling unit: speaker, object, drawer."""

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every item, with `COLUMNS`."""

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return the corpus's own trial list, `TRIAL_COLUMNS`; None leaves it to the benchmark."""

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return the models that trials enrol, `MODEL_COLUMNS`; None if trials name items."""

    def read(self, item: Any, folder: Path) -> Samples | Pixels | TurnVectors:
        """Return the content of one row of `items`; it may give an `ItemNote`.

        Raises:
            DamagedItem: the file cannot be used, or differs from the list.
        """


@runtime_checkable
class InColour(Protocol):
    """A layout whose pictures may be in colour.

    Attributes:
        colour: True if they are `[height, width, 3]`; pictures of other layouts are grey.
    """

    @property
    def colour(self) -> bool:
        """If its pictures are in colour."""


def item_dimensions(corpus: Corpus) -> int:
    """Return the number of dimensions of a corpus's items: 1 of sounds, 2 or 3 of pictures."""
    if corpus.kind == "audio":
        return 1
    return 3 if isinstance(corpus, InColour) and corpus.colour else 2


class Missing(NamedTuple):
    """Parts of a corpus that are not in its folder.

    Attributes:
        folders: the places that were looked at.
        mend: how they get there, or how to do without them.
    """

    folders: tuple[Path, ...]
    mend: str


@runtime_checkable
class OfVectors(Protocol):
    """A layout whose items are vectors: models take their sizes from it."""

    def sizes(self, folder: Path) -> dict[str, int]:
        """Return `text`, `audio`, `video` and `frames`, as `harness.adapter.Vectors` has them.

        Raises:
            DataError: a file of features cannot be read.
        """


@runtime_checkable
class InParts(Protocol):
    """A layout whose corpus comes in several archives, each with a folder of its own.

    While one that its fields ask for is missing, the corpus counts as absent.
    """

    def missing(self, folder: Path) -> Missing | None:
        """Return the parts that are not in the corpus's folder; None if all are."""


class Uncompared:
    """A reader whose corpora bring no trials."""

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return None: the benchmark draws trials."""
        del profile, folder, split
        return None

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return None: an item is enrolled by itself."""
        del profile, folder, split
        return None


class DamagedItem(Exception):
    """One file cannot be used; the message says why, the caller says which and where."""


class ItemNote(UserWarning):
    """A remark on one file that can be used: a reader gives it with `warnings.warn`."""


@contextmanager
def item_notes() -> Iterator[list[str]]:
    """Collect the remarks that readers give while the context lasts; it is filled at its end."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ItemNote)
        yield notes
    for each in caught:
        if isinstance(each.message, ItemNote):
            notes.append(str(each.message))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
