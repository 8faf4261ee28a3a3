"""read_blocks() against the plain split of the whole text, and every file that cannot be opened."""

from __future__ import annotations

import gzip
import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.trials.text_lines import ScoreFileError, read_blocks

TEXT = st.text(alphabet="ab \t\r\n", max_size=40).map(str.encode)


def lines_of(path: Path, size: int) -> list[tuple[int, bytes]]:
    found = []
    for block in read_blocks(path, size):
        assert block.text.endswith(b"\n")
        found += list(block)
    return found


def written_lines(text: bytes) -> list[tuple[int, bytes]]:
    """All lines up to the last one that is not blank, blanks at the very end cut off."""
    return list(enumerate(text.rstrip().split(b"\n"), start=1)) if text.strip() else []


@given(text=TEXT, size=st.integers(1, 50))
def test_any_block_size_gives_the_lines_of_the_file(tmp_path_factory, text, size):
    path = tmp_path_factory.mktemp("blocks") / "lines.txt"
    path.write_bytes(text)
    if not text.strip():
        with pytest.raises(ScoreFileError, match="is empty"):
            lines_of(path, size)
        return
    got = [(number, line.rstrip()) for number, line in lines_of(path, size)]
    assert got == [(number, line.rstrip()) for number, line in written_lines(text)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_byte_order_mark_is_no_part_of_the_first_line(tmp_path, pack):
    path = tmp_path / "any.name"
    path.write_bytes(pack(b"\xef\xbb\xbfa b 1\nc d 2"))
    assert lines_of(path, 1 << 20) == [(1, b"a b 1"), (2, b"c d 2")]


def test_gzip_members_follow_one_another(tmp_path):
    path = tmp_path / "scores"
    path.write_bytes(gzip.compress(b"a b 1\nc ", mtime=0) + gzip.compress(b"d 2\n"))
    assert lines_of(path, 3) == [(1, b"a b 1"), (2, b"c d 2")]


def test_a_pipe_is_read_like_a_file(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[gzip.compress(b"a b 1\n", mtime=0)])
    writer.start()
    assert lines_of(path, 100) == [(1, b"a b 1")]
    writer.join()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \r\n\t\n", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (gzip.compress(b"a b 1\n" * 100, mtime=0)[:-20], "broken gzip"),
        (b"\x1f\x8bnot gzip at all", "broken gzip"),
        ("a b 1\n".encode("utf-16"), "UTF-16"),
        ("a b 1\n".encode("utf-16-le"), "UTF-16 text without its mark"),
        ("a b 1\n".encode("utf-16-be"), "UTF-16 text without its mark"),
        (b"PK\3\4 of a workbook", "is a zip file"),
        (b"PAR1\x15", "is a Parquet table"),
        (b"\x80\4\x95", "is a pickle"),
        (b"<!DOCTYPE html>", "is a web page"),
    ],
)
def test_files_without_lines_say_why(tmp_path, content, message):
    path = tmp_path / "scores.txt"
    path.write_bytes(content)
    with pytest.raises(ScoreFileError, match=message) as stopped:
        list(read_blocks(path))
    assert str(path) in str(stopped.value)


@pytest.mark.parametrize("content", [b"a b 0.5\n" * 300, random.Random(0).randbytes(2000)])
@pytest.mark.parametrize("place", [12, 20, -6])
def test_damaged_gzip_content_is_told(tmp_path, content, place):
    packed = bytearray(gzip.compress(content))
    packed[place] ^= 0xFF
    path = tmp_path / "scores.gz"
    path.write_bytes(packed)
    with pytest.raises(ScoreFileError, match="broken gzip"):
        list(read_blocks(path))


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(ScoreFileError, match="no such file"):
        list(read_blocks(tmp_path / "absent.txt"))
    with pytest.raises(ScoreFileError, match="is a folder"):
        list(read_blocks(tmp_path))
