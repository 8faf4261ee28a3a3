"""A file is the old one or the new one, and a lock keeps one process in."""

import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from filelock import Timeout
from matplotlib.figure import Figure

from harness.errors import PathError, StorageError
from harness.records.files import (
    append_text,
    atomic_file,
    atomic_path,
    lock,
    read_text,
    remove_stale,
    write_text,
)
from harness.run.job.results import save_scores

ADD_ONE = """
import sys
from pathlib import Path
from harness.records.files import lock, write_text

path = Path(sys.argv[1])
for _ in range(30):
    with lock(path):
        write_text(path, str(int(path.read_text()) + 1))
"""

HALF = """
import sys, time
from pathlib import Path
from harness.records.files import atomic_path

with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_text("half")
    print("written", flush=True)
    time.sleep(600)
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


def test_what_a_killed_writer_left_goes_with_the_next_file(tmp_path):
    path = tmp_path / "text.txt"
    writer = subprocess.Popen(
        [sys.executable, "-c", HALF, str(path)], stdout=subprocess.PIPE, text=True
    )
    writer.stdout.readline()
    (left,) = tmp_path.glob(".text.txt.*.part")
    remove_stale(tmp_path)
    assert left.exists(), "its writer lives"
    elsewhere = tmp_path / ".text.txt.0badcafe-xyz12345.part"
    elsewhere.touch()
    writer.kill()
    writer.wait()
    writer.stdout.close()
    write_text(tmp_path / "another.txt", "new")
    assert sorted(os.listdir(tmp_path)) == [elsewhere.name, "another.txt"]


def test_a_lock_may_be_taken_where_its_folder_is_not_yet(tmp_path):
    with lock(tmp_path / "new" / "thing"):
        assert not (tmp_path / "new" / "thing").exists()


@pytest.fixture
def limited():
    """Files may not grow beyond 10,000 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def save_arrays(path):
    save_scores(path, {"scores": np.zeros(5_000)})


def draw(path):
    figure = Figure()
    figure.add_subplot().plot([1, 2], [3, 4])
    with atomic_file(path) as file:
        figure.savefig(file, format="png", dpi=200)


@pytest.mark.parametrize("write", [lambda path: write_text(path, "x" * 20_000), save_arrays, draw])
def test_a_full_disk_leaves_the_old_file_and_names_it(tmp_path, limited, write):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(StorageError, match=f"at {path}: "):
        write(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_text_is_added_whole_or_not_at_all(tmp_path, limited):
    path = tmp_path / "log"
    append_text(path, "first\n")
    with pytest.raises(StorageError, match=f"at {path}: "):
        append_text(path, "x" * 20_000)
    append_text(path, "l\u00e4st\n")
    assert read_text(path) == "first\nl\u00e4st\n"


def test_a_bug_in_a_writer_is_no_fault_of_the_disk(tmp_path):
    with pytest.raises(RuntimeError, match="a bug"), atomic_file(tmp_path / "file"):
        raise RuntimeError("a bug")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda path: write_text(path, ""),
        lambda path: append_text(path, ""),
        lambda path: lock(path).acquire(),
        read_text,
    ],
)
def test_a_file_in_place_of_a_folder_is_named(tmp_path, use):
    (tmp_path / "taken").write_text("")
    with pytest.raises(PathError, match=f"{tmp_path}/taken"):
        use(tmp_path / "taken" / "inner" / "file")


def test_a_lock_that_cannot_be_made_names_what_it_guards(tmp_path):
    (tmp_path / "thing.lock").mkdir()
    with pytest.raises(PathError, match=f"{tmp_path}/thing: is a folder"), lock(tmp_path / "thing"):
        pass


def test_a_lock_that_is_held_is_no_fault_of_the_disk(tmp_path):
    with lock(tmp_path / "thing"), pytest.raises(Timeout):
        lock(tmp_path / "thing").acquire(timeout=0)
