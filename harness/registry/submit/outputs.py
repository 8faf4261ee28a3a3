"""Outputs of a system for a dataset's items, from an .npz file: embeddings, or scores of classes.

The rows of a file stand in any order; they are brought into that of the locked items, each exactly
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.metrics.validation import MetricError
from harness.records.npz import read_arrays
from harness.tasks.task import Scores, Side, Task, TaskOptions, training_lists
from harness.trials.text_lines import count_of, list_examples

EMBEDDINGS = "an .npz file with `ids` [N], text, and `embeddings` [N, D], numbers"

CLASS_SCORES = (
    "an .npz file with `ids` [N], text, and `logits` (or `scores`) [N, C], the largest deciding; "
    "and `classes` [C], the label of each column"
)

LONGEST_NAME = 250
"""Characters of an item's name; numpy keeps all names as long as the longest, 4 bytes each."""

LARGEST = 8_192
"""Values of an embedding that a file may hold for every item."""

FURTHER = 1_000_000
"""Bytes beyond what the arrays need."""

SAME = 1e-6
"""Of the largest value of an embedding: rounding to float32 moves the others by as much."""

_LAST_LETTER = 0x10FFFF
"""The last letter of Unicode; half of a surrogate pair, 0xD800 to 0xDFFF, is none."""


def embedding_scores(path: Path, listing: Listing, task: Task) -> Scores:
    """Score embeddings of items by the suite's own task, as those of a run are.

    Args:
        path: such a file as `EMBEDDINGS` describes, of all test items; of all validation items if
            decisions made there (threshold, calibration) are to be judged; of all training items
            if the task scores against them.
        listing: the dataset's lists.
        task: of the suite.

    Raises:
        RequestError: it is no such file, or items are missing, repeated or unknown, or their
            embeddings NaN or infinite, or zero where only directions count.
    """
    options, sides = TaskOptions.of(task), _sides(path, listing, task)
    test, validation, training = (sides[split] for split in ("test", "validation", "train"))
    if test is None:
        raise RequestError(f"{path}: ids: holds no test item of {listing.key}; give all of them")
    if task.scores_with_training and training is None:
        raise RequestError(
            f"{path}: this suite scores against the training split; give its items' embeddings too"
        )
    if validation is None and options.decides is None:
        raise RequestError(
            f"{path}: this suite may decide on the validation split (its task does not say what it "
            "`decides`); give its items' embeddings too"
        )
    try:
        # Whatever a task decides on test, given for validation, is thrown away.
        scores = task.score(
            validation or test, test, training if task.scores_with_training else None
        )
    except MetricError as error:
        raise RequestError(f"{path}: embeddings: cannot be scored: {error}") from error
    unknown = () if validation else options.decides or ()
    return {name: array for name, array in scores.items() if name not in unknown}


def _sides(path: Path, listing: Listing, task: Task) -> dict[str, Side | None]:
    """Read the splits that are there, each whole."""
    all_items = listing.items["id"].tolist()
    most = len(all_items) * (4 * LONGEST_NAME + 8 * LARGEST) + FURTHER
    arrays = read_arrays(path, ("ids", "embeddings"), most)
    if arrays.keys() != {"ids", "embeddings"}:
        raise RequestError(f"{path}: holds {', '.join(sorted(arrays)) or 'nothing'}; {EMBEDDINGS}")
    named = NamedRows(path, arrays, "embeddings")
    named.check_known(all_items, listing.key)
    values = named.values
    named.refuse_infinite()
    if TaskOptions.of(task).compares_directions:
        named.refuse(values.any(axis=1), "zeros alone")
        scaled = values / np.abs(values).max(axis=1, keepdims=True)
        if np.abs(scaled - scaled[0]).max() <= SAME:
            values = np.zeros_like(values)
            values[:, 0] = 1  # Rounding would tell apart what is the same: here every cosine is 1.
    sides: dict[str, Side | None] = {}
    for split in ("test", "validation", "train"):
        items = listing.split_items(split)["id"].tolist()
        rows = named.places(items, split) if items else None
        sides[split] = None
        if rows is not None:
            lists = training_lists(listing) if split == "train" else task.lists(listing, split)
            sides[split] = Side(np.ascontiguousarray(values[rows]), lists)
    return sides


def class_scores(path: Path, listing: Listing) -> NDArray[np.float32]:
    """Read scores of every test item, `[items, classes]`, in the order of the locked lists.

    Args:
        path: such a file as `CLASS_SCORES` describes; without `classes` its columns are the labels
            in alphabetical order.
        listing: the dataset's lists.

    Raises:
        RequestError: it is no such file, or items or classes are missing, repeated or unknown.
    """
    items, classes = listing.split_items("test")["id"].tolist(), listing.classes
    most = (len(items) + len(classes)) * 4 * LONGEST_NAME + len(items) * len(classes) * 8 + FURTHER
    if path.suffix != ".npz":
        raise RequestError(f"{path}: this suite judges decisions; give {CLASS_SCORES}")
    arrays = read_arrays(path, ("ids", "logits", "scores", "classes"), most)
    held = [name for name in ("logits", "scores") if name in arrays]
    if "ids" not in arrays or len(held) != 1:
        raise RequestError(f"{path}: holds {', '.join(sorted(arrays))}; give {CLASS_SCORES}")
    named = NamedRows(path, arrays, held[0])
    named.check_known(items, f"the test split of {listing.key}")
    rows = named.places(items, "test")
    if rows is None:
        raise RequestError(f"{path}: ids: holds no test item of {listing.key}")
    if named.values.shape[1] != len(classes):
        raise RequestError(
            f"{path}: {held[0]}: {named.values.shape[1]} columns, want {len(classes)}: "
            f"{list_examples(map(repr, classes), len(classes))}"
        )
    named.refuse_infinite()
    columns = np.arange(len(classes))
    if "classes" in arrays:
        given = [str(name) for name in _names(arrays["classes"], f"{path}: classes")]
        if sorted(given) != sorted(classes):
            lacking = sorted(set(classes) - set(given)) or sorted(set(given) - set(classes))
            shown = f"as {lacking[0]!r} shows" if lacking else "each once"
            raise RequestError(f"{path}: classes are not the labels that train, {shown}")
        columns = np.array([given.index(name) for name in classes], dtype=np.intp)
    return np.ascontiguousarray(named.values[rows][:, columns])


class NamedRows:
    """Rows of numbers, each with the name of an item.

    Attributes:
        values: `[N, size]`, float32; it may hold NaN and infinity.

    Args:
        path: the file, for errors.
        arrays: of the file: `ids`, and the numbers.
        name: of the numbers.

    Raises:
        RequestError: a name stands there twice; names are no text, or numbers no table with a row
            for each of them.
    """

    def __init__(self, path: Path, arrays: dict[str, NDArray[Any]], name: str) -> None:
        self._ids, self._where = f"{path}: ids", f"{path}: {name}"
        self._index = pd.Index(_names(arrays["ids"], self._ids))
        again = self._index[self._index.duplicated()].unique()
        if len(again):
            raise RequestError(
                f"{self._ids}: {count_of(len(again), 'id')} more than once: {_some(again)}"
            )
        array, rows = arrays[name], len(self._index)
        if array.dtype.kind not in "fiu" or array.ndim != 2 or len(array) != rows or not array.size:
            raise RequestError(
                f"{self._where}: {array.dtype} of shape {array.shape}; give numbers, "
                f"[{rows}, size], a row for each of ids"
            )
        with np.errstate(over="ignore"):  # A number too large for float32 becomes infinite.
            self.values: NDArray[np.float32] = np.asarray(array, dtype=np.float32)

    def check_known(self, items: Sequence[str], of: str) -> None:
        """Refuse names of no item of a dataset."""
        unknown = self._index[~self._index.isin(items)]
        if len(unknown):
            raise RequestError(
                f"{self._ids}: {count_of(len(unknown), 'id')} of no item of {of}: {_some(unknown)}"
            )

    def refuse_infinite(self) -> None:
        """Refuse rows that hold NaN, or are infinite in float32."""
        self.refuse(np.isfinite(self.values).all(axis=1), "NaN or infinity")

    def refuse(self, good: ArrayLike, what: str) -> None:
        """Refuse the rows that a mask `[N]` does not hold, naming some of them."""
        bad = ~np.asarray(good, dtype=bool)
        if bad.any():
            raise RequestError(
                f"{self._where}: {what} in {np.count_nonzero(bad):,} of {len(bad):,} rows: "
                f"{_some(self._index[bad])}"
            )

    def places(self, items: Sequence[str], split: str) -> NDArray[np.intp] | None:
        """Return the row of each item of a split, `[items]`; None if none of them is there.

        Raises:
            RequestError: some are there and some are not.
        """
        wanted = pd.Index(items)
        found = np.asarray(self._index.get_indexer(wanted), dtype=np.intp)
        missing = wanted[found < 0]
        if len(missing) == len(items):
            return None
        if len(missing):
            raise RequestError(
                f"{self._ids}: {len(missing):,} of {len(items):,} {split} items are not there: "
                f"{_some(missing)}; give all of them"
            )
        return found


def _names(array: NDArray[Any], where: str) -> NDArray[np.str_]:
    """Return an array of names, `[N]`.

    Raises:
        RequestError: they are no text, or not in one row.
    """
    if array.dtype.kind == "S":
        try:
            array = np.char.decode(array, "utf-8")
        except UnicodeDecodeError as error:
            raise RequestError(f"{where}: names are not UTF-8 text") from error
    if array.dtype.kind != "U" or array.ndim != 1:
        raise RequestError(
            f"{where}: {array.dtype} of shape {array.shape}; give names, [N], as "
            "numpy.array(names, dtype=str)"
        )
    native = np.asarray(array, dtype=array.dtype.newbyteorder("="))
    letters = np.ascontiguousarray(native).view(np.uint32) if native.dtype.itemsize else native
    if bool(np.any((letters > _LAST_LETTER) | ((letters >= 0xD800) & (letters < 0xE000)))):
        raise RequestError(f"{where}: names are not Unicode text; make the file again")
    return native


def _some(names: pd.Index[Any]) -> str:
    return list_examples([repr(str(name)) for name in names[:3]], len(names))
