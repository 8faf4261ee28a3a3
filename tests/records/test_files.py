"""A file is the old one or the new one, and a lock keeps one process in."""

import os
import subprocess
import sys

import pytest

from harness.records.files import atomic_path, lock, write_text

ADD_ONE = """
import sys
from pathlib import Path
from harness.records.files import lock, write_text

path = Path(sys.argv[1])
for _ in range(30):
    with lock(path):
        write_text(path, str(int(path.read_text()) + 1))
"""


def test_text_is_written_in_utf8_and_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "text.txt"
    write_text(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "text.txt"
    write_text(path, "old")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["text.txt"]


def test_until_the_end_readers_see_the_old_file(tmp_path):
    path = tmp_path / "text.txt"
    write_text(path, "old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["text.txt"]


def test_processes_that_take_turns_lose_nothing(tmp_path):
    path = tmp_path / "count"
    path.write_text("0")
    workers = [subprocess.Popen([sys.executable, "-c", ADD_ONE, str(path)]) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert path.read_text() == "90"


def test_a_lock_may_be_taken_where_its_folder_is_not_yet(tmp_path):
    with lock(tmp_path / "new" / "thing"):
        assert not (tmp_path / "new" / "thing").exists()
