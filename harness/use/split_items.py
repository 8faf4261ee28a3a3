"""A split of a dataset as data, from which a worker opens its pack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from harness.config.loader import load
from harness.config.tables import Profile
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.datasets.packing.pack_request import MessageCallback, ignore_message
from harness.datasets.subset import Subset


class SplitItems(BaseModel):
    """A split of a dataset.

    Attributes:
        benchmark: the benchmark file.
        dataset, profile: of it.
        cache: the folder of packed corpora.
        split: its name.
        left_out: items that are not used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: Path
    dataset: str
    profile: Profile
    cache: Path
    split: str
    left_out: tuple[str, ...] = ()

    def open(self, tell: MessageCallback = ignore_message) -> Subset:
        """Return its items, packed first if they are not.

        Raises:
            CorpusAbsent: the dataset is not here.
            DataError, LockError: it cannot be used, or is not the locked one.
        """
        loaded = load(self.benchmark)
        opened = open_dataset(
            loaded,
            list_dataset(loaded, self.dataset, self.profile),
            self.cache,
            leave_out_damaged=bool(self.left_out),
            keep_damaged_pack=True,
            tell=tell,
        )
        return replace(opened, left_out=self.left_out).subset(self.split)
