"""Files of features: id -> vector, or sequence of vectors, in `.npz`, Parquet or thuiar's pickles.

A pickle can run anything that it names. The ones that thuiar's MIntRec and UMC publish
(`swin_feats.pkl`, `wavlm_feats.pkl`) hold a dict of NumPy arrays, so these are read by an unpickler
that knows nothing else: whatever a file names beside arrays is refused before it is made.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError

ENDINGS = (".npz", ".parquet", ".pkl")

PLAIN = {
    ("_codecs", "encode"),
    ("collections", "OrderedDict"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *(
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (
            ("multiarray", "_reconstruct"),
            ("multiarray", "scalar"),
            ("numeric", "_frombuffer"),
        )
    ),
}
"""What a pickle of arrays names."""

BROKEN = (ValueError, EOFError, KeyError, IndexError, TypeError, AttributeError, ImportError,
          MemoryError, zipfile.BadZipFile, pickle.UnpicklingError)  # fmt: skip

Features = Mapping[str, NDArray[np.float32]]
"""Id -> `[frames, size]`, one frame for a vector."""


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in PLAIN:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")
        return super().find_class(module, name)


def read_features(path: Path) -> Features:
    """Read a file of features.

    `.npz`: an array each, by id. Parquet: a column `id`, and the first other column with lists of
    numbers, or of such lists. `.pkl`: a dict of arrays or of lists of numbers.

    Raises:
        DataError: the file is absent or damaged, holds something else, or arrays of several sizes.
    """
    readers = {".npz": _read_npz, ".parquet": _read_parquet, ".pkl": _read_pickle}
    reader = readers.get(path.suffix)
    if reader is None:
        raise DataError(f"{path}: features are read from {', '.join(ENDINGS)}")
    try:
        found = {str(key): _frames(value) for key, value in reader(path).items()}
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except BROKEN as error:
        raise DataError(f"{path}: not a file of features by id: {error}") from error
    sizes = sorted({value.shape[1] for value in found.values()})
    if len(sizes) != 1:
        raise DataError(f"{path}: vectors of one size are wanted, it holds {sizes or 'none'}")
    return found


def _read_npz(path: Path) -> Mapping[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _read_pickle(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        found = _ArraysOnly(file).load()
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not a dict")
    return found


def _read_parquet(path: Path) -> Mapping[str, Any]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(f"{path}: Parquet needs pyarrow; `pip install pyarrow`") from error
    table = parquet.read_table(path)
    others = [name for name in table.column_names if name != "id"]
    if "id" not in table.column_names or not others:
        raise ValueError(f"columns id and another are wanted, it has {table.column_names}")
    return dict(zip(table["id"].to_pylist(), table[others[0]].to_pylist(), strict=True))


def _frames(value: Any) -> NDArray[np.float32]:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"an array of {array.dtype} of shape {array.shape} is no vector")
    if not np.isfinite(array).all():
        raise ValueError("a vector holds NaN or infinity")
    return np.atleast_2d(array).astype(np.float32)


def fit_frames(sequence: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Bring a sequence to a number of frames: `[frames, size]`.

    One frame is the mean of all. A longer sequence is averaged in so many even stretches, a
    shorter one is followed by rows of zeros.

    >>> fit_frames(np.array([[1.0], [3.0], [5.0]], np.float32), 1)
    array([[3.]], dtype=float32)
    >>> fit_frames(np.array([[1.0], [3.0]], np.float32), 3).ravel()
    array([1., 3., 0.], dtype=float32)
    """
    if len(sequence) > frames:
        parts = np.array_split(sequence.astype(np.float64), frames)
        return np.stack([part.mean(axis=0) for part in parts]).astype(np.float32)
    return np.pad(sequence, ((0, frames - len(sequence)), (0, 0)))
