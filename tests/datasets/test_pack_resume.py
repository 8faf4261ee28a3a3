"""A packing that was killed or found the disk full goes on, and ends with the same bytes."""

import errno
import multiprocessing
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import soundfile

from harness.data.corpora.speech_manifest import SpeechManifest
from harness.datasets.packing import estimates, unfinished
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack_request import PackRequest
from harness.errors import DataError, StorageError
from tests.places import ROOT
from tests.speech import noise

UTTERANCES = 500
KILLS = 50


@dataclass(frozen=True)
class Steps:
    """A corpus that needs no files: item i holds `length` times the number i."""

    length: int = 1000

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = False

    def read(self, item, folder):
        return np.full(self.length, item.number, np.int16)


def steps_request(folder, count=256, length=1000, told=0.001, **more):
    items = pd.DataFrame({"number": range(count), "seconds": told, "id": range(count)})
    return PackRequest(folder, Steps(length), folder, items, more.pop("advance", abs), 1, **more)


@pytest.fixture(scope="module")
def short_speech(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    rows = ["utt_id\tspeaker\tpath\tduration_s"]
    for number in range(UTTERANCES):
        samples = 800 + number % 7
        soundfile.write(folder / f"{number}.flac", noise(number, samples), 16_000, "PCM_16")
        rows.append(f"{number}\ts{number // 10}\t{number}.flac\t{samples / 16_000}")
    (folder / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def speech_request(short_speech, tmp_path):
    items = SpeechManifest().items("quick", short_speech)
    (short_speech / "17.flac").write_bytes(b"")
    return PackRequest(tmp_path / "packs" / "p", SpeechManifest(), short_speech, items, abs, 1)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def kill_at(process, values: Path, size: int) -> None:
    """Kill a packing a moment after so many bytes are there; it may have ended."""
    deadline = time.monotonic() + 60
    while process.is_alive() and size_of(values) < size and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(random.Random(size).uniform(0, 0.01))
    process.kill()
    process.join()


def test_a_packing_killed_at_any_moment_goes_on_to_the_same_bytes(speech_request):
    assert list(ensure_pack(speech_request).damaged) == [17]
    whole = files(speech_request.folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["harness.data.corpora.speech_manifest", "harness.datasets.packing.making"]
    )
    moments = random.Random(0)
    kept: list[int] = []
    for kill in range(KILLS):
        folder = speech_request.folder.with_name(f"killed{kill}")
        request = replace(speech_request, folder=folder)
        process = context.Process(target=ensure_pack, args=(request,))
        process.start()
        kill_at(
            process,
            folder.with_name(f".{folder.name}.part") / "values",
            moments.randrange(len(whole["values"]) + 1),
        )
        counted: list[int] = []
        ensure_pack(replace(request, advance=counted.append))
        assert files(folder) == whole
        assert sum(counted) in (0, UTTERANCES)
        kept += counted[:1]
    assert max(kept) > 32, "nothing was ever taken up again"


@pytest.mark.parametrize("torn", [1, 10, 300])
def test_a_torn_journal_and_numbers_beyond_it_are_cut_back(tmp_path, monkeypatch, torn):
    monkeypatch.setattr(unfinished, "CERTAIN_ITEMS", 32)
    request = steps_request(tmp_path / "p")
    whole = ensure_pack(request).content
    part = stopped_after(replace(request, folder=tmp_path / "q"), 160)
    journal = (part / "journal").read_bytes()
    (part / "journal").write_bytes(journal[:-torn])
    with (part / "values").open("ab") as file:
        file.write(b"x" * 777)
    counted: list[int] = []
    again = ensure_pack(replace(request, folder=tmp_path / "q", advance=counted.append))
    assert counted[0] == 128
    assert again.content == whole
    assert [again.item(row)[0] for row in (0, 127, 128, 255)] == [0, 127, 128, 255]


def test_numbers_shorter_than_the_journal_says_are_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "CERTAIN_ITEMS", 32)
    request = steps_request(tmp_path / "p")
    part = stopped_after(request, 160)
    os.truncate(part / "values", 100 * 2000)
    counted: list[int] = []
    ensure_pack(replace(request, advance=counted.append))
    assert counted[0] == 96


def test_what_was_left_of_something_else_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "CERTAIN_ITEMS", 32)
    stopped_after(steps_request(tmp_path / "p"), 160)
    other = steps_request(tmp_path / "p", length=500)
    pack = ensure_pack(other)
    assert pack.length(0) == 500
    assert (pack.item(100) == 100).all()


def test_a_file_that_changed_while_the_packing_rested_is_read_again(
    speech_request, short_speech, monkeypatch
):
    monkeypatch.setattr(unfinished, "CERTAIN_ITEMS", 32)
    path = short_speech / "300.flac"
    before = path.read_bytes()
    part = stopped_after(speech_request, 450)
    soundfile.write(path, noise(1, 800 + 300 % 7), 16_000, "PCM_16")
    try:
        counted: list[int] = []
        pack = ensure_pack(replace(speech_request, advance=counted.append))
        assert counted[0] == 300
        np.testing.assert_array_equal(pack.item(300), noise(1, 800 + 300 % 7))
    finally:
        path.write_bytes(before)
    assert not part.exists()


class Stopped(Exception):
    pass


def stopped_after(request, items: int) -> Path:
    """Make a part of a pack, as a failure leaves it."""
    count = 0

    def advance(number):
        nonlocal count
        count += number
        if count >= items:
            raise Stopped

    with pytest.raises(Stopped):
        ensure_pack(replace(request, advance=advance))
    assert not request.folder.exists()
    return request.folder.with_name(f".{request.folder.name}.part")


def test_too_little_disk_is_said_before_it_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(estimates.shutil, "disk_usage", lambda _: Free())
    request = steps_request(tmp_path / "p", told=3600.0)
    with pytest.raises(DataError, match=r"p: 29\.5 GB of disk are needed and 5\.0 MB are free in"):
        ensure_pack(request)
    assert not request.folder.exists()


class Free:
    free = 5_000_000


def test_an_outdated_pack_in_the_way_is_named(short_speech, tmp_path, monkeypatch):
    items = SpeechManifest().items("quick", short_speech)
    request = PackRequest(tmp_path / "p", SpeechManifest(), short_speech, items, abs, 1)
    ensure_pack(request)
    path = short_speech / "4.flac"
    before = path.read_bytes()
    soundfile.write(path, noise(1, 804), 16_000, "PCM_16")
    monkeypatch.setattr(estimates.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    try:
        with pytest.raises(DataError, match=r"p is outdated and may go"):
            ensure_pack(request)
    finally:
        path.write_bytes(before)
    assert request.folder.exists()


def test_lengths_that_no_list_tells_are_estimated_from_a_sample(tmp_path):
    request = steps_request(tmp_path / "p", count=5000, length=16_000, told=0.0)
    needed = estimates.bytes_needed(request)
    assert 5000 * 32_000 <= needed <= 5000 * 33_000
    assert estimates.bytes_needed(request, 5000) == 0


def test_what_is_needed_and_free_is_told(tmp_path):
    said: list[str] = []
    ensure_pack(steps_request(tmp_path / "p", told=0.0, tell=said.append))
    assert len(said) == 1
    assert "p: 643.1 kB are to be packed under" in said[0]


@pytest.mark.parametrize("call", ["write", "fsync", "ftruncate"])
def test_a_disk_that_is_full_at_any_write_keeps_what_is_certain(tmp_path, monkeypatch, call):
    """Every write of a packing fails in its turn; the next call ends with the same bytes."""
    monkeypatch.setattr(unfinished, "CERTAIN_ITEMS", 64)
    request = steps_request(tmp_path / "whole")
    ensure_pack(request)
    whole = files(request.folder)
    real = getattr(os, call)
    for turn in range(100):
        calls = 0

        def failing(*arguments, turn=turn):
            nonlocal calls
            calls += 1
            if calls > turn:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments)

        here = replace(request, folder=tmp_path / f"full{turn}")
        monkeypatch.setattr(unfinished.os, call, failing)
        full = ends_full(here)
        monkeypatch.setattr(unfinished.os, call, real)
        ensure_pack(here)
        assert files(here.folder) == whole
        if not full:
            return
    raise AssertionError("it never ended")


def ends_full(request) -> bool:
    try:
        ensure_pack(request)
    except StorageError as error:
        said = str(error)
    else:
        return False
    assert said.startswith("disk full at ")
    assert "kept for the next call" in said
    assert not request.folder.exists()
    return True


LIMITED = """
import resource, sys
from pathlib import Path
from tests.datasets.test_pack_resume import steps_request
from harness.datasets.packing.making import ensure_pack
from harness.errors import StorageError

resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
try:
    ensure_pack(steps_request(Path(sys.argv[1]), count=600))
except StorageError as error:
    print(error)
    sys.exit(2)
"""


def test_a_limit_on_the_size_of_files_is_a_full_disk(tmp_path):
    folder = tmp_path / "p"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2, done.stderr
    assert "0 of 600 items of p are kept for the next call" in done.stdout
    assert len(ensure_pack(steps_request(folder, count=600))) == 600


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_real_disk_that_runs_full_and_then_has_room(small_disk):
    counted: list[int] = []
    request = steps_request(small_disk / "packs" / "p", count=1000, advance=counted.append)
    with pytest.raises(StorageError, match=r"256 of 1,000 items of p are kept for the next call"):
        ensure_pack(request)
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    counted.clear()
    pack = ensure_pack(request)
    assert counted[0] == 256
    assert [int(pack.item(row)[0]) for row in (0, 255, 256, 999)] == [0, 255, 256, 999]
