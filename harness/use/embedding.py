"""Embeddings of files, in a file as `harness submit` takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from harness.errors import RequestError
from harness.records.files import atomic_file
from harness.use.files import ReadFile, read_in_parts
from harness.use.networks import Network

See = Callable[[ReadFile], None]


def embed(
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
    embeddings = np.concatenate(parts)
    with atomic_file(output) as target:
        np.savez(target, ids=np.array(ids, dtype=str), embeddings=embeddings)
    return embeddings.shape[0], embeddings.shape[1]
