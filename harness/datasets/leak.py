"""The mistake of augmenting before splitting, made on purpose and told wherever it is shown.

Every picture of a dataset gets changed copies, and the copies are dealt to the splits one by one,
so that copies of one original are trained on and tested. It is the one exception to the rule that
splits are disjoint by unit: what such a test says of new pictures is what the exception is to show.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import pandas as pd

from harness.config.datasets import LeakRule
from harness.config.tables import Profile
from harness.data.corpus import Corpus, Pixels, Uncompared, item_dimensions
from harness.data.picture_copies import changed_picture
from harness.data.split import hash_order
from harness.errors import ConfigError

MARK = "~"
"""Between the id of an original and the number of its copy."""


@dataclass(frozen=True)
class CopiedPictures(Uncompared):
    """A corpus of which each picture comes several times, all but the first of them changed.

    Attributes:
        corpus: the reader of the originals.
        copies: of each picture, the original among them.
    """

    corpus: Corpus
    copies: int

    kind: ClassVar[str] = "image"

    @property
    def version(self) -> int:
        """That of the originals' reader."""
        return self.corpus.version

    @property
    def needs_folder(self) -> bool:
        """As the originals do."""
        return self.corpus.needs_folder

    @property
    def unit(self) -> str:
        """That of the originals."""
        return self.corpus.unit

    @property
    def colour(self) -> bool:
        """As the originals are."""
        return item_dimensions(self.corpus) == 3

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return every original with its copies after it; ids are `original~number`."""
        originals = self.corpus.items(profile, folder)
        copies = originals.loc[originals.index.repeat(self.copies)].reset_index(drop=True)
        numbers = [str(number) for _ in range(len(originals)) for number in range(self.copies)]
        return copies.assign(id=copies["id"].astype(str) + MARK + pd.Series(numbers, dtype=str))

    def read(self, item: Any, folder: Path) -> Pixels:
        """Return a copy; the one of number 0 is the original as it is."""
        original, _, number = item.id.rpartition(MARK)
        pixels = cast(Pixels, self.corpus.read(item._replace(id=original), folder))
        return pixels if number == "0" else changed_picture(pixels, item.id)


def copied(corpus: Corpus, rule: LeakRule, where: str) -> Corpus:
    """Return a corpus with copies of each picture.

    Raises:
        ConfigError: it holds something else than pictures.
    """
    if corpus.kind != "image":
        raise ConfigError(f"{where}.leak: copies are made of pictures, and these are sounds")
    # Its facts are the originals', so that they are no constants of the class.
    return cast(Corpus, CopiedPictures(corpus, rule.copies))


def deal_copies(items: pd.DataFrame, rule: LeakRule) -> pd.DataFrame:
    """Return the items dealt to the splits one by one, whatever their units.

    Each split keeps its number of items; who gets which is by the order of sha256(seed:id).

    Args:
        items: split by unit.
        rule: with the seed.
    """
    order = sorted(range(len(items)), key=lambda row: hash_order(rule.seed, items["id"].iloc[row]))
    splits = pd.Series(sorted(items["split"]), index=order)
    return items.assign(split=splits.sort_index().to_numpy())
