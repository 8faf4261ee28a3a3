"""A corpus's small lists are read whole, or refused with their lines."""

import pytest

from harness.data.reading.text_lists import read_lines
from harness.errors import DataError


def read(tmp_path, content, **options):
    path = tmp_path / "some.lst"
    path.write_bytes(content)
    return [(line.number, line.words) for line in read_lines(path, "model name ...", **options)]


def refused(tmp_path, content, message, **options):
    with pytest.raises(DataError, match=rf"some\.lst: {message}"):
        read(tmp_path, content, **options)


def test_blanks_and_line_ends_are_no_part_of_a_list(tmp_path):
    content = b"\xef\xbb\xbfa b \r\n\r\n \t\n c\td  e\n\nf"
    assert read(tmp_path, content) == [(1, ["a", "b"]), (4, ["c", "d", "e"]), (6, ["f"])]


def test_a_short_line(tmp_path):
    message = r"line 3: 'm2' is too short; 'model name \.\.\.' is wanted"
    refused(tmp_path, b"m1 a\n\nm2\n", message, least=2)


def test_a_word_that_comes_twice(tmp_path):
    refused(tmp_path, b"m1 a\n\nm2 a\nm1 b\n", "line 4: 'm1' stands in line 1 too", least=2)


@pytest.mark.parametrize("content", [b"", b" \n\r\n"])
def test_nothing_listed(tmp_path, content):
    refused(tmp_path, content, r"lists nothing; lines of 'model name \.\.\.' are wanted")


def test_not_utf8(tmp_path):
    refused(tmp_path, b"a\nb\xe9\n", "line 2 is not UTF-8 text")


def test_absent(tmp_path):
    with pytest.raises(DataError, match=r"some\.lst: cannot be read \(No such file"):
        read_lines(tmp_path / "some.lst", "name")
