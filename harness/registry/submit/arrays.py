"""What the arrays of a submission must be: names in one row, numbers in a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import RequestError

LONGEST_NAME = 250
"""Characters of an item's name; numpy keeps all names as long as the longest, 4 bytes each."""

_LAST_LETTER = 0x10FFFF
"""The last letter of Unicode; half of a surrogate pair, 0xD800 to 0xDFFF, is none."""


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
    native = np.asarray(array, dtype=array.dtype.newbyteorder("="))
    letters = np.ascontiguousarray(native).view(np.uint32) if native.dtype.itemsize else native
    if bool(np.any((letters > _LAST_LETTER) | ((letters >= 0xD800) & (letters < 0xE000)))):
        raise RequestError(f"{where}: names are not Unicode text; make the file again")
    return native


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
