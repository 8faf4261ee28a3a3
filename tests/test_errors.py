"""Errors a user can mend, and the nearest known word."""

import errno
import os
from pathlib import Path

import pytest

from harness.cli.endings import run_command
from harness.errors import (
    ConfigError,
    CorpusAbsent,
    DataError,
    HarnessError,
    JobFailed,
    LockError,
    PathError,
    StorageError,
    check_spelled,
    file_error,
    naming,
    nearest,
    raise_limit,
)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        *((kind, 2) for kind in (ConfigError, CorpusAbsent, DataError, LockError, PathError)),
        *((kind, 1) for kind in (JobFailed, StorageError, HarnessError)),
    ],
)
def test_a_wrong_request_ends_a_command_otherwise_than_a_failed_job(kind, status, capsys):
    def command():
        raise kind("first\x07")

    assert run_command(command) == status
    assert "first\\x07" in capsys.readouterr().err


def test_a_close_word_is_suggested():
    assert nearest("campluss", ["ecapa-512", "campplus"]) == "did you mean 'campplus'?"


def test_far_from_all_the_known_words_are_listed_in_order():
    assert nearest("qqqq", iter(["resnet", "ecapa"])) == "known: ecapa, resnet"


def test_no_word_is_known():
    assert nearest("qqqq", []) == "none are defined"


@pytest.mark.parametrize(
    ("number", "kind", "told"),
    [
        (errno.ENOSPC, StorageError, "disk full at runs/a: free some room"),
        (errno.EDQUOT, StorageError, "disk quota used up at runs/a"),
        (errno.EMFILE, StorageError, "`ulimit -n`"),
        (errno.EIO, StorageError, "input/output error at runs/a"),
        (errno.EROFS, PathError, "runs/a: the file system is read-only; mount it for writing"),
        (errno.EACCES, PathError, "runs/a: permission denied; change its rights"),
        (errno.ENOTDIR, PathError, "runs/a: a part of this path is a file"),
        (errno.ENXIO, StorageError, f"runs/a: {os.strerror(errno.ENXIO)}; check the path"),
    ],
)
def test_an_error_of_the_system_names_the_path_and_the_mend(number, kind, told):
    with pytest.raises(kind) as stopped, naming(Path("runs/a")):
        raise OSError(number, os.strerror(number))
    assert told in str(stopped.value)
    assert "\n" not in str(stopped.value)


@pytest.mark.parametrize(
    ("failed", "named"),
    [
        ("runs/.a.x1.part", "runs/a"),
        ("runs/a/inner", "runs/a"),
        ("runs", "runs"),
        ("/other/b", "/other/b"),
    ],
)
def test_a_file_of_its_own_goes_before_the_one_in_use(failed, named):
    error = OSError(errno.EACCES, "Permission denied", failed)
    assert str(file_error(error, Path("runs/a"))).startswith(f"{named}: ")


def test_what_no_user_can_mend_stays_what_it_was():
    assert file_error(OSError("a library's own words")) is None
    with pytest.raises(ValueError, match="a bug"), naming("runs/a"):
        raise ValueError("a bug")


def test_a_path_that_is_no_text_is_refused():
    check_spelled(Path("r\u00e9sultats"))
    with pytest.raises(PathError, match="holds bytes that are no utf-8 text"):
        check_spelled(Path(os.fsdecode(b"r\xff")))


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.ESTALE])
def test_limits_of_the_machine_are_told_from_faults_of_a_file(number):
    with pytest.raises(StorageError, match=r"a\.wav"):
        raise_limit(OSError(number, os.strerror(number)), Path("a.wav"))
    raise_limit(OSError(errno.EACCES, "Permission denied"), Path("a.wav"))
    raise_limit(ValueError("of a library"), Path("a.wav"))


@pytest.mark.parametrize("control", ["\x1b[31m", "\x00", "\r", "\x07", "\x9b2J", "\x7f"])
def test_a_message_obeys_no_control_character_of_a_file(control):
    message = str(DataError(f"scores.txt: line 1: {control!s}é\tü\nline 2"))
    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in message)
    assert not any(0x7F <= ord(letter) < 0xA0 for letter in message)
    assert f"\\x{ord(control[0]):02x}{control[1:]}é\tü\nline 2" in message
