"""Cards of single items, as HTML."""

from __future__ import annotations

from harness.report.cards import Card, Face, browser
from harness.report.contents import Content
from harness.report.text import read_words


def test_a_chinese_comma_stays_with_the_long_name_before_it():
    face = Face("<b>", "character0123456789_0007，drawer<1>，5.1 s", Content(), "key")
    html = browser([Card("title", "note", (face,))], {}, read_words("zh-Hans"), ()).html
    assert 'character0123456789_<span class="kept">0007，</span>drawe' in html
    assert '<span class="kept">r&lt;1&gt;，</span>5.1 s' in html
    assert "<b><b></b>" not in html


def test_a_note_without_chinese_punctuation_is_left_as_it_is():
    face = Face("a", "digit0123, 5.1 s", Content(), "key")
    html = browser([Card("title", "note", (face,))], {}, read_words("en"), ()).html
    assert "<span>digit0123, 5.1 s</span>" in html
