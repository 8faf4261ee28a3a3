"""Named arrays of an .npz file from somebody else, checked before they are read."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from harness.errors import RequestError

Arrays = dict[str, NDArray[Any]]

_ENDING = ".npy"
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

# A header is a Python literal to numpy: whatever a parser of these can raise comes through.
BROKEN_ARRAY = (
    ValueError,
    SyntaxError,
    TokenError,
    TypeError,
    OverflowError,
    RecursionError,
    MemoryError,
)
_BROKEN_FILE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)

_KINDS = {
    b"\x93NUMPY": "a single array (.npy)",
    b"PAR1": "a Parquet table",
    b"\x89HDF": "an HDF5 file",
    b"\x80": "a pickle",
    b"\x1f\x8b": "a gzip file",
    b"version https://git-lfs": "a Git LFS pointer and not the file itself",
}
"""First bytes of files that people have embeddings in, and their names."""


def read_arrays(path: Path, known: Sequence[str] | None, most: int) -> Arrays:
    """Read a file of named arrays; one that holds Python objects is never opened.

    Args:
        path: the file.
        known: the names that may be there; None for any.
        most: bytes that all arrays may take together.

    Raises:
        RequestError: it is no .npz file, too large, holds other names, objects, or is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, path, known, most)
            return {
                name: _array(archive, member, f"{path}: {name}") for name, member in members.items()
            }
    except (*_BROKEN_FILE, *BROKEN_ARRAY) as error:
        raise RequestError(
            f"{path}: not an .npz file that can be read ({_kind(path) or error}); numpy.savez "
            "writes one"
        ) from error
    except OSError as error:
        raise RequestError(f"{path}: cannot be read: {error.strerror or error}") from error


def _members(
    archive: zipfile.ZipFile, path: Path, known: Sequence[str] | None, most: int
) -> dict[str, zipfile.ZipInfo]:
    members = archive.infolist()
    names = [member.filename.removesuffix(_ENDING) for member in members]
    if any(name.endswith("/data.pkl") for name in names):
        raise RequestError(f"{path}: is a PyTorch file; give arrays as numpy.savez writes them")
    unknown = [] if known is None else sorted(set(names) - set(known))
    if unknown or len(set(names)) < len(names):
        said = f"the array {unknown[0]!r}" if unknown else "one array twice"
        wanted = f"; it may hold {', '.join(known)}, each once" if known else ""
        raise RequestError(f"{path}: holds {said}{wanted}")
    size = sum(member.file_size for member in members)
    if size > most:
        raise RequestError(f"{path}: {size:,} bytes of arrays, and at most {most:,} fit its lists")
    if any(member.flag_bits & 1 for member in members):
        raise RequestError(f"{path}: is encrypted; give it as numpy.savez writes it")
    return dict(zip(names, members, strict=True))


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> NDArray[Any]:
    try:
        with archive.open(member) as file:
            _check_header(file, member.file_size, where)
        with archive.open(member) as file:
            array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    except BROKEN_ARRAY as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise RequestError(
            f"{where}: the array cannot be read ({why:.200}); make the file again with numpy.savez"
        ) from error
    return array


def _check_header(file: IO[bytes], size: int, where: str) -> None:
    """Refuse an array of objects, or one that says it is larger than its bytes."""
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise RequestError(f"{where}: written in a way that is not read here; use numpy.savez")
    shape, _, dtype = _HEADERS[version](file)
    if dtype.hasobject or dtype.names:
        raise RequestError(
            f"{where}: holds Python objects, which are never read; names go in as "
            "numpy.array(names, dtype=str), numbers as floats"
        )
    # Values of no bytes would make an array of any length out of nothing.
    if math.prod(shape) * max(1, dtype.itemsize) > size:
        raise RequestError(f"{where}: is cut off; make the file again")


def _kind(path: Path) -> str:
    """Name the kind of a file that holds no arrays; empty if it is none that people give."""
    with path.open("rb") as file:
        start = file.read(64)
    return next((f"it is {kind}" for mark, kind in _KINDS.items() if start.startswith(mark)), "")
