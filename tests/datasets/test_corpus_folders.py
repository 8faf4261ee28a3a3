"""Where a corpus is looked for."""

import pytest

from harness.config.datasets import Dataset
from harness.datasets.corpus_folders import Absence, absence_lines, locate


def dataset(path, source=""):
    return Dataset(adapter="a:B", licence="none", path=str(path), source=source)


@pytest.fixture
def places(tmp_path):
    root, beside = tmp_path / "root", tmp_path / "beside"
    for folder in (root, beside):
        (folder / "corpus").mkdir(parents=True)
    return root, beside


def test_the_variable_comes_before_the_benchmarks_folder(places, monkeypatch):
    root, beside = places
    assert locate("d", dataset("corpus"), beside) == beside / "corpus"
    monkeypatch.setenv("HARNESS_DATA", str(root))
    assert locate("d", dataset("corpus"), beside) == root / "corpus"


def test_the_variable_may_be_relative_to_the_current_folder(places, monkeypatch):
    root, beside = places
    monkeypatch.chdir(root.parent)
    monkeypatch.setenv("HARNESS_DATA", "root")
    assert locate("d", dataset("corpus"), beside) == root / "corpus"


def test_an_absolute_folder_is_looked_for_there_alone(places, monkeypatch):
    root, beside = places
    monkeypatch.setenv("HARNESS_DATA", str(root))
    assert locate("d", dataset(beside / "corpus"), root) == beside / "corpus"
    missing = locate("d", dataset(beside / "none"), root)
    assert isinstance(missing, Absence)
    assert missing.looked == (str(beside / "none"),)


def test_a_folder_below_the_users_own(places, monkeypatch):
    root, beside = places
    monkeypatch.setenv("HOME", str(root))
    assert locate("d", dataset("~/corpus"), beside) == root / "corpus"


def test_a_file_is_not_a_corpus(places):
    root, _ = places
    (root / "file").touch()
    assert isinstance(locate("d", dataset("file"), root), Absence)


def test_an_absent_corpus_says_where_it_was_looked_for_and_where_to_get_it(places):
    root, _ = places
    message = locate("d", dataset("none", "https://example.org"), root).message()
    assert str(root / "none") in message
    assert "$HARNESS_DATA is not set" in message
    assert "https://example.org" in message


def test_where_the_variable_is_set_it_is_not_asked_for(places, monkeypatch):
    root, beside = places
    monkeypatch.setenv("HARNESS_DATA", str(root))
    found = locate("d", dataset("none"), beside)
    assert found.looked == (str(root / "none"), str(beside / "none"))


def test_several_absences_share_their_mend():
    absent = [
        Absence("a", ("/x", "/y"), "https://example.org"),
        Absence("b", ("/z",), "", "Do so."),
    ]
    lines = absence_lines([*absent, Absence("c", ("/x",), "")])
    assert lines == [
        "absent: a: looked for /x, /y; get it from https://example.org",
        "absent: b: looked for /z",
        "absent: c: looked for /x",
        absent[0].mend,
        "Do so.",
    ]
    assert absence_lines([]) == []
