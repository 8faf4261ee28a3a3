"""Names and texts: what acts, hides or passes for another is refused with its reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.board.record_paths import is_record
from harness.board.writing.markdown import escape
from harness.records.names import looks, wrong_name, wrong_text, wrong_texts
from harness.records.record_files import read_record
from tests.places import RECORDS


def test_every_published_text_is_fit_and_no_two_entries_look_alike() -> None:
    records = [read_record(path) for path in RECORDS.rglob("*.json") if is_record(path.name)]
    assert len(records) >= 70
    assert [line for record in records for line in wrong_texts(record)] == []
    entries = sorted({record.entry for record in records})
    alike = [(a, b) for a in entries for b in entries if a < b and looks(a) & looks(b)]
    assert alike == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "give 1 to 100 characters"),
        ("   ", "give 1 to 100 characters"),
        ("a" * 101, "at most 100 characters, and it has 101"),
        ("a\nb", "one line of text"),
        (" a", "no blanks around it"),
        ("evil\u202ecod", "letters that cannot be seen"),
        ("evil\u2066cod", "letters that cannot be seen"),
        ("ec\u200bapa", "letters that cannot be seen"),
        ("ec\u00adapa", "letters that cannot be seen"),
        ("a\x1b[31m", "letters that cannot be seen"),
        ("\ud800", "letters that cannot be seen"),
        ("ecapa\ufe0f", "'\\ufe0f' cannot be seen"),
        ("ecapa\u3164", "'\\u3164' cannot be seen"),
        ("a\u0300\u0301\u0302\u0303", "three marks on one letter"),
        ("best of @everyone", "'@e' calls somebody"),
        ("https://a.example", "'https://' makes an address"),
        ("see www.a.example", "'www.' makes an address"),
        ("JavaScript:alert(1)", "'JavaScript:' makes an address"),
        ("me@a.example", "'e@a.e' makes an address"),
        ("e\u0441apa", "of several scripts"),
        ("\u0395CAPA", "of several scripts"),
    ],
)
def test_an_unfit_name_is_told_why(name: str, said: str) -> None:
    assert said in wrong_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "ecapa-512 + aam",
        "ResNet293 (VoxCeleb2)",
        "P@1 tuned",
        "systèmes à Genève",
        "系統一",
        "Система 3",
        "C++ & <b>",
        "[a](b) `c` | d",
        "EER: 1.2 %",
    ],
)
def test_a_fit_name_stays(name: str) -> None:
    assert wrong_name(name) == ""


def test_an_address_is_fit_for_a_source_alone() -> None:
    source = "A paper, https://a.example/x"
    assert wrong_text(source, is_source=True) == ""
    assert "makes an address" in wrong_text(source)
    assert "makes an address" in wrong_text("javascript://a.example", is_source=True)
    assert "calls somebody" in wrong_text("https://a.example by @a", is_source=True)


@pytest.mark.parametrize(
    "name",
    [
        "есара-512 + ааm",
        "ＥＣＡＰＡ-512 + aam",
        "ECAPA-512 + AAM",
        "ecapa-5l2 + aam",
        "ecapa-5I2 + aam",
        "ecapa 512+aam",
        "ecapa_512 + aam",
        "ecapa\u2011512 + aarn",
    ],
)
def test_what_looks_like_an_entry_shares_its_look(name: str) -> None:
    assert looks(name) & looks("ecapa-512 + aam")


@pytest.mark.parametrize("name", ["ecapa-1024 + aam", "ecapa-512", "ecapa-512 + softmax", "CAM++"])
def test_other_names_look_otherwise(name: str) -> None:
    assert not looks(name) & looks("ecapa-512 + aam")
    assert not looks(name) & looks("CAM")


@given(st.text(max_size=40))
def test_every_text_has_a_look_and_a_verdict(text: str) -> None:
    assert looks(text) == looks(text)
    wrong_name(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("@somebody", "@<!-- -->somebody"),
        ("a@b.example", "a@<!-- -->b.example"),
        ("https://a.example", "https:<!-- -->//a.example"),
        ("WWW.a.example", "WWW<!-- -->.a.example"),
        ("a @ b: c", "a @ b: c"),
    ],
)
def test_what_github_would_act_on_is_parted(text: str, shown: str) -> None:
    assert escape(text) == shown
