"""Scores of classes for each item, where a suite judges decisions and not pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.records.npz import read_arrays
from harness.registry.submit.arrays import LONGEST_NAME, numbers, texts
from harness.registry.submit.naming import Named, check_finite
from harness.trials.text_lines import list_examples

EXPECTED = (
    "an .npz file with `ids` [N], text, and `logits` (or `scores`) [N, C], the largest deciding; "
    "and `classes` [C], the label of each column"
)

FURTHER = 1_000_000
"""Bytes beyond what the arrays need."""


def class_scores(path: Path, listing: Listing) -> NDArray[np.float32]:
    """Scores of every test item, `[items, classes]`, in the order of the locked lists.

    Args:
        path: such a file as `EXPECTED` tells; without `classes` its columns are the labels in
            alphabetical order.
        listing: the dataset's lists.

    Raises:
        RequestError: it is none such, or items or classes are missing, repeated or unknown.
    """
    items, classes = listing.split_items("test")["id"].tolist(), listing.classes
    most = (len(items) + len(classes)) * 4 * LONGEST_NAME + len(items) * len(classes) * 8 + FURTHER
    if path.suffix != ".npz":
        raise RequestError(f"{path}: this suite judges decisions; give {EXPECTED}")
    arrays = read_arrays(path, ("ids", "logits", "scores", "classes"), most)
    held = [name for name in ("logits", "scores") if name in arrays]
    if "ids" not in arrays or len(held) != 1:
        raise RequestError(f"{path}: holds {', '.join(sorted(arrays))}; give {EXPECTED}")
    ids = texts(arrays["ids"], f"{path}: ids")
    named = Named(ids, f"{path}: ids")
    named.check_known(items, f"the test split of {listing.key}")
    rows = named.rows(items, "test")
    if rows is None:
        raise RequestError(f"{path}: ids: holds no test item of {listing.key}")
    values = numbers(arrays[held[0]], len(ids), f"{path}: {held[0]}")
    if values.shape[1] != len(classes):
        raise RequestError(
            f"{path}: {held[0]}: {values.shape[1]} columns, want {len(classes)}: "
            f"{list_examples(map(repr, classes), len(classes))}"
        )
    check_finite(values, ids.tolist(), f"{path}: {held[0]}")
    columns = np.arange(len(classes))
    if "classes" in arrays:
        columns = _columns(texts(arrays["classes"], f"{path}: classes"), classes, str(path))
    return np.ascontiguousarray(values[rows][:, columns])


def _columns(given: NDArray[np.str_], classes: tuple[str, ...], where: str) -> NDArray[np.intp]:
    """Where each class's column stands."""
    places = {str(name): place for place, name in enumerate(given)}
    if len(places) < len(given) or set(places) != set(classes):
        lacking = sorted(set(classes) - set(places)) or sorted(set(places) - set(classes))
        told = f"as {lacking[0]!r} shows" if lacking else "each once"
        raise RequestError(f"{where}: classes are not the labels that train, {told}")
    return np.array([places[name] for name in classes], dtype=np.intp)
