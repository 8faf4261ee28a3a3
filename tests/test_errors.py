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
