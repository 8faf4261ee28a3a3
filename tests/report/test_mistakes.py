"""Wrongly decided items of classifiers, of published runs."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from harness.config.loader import load
from harness.report.run import Run, find_runs
from harness.report.section import Section, Widget
from harness.report.sections import mistakes
from harness.report.text import read_words
from tests.places import RECORDS

WORDS = read_words("en")


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    records = RECORDS
    names = ("image/quick/digits/efficientnet-b0", "loss/quick/open-impacts/spectrogram-resnet-ghm")
    given = [next(path for path in sorted(records.glob(f"{name}-*.json"))
                  if path.name.count(".") == 1) for name in names]  # fmt: skip
    return find_runs([str(path) for path in given], Path("no-runs"), load(None))


def widget(section: Section | None) -> Widget:
    assert section is not None
    return next(block for block in section.blocks if isinstance(block, Widget))


def test_each_wrong_picture_is_shown_with_its_pixels_the_surest_first(runs):
    section = mistakes.section(runs[:1], WORDS)
    found = widget(section)
    accuracy = runs[0].record.metrics["accuracy"].value
    wrong = round((1 - accuracy) * runs[0].record.dataset.counts["test"]["items"])
    assert found.html.count('<article class="card"') == wrong
    margins = [float(each) for each in re.findall(r"logit ([\d.]+) above", found.html)]
    assert margins == sorted(margins, reverse=True)
    digits = load_digits()
    cards = re.findall(
        r"<h3>(\d), taken for (\d)</h3>.*?digit(\d{4}).*?image/png;base64,([^\"]+)", found.html
    )
    assert len(cards) == wrong
    for true, decided, number, picture in cards:
        assert int(true) == digits.target[int(number)] != int(decided)
        pixels = np.asarray(Image.open(BytesIO(b64decode(picture))), float)
        step = len(pixels) // 8
        expected = digits.images[int(number)] / 16
        np.testing.assert_allclose(pixels[::step, ::step] / 255, expected, atol=1 / 255)


def test_an_object_has_three_cards_at_most(runs):
    section = mistakes.section(runs[1:], WORDS)
    html = widget(section).html
    objects = re.findall(r"impact-\d+-\d+, (object-\d+)</span>", html)
    assert len(objects) == mistakes.MOST[1]
    assert max(map(objects.count, objects)) == 3
    assert "data:audio/flac" in html
    said = [getattr(block, "text", "") for block in section.blocks]
    assert any("passed over" in each and "objects" in each for each in said)


def test_where_all_mistakes_have_room_none_is_passed_over(runs, monkeypatch):
    found = mistakes.decisions(runs[1])
    monkeypatch.setitem(mistakes.MOST, 1, int(found.wrong.sum()))
    section = mistakes.section(runs[1:], WORDS)
    assert widget(section).html.count('<article class="card"') == found.wrong.sum()
    assert not any("passed over" in getattr(block, "text", "") for block in section.blocks)


def test_right_decisions_make_no_section(runs, monkeypatch):
    logits = np.eye(len(runs[0].lists.classes))
    labels = list(runs[0].lists.items["label"])
    right = {"logits": logits[[runs[0].lists.classes.index(label) for label in labels]]}
    monkeypatch.setitem(runs[0].__dict__, "scores", right)
    assert mistakes.section(runs[:1], WORDS) is None
