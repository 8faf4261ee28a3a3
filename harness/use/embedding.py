"""Embeddings of files, or of a dataset's items, in a file as `harness submit` takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.data.corpus import DamagedItem
from harness.datasets.listing import Listing, list_dataset
from harness.errors import DataError, RequestError
from harness.records.files import atomic_file
from harness.use.given_items import GivenItems
from harness.use.inputs import ReadFile, read_in_parts
from harness.use.networks import AT_ONCE, Network

See = Callable[[ReadFile], None]


def embed_files(
    network: Network, paths: Sequence[Path], ids: Sequence[str], output: Path, see: See
) -> tuple[int, int]:
    """Embed files and write `ids` `[N]` and `embeddings` `[N, size]` to an .npz file.

    Args:
        network: gives the embeddings.
        paths: the files.
        ids: the name of each in the output.
        output: the .npz file.
        see: receives each file that was embedded.

    Returns:
        The shape of the embeddings.

    Raises:
        RequestError: a file cannot be read or is too short, or a name stands there twice.
    """
    if len(set(ids)) < len(ids):
        twice = sorted({name for name in ids if ids.count(name) > 1})
        raise RequestError(f"{len(twice)} names of files come twice, the first {twice[0]!r}")
    parts = []
    for files, items in read_in_parts(paths, network.facts):
        parts.append(network.outputs(items))
        for file in files:
            see(file)
    return _write(output, ids, parts)


def embed_splits(
    network: Network, loaded: LoadedBenchmark, splits: Iterable[str], output: Path
) -> tuple[int, int]:
    """Embed items of the dataset that a network was judged on, and write them as `embed_files`.

    So a network that was exported, or quantised, can be judged on the same trials as its run.

    Args:
        network: gives the embeddings.
        loaded: the benchmark.
        splits: of the dataset, each whole.
        output: the .npz file.

    Raises:
        CorpusAbsent: the dataset is not here.
        DataError: an item cannot be read.
    """
    facts = network.facts
    profile: Profile = "quick" if facts.profile == "quick" else "full"
    listing = list_dataset(loaded, facts.dataset, profile)
    ids: list[str] = []
    parts = []
    for split in dict.fromkeys(splits):
        names, outputs = outputs_of_split(network, listing, split)
        parts.append(outputs)
        ids += names
    return _write(output, ids, parts)


def outputs_of_split(
    network: Network, listing: Listing, split: str, left_out: Sequence[str] = ()
) -> tuple[list[str], NDArray[np.float32]]:
    """Return the ids of a split's items, and a network's outputs for them, `[items, size]`.

    Args:
        network: gives the outputs.
        listing: the dataset's lists.
        split: its name.
        left_out: ids of damaged items.

    Raises:
        DataError: an item cannot be read.
    """
    items, ids, parts = listing.split_items(split, left_out), list[str](), []
    for start in range(0, len(items), AT_ONCE):
        part = items.iloc[start : start + AT_ONCE]
        names = [str(name) for name in part["id"]]
        contents = [_read(listing, item) for item in part.itertuples()]
        parts.append(network.outputs(GivenItems(names, contents)))
        ids += names
    return ids, np.concatenate(parts)


def _read(listing: Listing, item: Any) -> NDArray[Any]:
    """Return the content of a row of a listing's items."""
    try:
        return listing.corpus.read(item, listing.folder)
    except DamagedItem as error:
        raise DataError(f"{listing.name}: {item.id}: {error}") from error


def _write(
    output: Path, ids: Sequence[str], parts: Sequence[NDArray[np.float32]]
) -> tuple[int, int]:
    embeddings = np.concatenate(parts)
    with atomic_file(output) as target:
        np.savez(target, ids=np.array(ids, dtype=str), embeddings=embeddings)
    return embeddings.shape[0], embeddings.shape[1]
