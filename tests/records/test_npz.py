"""Arrays of others' files: what numpy writes is read, and nothing else is believed or opened."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from harness.errors import RequestError
from harness.records.npz import read_arrays

MOST = 1_000_000


def npy(header: bytes, data: bytes = bytes(96), version: tuple[int, int] = (1, 0)) -> bytes:
    head = header + b" " * (64 - (10 + len(header) + 1) % 64) + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(head))
    return b"\x93NUMPY" + bytes(version) + size + head + data


def written(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@given(
    arrays_of.arrays(
        st.sampled_from(["f2", "<f4", ">f8", "i1", "u8", "?", "c8", "U3", "S5"]),
        arrays_of.array_shapes(min_dims=0, max_dims=3),
    ),
    st.booleans(),
)
def test_what_numpy_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, packed: bool
) -> None:
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    (np.savez_compressed if packed else np.savez)(path, a=array, b=np.arange(3))
    found = read_arrays(path, ("a", "b"), MOST)
    assert found["a"].dtype == array.dtype
    assert found["a"].tobytes() == array.tobytes()
    assert found["b"].tolist() == [0, 1, 2]


BROKEN = {
    "cut in a literal": npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 8"),
    "cut in a string": npy(b"{'descr': '<f4"),
    "a tab and no block": npy(b"if x:\n\ty"),
    "not closed": npy(b"((((((((((("),
    "not opened": npy(b")"),
    "two lines": npy(b"{'descr': '<f4',\n"),
    "a call": npy(b"{'descr': __import__('os').abort(), 'fortran_order': False, 'shape': (3,)}"),
    "nested": npy(b"(" * 5000),
    "signs": npy(b"-" * 9000 + b"1"),
    "very long": npy(
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (3," + b" " * 60000 + b")}"
    ),
    "no dictionary": npy(b"[1, 2]"),
    "a key fewer": npy(b"{'descr': '<f4', 'shape': (3, 8)}"),
    "a type that is none": npy(b"{'descr': '<q9', 'fortran_order': False, 'shape': (3, 8)}"),
    "a type of another kind": npy(b"{'descr': 7, 'fortran_order': False, 'shape': (3, 8)}"),
    "a shape of floats": npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3.0, 8)}"),
    "a negative shape": npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 8)}"),
    "two negative sides": npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-3, -8)}"),
    "terabytes": npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}"),
    "a huge and an empty side": npy(
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 40 + b", 0)}"
    ),
    "values of no bytes": npy(b"{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,)}"),
    "a number of many digits": npy(
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"9" * 5000 + b",)}"
    ),
    "a zero byte": npy(b"{'descr': '<f4\0', 'fortran_order': False, 'shape': (3, 8)}"),
    "no text": npy(b"\xff\xfe\xfd"),
    "a later version": npy(b"{}", version=(3, 0)),
    "an unknown version": npy(b"{}", version=(9, 9)),
    "data cut off": npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 8)}", bytes(50)),
    "nothing": b"",
    "no array": b"hello",
    "a header longer than the file": b"\x93NUMPY\x01\x00\xff\xff{}",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_array_is_refused_by_its_name(tmp_path: Path, kind: str) -> None:
    whole = io.BytesIO()
    np.save(whole, np.array(["a", "b"]))
    path = written(tmp_path / "a.npz", ids=whole.getvalue(), embeddings=BROKEN[kind])
    with pytest.raises(RequestError, match=r"a\.npz: embeddings: "):
        read_arrays(path, ("ids", "embeddings"), MOST)


def test_objects_and_records_are_refused(tmp_path: Path) -> None:
    for array in (np.array([{}], dtype=object), np.zeros(3, dtype="f4,i4"), np.zeros(2, "O,f4")):
        np.savez(tmp_path / "a.npz", a=array)
        with pytest.raises(RequestError, match="holds Python objects, which are never read"):
            read_arrays(tmp_path / "a.npz", ("a",), MOST)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x93NUMPY\x01\0", r"a single array \(\.npy\)"),
        (b"PAR1" + bytes(40), "a Parquet table"),
        (pickle.dumps({}), "a pickle"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"a,b\n1,2\n", "File is not a zip file"),
        (b"", "File is not a zip file"),
    ],
)
def test_files_of_another_kind_are_called_by_it(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(RequestError, match=kind):
        read_arrays(tmp_path / "a.npz", None, MOST)


def test_a_checkpoint_is_called_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\2.")
        archive.writestr("archive/version", b"3\n")
    with pytest.raises(RequestError, match="is a PyTorch file"):
        read_arrays(tmp_path / "a.pt", None, MOST)


def test_no_more_is_unpacked_than_may_be(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", a=bytes(MOST + 1))
    with pytest.raises(RequestError, match=r"1,000,001 bytes of arrays, and at most 1,000,000"):
        read_arrays(path, ("a",), MOST)


def test_a_size_that_is_not_told_truly_is_found(tmp_path: Path) -> None:
    header = npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (5000000,)}", bytes(5_000_000))
    path = written(tmp_path / "a.npz", a=header)
    content = bytearray(path.read_bytes())
    size = struct.pack("<I", len(header))
    assert content.count(size) == 2
    path.write_bytes(bytes(content).replace(size, struct.pack("<I", 1000)))
    with pytest.raises(RequestError, match=r"is cut off|Bad CRC"):
        read_arrays(path, ("a",), MOST)
