"""Sound files by their names."""

import pytest

from harness.data.reading.sound_files import check_present, sounds, stem
from harness.errors import DataError


def touch(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")


def test_names_by_stem_in_order(tmp_path):
    touch(tmp_path, "b.wav", "a.flac", "c-d.e.flac", "notes.txt", "x.m4a", "._a.flac", ".flac")
    found = sounds(tmp_path)
    assert list(found.items()) == [("a", "a.flac"), ("b", "b.wav"), ("c-d.e", "c-d.e.flac")]


def test_the_last_ending_wins(tmp_path):
    touch(tmp_path, "a.flac", "a.wav", "a.m4a", "b.m4a")
    assert sounds(tmp_path) == {"a": "a.flac"}
    assert sounds(tmp_path, (".m4a", ".wav")) == {"a": "a.wav", "b": "b.m4a"}


def test_no_folder_holds_nothing(tmp_path):
    touch(tmp_path, "file")
    assert sounds(tmp_path / "absent") == {}
    assert sounds(tmp_path / "file") == {}


@pytest.mark.parametrize(
    ("name", "without"),
    [("a/b.wav", "a/b"), ("a/b.flac", "a/b"), ("a/b.c", "a/b.c"), ("a.wavy", "a.wavy")],
)
def test_a_name_without_its_ending(name, without):
    assert stem(name) == without


def test_all_there(tmp_path):
    check_present(["a"], {"a": "a.flac", "b": "b.flac"}, tmp_path / "list")


def test_absent_files_are_counted_and_the_first_named(tmp_path):
    wanted = [f"u{number}" for number in range(9)]
    message = (
        r"list: 8 of 9 files .* absent, as \.flac and as \.wav: u0; u1; u2; and 5 more; unpack"
    )
    with pytest.raises(DataError, match=message):
        check_present(wanted, {"u4": "u4.flac"}, tmp_path / "list")
