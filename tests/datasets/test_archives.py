"""Archives are unpacked whole below the corpus's folder, or not at all."""

import hashlib
import io
import multiprocessing
import os
import random
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.datasets import preparing
from harness.datasets.archives import group_parts, open_parts
from harness.datasets.preparing import unpack
from harness.errors import DataError, StorageError

FILES = {"corpus/a/1.flac": b"one" * 500, "corpus/b/2.flac": b"two" * 700, "readme.txt": b"hello"}


def tarred(path: Path, files=FILES, mode="w:gz", extra=()) -> Path:
    with tarfile.open(path, mode) as tar:
        for member, content in [*((tarfile.TarInfo(n), c) for n, c in files.items()), *extra]:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def zipped(path: Path, files=FILES, extra=()) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in [*files.items(), *extra]:
            archive.writestr(member, content)
    return path


def split_up(path: Path, parts: int) -> list[Path]:
    content = path.read_bytes()
    step = -(-len(content) // parts)
    found = []
    for number in range(parts):
        part = path.with_name(f"{path.name}a{'abcdefgh'[number]}")
        part.write_bytes(content[number * step : (number + 1) * step])
        found.append(part)
    return found


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


MAKERS = {
    "c.tar.gz": tarred,
    "c.tar": lambda path, **more: tarred(path, mode="w", **more),
    "c.zip": zipped,
}


@pytest.fixture(params=list(MAKERS))
def archive(request, tmp_path):
    return MAKERS[request.param](tmp_path / request.param)


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "corpus"


def test_an_archive_becomes_the_corpus(archive, corpus):
    unpack([archive], corpus)
    assert held(corpus) == FILES
    leftovers = [name for name in os.listdir(corpus.parent) if not name.endswith(".lock")]
    assert leftovers == ["corpus"]
    assert corpus.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_parts_are_joined(archive, corpus, parts):
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    unpack(split_up(archive, parts), corpus, md5=md5.upper())
    assert held(corpus) == FILES


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=5), st.data())
def test_joined_parts_are_one_file(tmp_path_factory, contents, data):
    folder = tmp_path_factory.mktemp("parts")
    paths = [folder / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    whole = io.BytesIO(b"".join(contents))
    with open_parts(paths) as joined:
        for _ in range(5):
            place, count = data.draw(st.integers(0, 250)), data.draw(st.integers(0, 250))
            assert joined.seek(place) == whole.seek(place)
            assert joined.read(count) == whole.read(count)
        assert joined.seek(0, io.SEEK_END) == sum(map(len, contents))


def test_parts_of_one_archive_are_known_by_their_names():
    names = ["x.tar.gzab", "x.tar.gzaa", "y.zip", "z_partaa", "z_partab", "w.zip.001", "w.zip.002"]
    groups = [
        [path.name for path in group] for group in group_parts([Path(name) for name in names])
    ]
    assert groups == [
        ["x.tar.gzaa", "x.tar.gzab"],
        ["y.zip"],
        ["z_partaa", "z_partab"],
        ["w.zip.001", "w.zip.002"],
    ]


def test_another_archive_than_the_published_one(archive, corpus):
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    with pytest.raises(DataError, match="not the published archive") as caught:
        unpack([archive], corpus, md5="0" * 32)
    assert md5 in str(caught.value)
    assert "0" * 32 in str(caught.value)
    assert os.listdir(corpus.parent) == []


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, b""


def special(name, kind):
    member = tarfile.TarInfo(name)
    member.type = kind
    return member, b""


EVIL_TAR = {
    "up": (tarfile.TarInfo("../evil"), b"x"),
    "up inside": (tarfile.TarInfo("corpus/../../evil"), b"x"),
    "absolute": (tarfile.TarInfo("/tmp/evil"), b"x"),
    "link out": link("corpus/evil", "../../outside"),
    "absolute link": link("evil", "/etc/passwd"),
    "hard link out": link("evil", "../outside", tarfile.LNKTYPE),
    "device": special("evil", tarfile.CHRTYPE),
    "block": special("evil", tarfile.BLKTYPE),
    "pipe": special("evil", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("evil", EVIL_TAR)
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_evil_members_of_a_tar_are_refused_before_anything_is_written(tmp_path, corpus, evil, mode):
    member, content = EVIL_TAR[evil]
    path = tarred(tmp_path / "evil.tar", mode=mode, extra=[(member, content)])
    refused(path, corpus, member.name)


def zip_link(name):
    member = zipfile.ZipInfo(name)
    member.external_attr = 0o120777 << 16
    return member, "/etc/passwd"


EVIL_ZIP = {
    "up": ("../evil", b"x"),
    "up inside": ("corpus/../../evil", b"x"),
    "absolute": ("/tmp/evil", b"x"),
    "backslashes": ("corpus\\..\\..\\evil", b"x"),
    "drive": ("C:/evil", b"x"),
    "link": zip_link("evil"),
}


@pytest.mark.parametrize("evil", EVIL_ZIP)
def test_evil_members_of_a_zip_are_refused_before_anything_is_written(tmp_path, corpus, evil):
    path = zipped(tmp_path / "evil.zip", extra=[EVIL_ZIP[evil]])
    refused(path, corpus, "evil")


def refused(path: Path, corpus: Path, name: str) -> None:
    with pytest.raises(DataError, match="nothing was unpacked") as caught:
        unpack([path], corpus)
    assert name in str(caught.value)
    assert not corpus.exists()
    assert [each for each in os.listdir(corpus.parent) if not each.endswith(".lock")] == []


def test_links_that_stay_inside_are_kept(tmp_path, corpus):
    inner = link("corpus/b/again.flac", "../a/1.flac")
    path = tarred(tmp_path / "links.tar", extra=[inner])
    unpack([path], corpus)
    assert (corpus / "corpus" / "b" / "again.flac").read_bytes() == FILES["corpus/a/1.flac"]


def test_a_link_that_leads_out_over_another_one_is_refused_when_it_is_written(tmp_path, corpus):
    """Each link alone stays inside; together they climb."""
    chain = [link("a", "."), link("a/b", ".."), link("a/b/c", "..")]
    evil = (tarfile.TarInfo("a/b/c/evil"), b"x")
    path = tarred(tmp_path / "chain.tar", extra=[*chain, evil])
    with pytest.raises(DataError):
        unpack([path], corpus)
    assert not corpus.exists()
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("name", MAKERS)
def test_an_archive_cut_off_anywhere_is_refused(tmp_path, corpus, name):
    path = MAKERS[name](tmp_path / name)
    whole = path.read_bytes()
    # Behind all files and the mark of the end, a tar archive has nothing but zeros.
    needed = 6656 if name == "c.tar" else len(whole)
    for cut in (*range(0, needed, 256), *range(needed - 20, needed)):
        path.write_bytes(whole[:cut])
        with pytest.raises(DataError, match=r"cannot be unpacked|empty"):
            unpack([path], corpus)
        assert not corpus.exists()


def test_a_file_that_is_no_archive(tmp_path, corpus):
    (tmp_path / "x.zip").write_text("no archive\n" * 100)
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack([tmp_path / "x.zip"], corpus)
    with pytest.raises(DataError, match="no such archive"):
        unpack([tmp_path / "gone.zip"], corpus)


def test_what_is_there_already_is_not_unpacked_again(archive, corpus):
    said: list[str] = []
    unpack([archive], corpus)
    (corpus / "corpus" / "a" / "1.flac").write_bytes(b"mine")
    unpack([archive], corpus, tell=said.append)
    assert "is unpacked already" in said[-1]
    assert (corpus / "corpus" / "a" / "1.flac").read_bytes() == b"mine"


def test_an_archive_of_which_some_is_there_is_refused(archive, corpus):
    corpus.mkdir()
    (corpus / "readme.txt").write_text("mine")
    with pytest.raises(DataError, match=r"readme\.txt of it is in .* already, the rest is not"):
        unpack([archive], corpus)
    assert held(corpus) == {"readme.txt": b"mine"}


def test_a_second_archive_is_added_to_the_first(tmp_path, corpus):
    unpack([tarred(tmp_path / "one.tar", {"one/1": b"1"})], corpus)
    unpack([zipped(tmp_path / "two.zip", {"two/2": b"2"})], corpus)
    assert held(corpus) == {"one/1": b"1", "two/2": b"2"}


def test_too_little_disk_is_said_before_anything_is_written(archive, corpus, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("harness.datasets.packing.estimates.shutil.disk_usage", lambda _: Usage)
    with pytest.raises(DataError, match=r"3\.6 kB of disk are needed and 1\.0 kB are free"):
        unpack([archive], corpus)
    assert not corpus.exists()


def test_what_is_needed_is_told(archive, corpus):
    said: list[str] = []
    unpack([archive], corpus, tell=said.append)
    assert "3.6 kB of disk are needed and" in said[0]


def test_a_disk_that_runs_full_keeps_nothing(archive, corpus, tmp_path, monkeypatch):
    (corpus.parent).rmdir()
    (tmp_path / "data").mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", tmp_path / "data"],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here (it takes root)")
    try:
        monkeypatch.setattr(preparing, "check_disk_space", lambda *_: 0)
        with pytest.raises(StorageError, match="nothing of the archive is kept"):
            unpack([archive], corpus)
        assert [name for name in os.listdir(tmp_path / "data") if ".lock" not in name] == []
    finally:
        subprocess.run(["umount", "-l", tmp_path / "data"], check=True)


def test_an_unpacking_killed_at_any_moment_leaves_no_half_corpus(tmp_path, corpus):
    files = {f"part{number % 3}/{number}": bytes([number]) * 5000 for number in range(250)}
    path = tarred(tmp_path / "many.tar.gz", files)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.datasets.preparing"])
    dice = random.Random(0)
    for number in range(12):
        folder = corpus.with_name(f"corpus{number}")
        if number % 2:
            (folder / "mine").mkdir(parents=True)
        process = context.Process(target=unpack, args=([path], folder))
        process.start()
        time.sleep(dice.uniform(0.02, 0.25))
        process.kill()
        process.join()
        there = held(folder) if folder.exists() else {}
        tops = {name.partition("/")[0] for name in there}
        assert there == {name: files[name] for name in files if name.partition("/")[0] in tops}
        unpack([path], folder)
        assert held(folder) == files
        leavings = [
            name for name in os.listdir(corpus.parent) if name.startswith(f".{folder.name}.")
        ]
        assert all(name.endswith(".lock") for name in leavings)
