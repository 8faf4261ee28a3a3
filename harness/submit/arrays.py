"""Arrays of an .npz file from somebody else: nothing is believed of it before it is checked."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from harness.errors import RequestError

Arrays = dict[str, NDArray[Any]]

LONGEST_NAME = 250
"""Characters of an item's name; numpy keeps all names as long as the longest, 4 bytes each."""

_ENDING = ".npy"


def read_arrays(path: Path, known: Sequence[str], most: int) -> Arrays:
    """Read a file of named arrays; one that holds Python objects is never opened.

    Args:
        path: the file.
        known: the names that may be there.
        most: bytes that all arrays may take together.

    Raises:
        RequestError: it is no .npz file, too large, holds other names, objects, or is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path, known, most)
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        raise RequestError(
            f"{path}: not an .npz file that can be read ({error}); numpy.savez writes one"
        ) from error
    except OSError as error:
        raise RequestError(
            f"{path}: cannot be read: {error.strerror}; check its path and rights"
        ) from error


def _check_members(archive: zipfile.ZipFile, path: Path, known: Sequence[str], most: int) -> None:
    members = archive.infolist()
    names = [member.filename.removesuffix(_ENDING) for member in members]
    unknown = sorted(set(names) - set(known))
    if unknown or len(set(names)) < len(names):
        said = f"the array {unknown[0]!r}" if unknown else "one array twice"
        raise RequestError(f"{path}: holds {said}; it may hold {', '.join(known)}, each once")
    size = sum(member.file_size for member in members)
    if size > most:
        raise RequestError(f"{path}: {size:,} bytes of arrays, and at most {most:,} fit its lists")
    for member, name in zip(members, names, strict=True):
        if member.flag_bits & 1:
            raise RequestError(f"{path}: is encrypted; give it as numpy.savez writes it")
        with archive.open(member) as file:
            _check_header(file, member.file_size, f"{path}: {name}")


def _check_header(file: IO[bytes], size: int, where: str) -> None:
    """Refuse an array of objects, or one that says it is larger than its bytes."""
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in read:
        raise RequestError(f"{where}: written in a way that is not read here; use numpy.savez")
    shape, _, dtype = read[version](file)
    if dtype.hasobject or dtype.names:
        raise RequestError(
            f"{where}: holds Python objects, which are never read; names go in as "
            "numpy.array(names, dtype=str), numbers as floats"
        )
    if math.prod(shape) * dtype.itemsize > size:
        raise RequestError(f"{where}: is cut off; make the file again")


def texts(array: NDArray[Any], where: str) -> NDArray[np.str_]:
    """An array of names, `[N]`.

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
    return np.asarray(array, dtype=np.str_)


def numbers(array: NDArray[Any], rows: int, where: str) -> NDArray[np.float32]:
    """An array of numbers, `[rows, size]`, float32; NaN and infinity are left to the caller.

    Raises:
        RequestError: it is of another shape, or holds no numbers.
    """
    if array.dtype.kind not in "fiu" or array.ndim != 2 or len(array) != rows or not array.size:
        raise RequestError(
            f"{where}: {array.dtype} of shape {array.shape}; give numbers, [{rows}, size], a row "
            "for each of ids"
        )
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is told
        return np.asarray(array, dtype=np.float32)
