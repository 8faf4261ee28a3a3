"""Errors a user can mend, and the nearest known word."""

import pytest

from harness.errors import (
    ConfigError,
    CorpusAbsent,
    DataError,
    HarnessError,
    JobFailed,
    LockError,
    RequestError,
    nearest,
)


@pytest.mark.parametrize("kind", [ConfigError, CorpusAbsent, DataError, LockError])
def test_a_wrong_request_is_told_from_a_failed_job(kind):
    assert issubclass(kind, RequestError)
    assert not issubclass(JobFailed, RequestError)
    assert issubclass(JobFailed, HarnessError)


def test_a_close_word_is_suggested():
    assert nearest("campluss", ["ecapa-512", "campplus"]) == "did you mean 'campplus'?"


def test_far_from_all_the_known_words_are_listed_in_order():
    assert nearest("qqqq", iter(["resnet", "ecapa"])) == "known: ecapa, resnet"


def test_no_word_is_known():
    assert nearest("qqqq", []) == "none are defined"


@pytest.mark.parametrize("control", ["\x1b[31m", "\x00", "\r", "\x07", "\x9b2J", "\x7f"])
def test_a_message_obeys_no_control_character_of_a_file(control):
    message = str(DataError(f"scores.txt: line 1: {control!s}é\tü\nline 2"))
    assert not any(ord(letter) < 32 and letter not in "\t\n" for letter in message)
    assert not any(0x7F <= ord(letter) < 0xA0 for letter in message)
    assert f"\\x{ord(control[0]):02x}{control[1:]}é\tü\nline 2" in message
