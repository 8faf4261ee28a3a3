"""The languages of a report: every one has every text, and every text that the code asks for."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from harness.errors import RequestError
from harness.report.sections.curves import meaning
from harness.report.text import LANGUAGES, read_words
from harness.series.scalar_names import SCALARS
from harness.tasks.classification_in_full import ClassificationInFull
from harness.tasks.clustering import Clustering
from harness.tasks.ranking import Ranking
from harness.tasks.verification import Verification
from tests.places import ROOT

CODE = sorted((ROOT / "harness" / "report").rglob("*.py"))
ASSETS = sorted((ROOT / "harness" / "report").rglob("*.html"))
OTHERS = sorted(set(LANGUAGES) - {"en"})


def braces(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_id_and_the_same_values_in_each_text(language):
    english, other = read_words("en").texts, read_words(language).texts
    assert sorted(other) == sorted(english)
    assert {name: braces(text) for name, text in other.items()} == {
        name: braces(text) for name, text in english.items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_are_translated_and_no_text_is_empty(language):
    english, other = read_words("en").texts, read_words(language).texts
    assert [name for name, text in other.items() if not text and name != "page.space"] == []
    sentences = {name for name, text in english.items() if len(text.split()) > 3}
    assert [name for name in sentences if other[name] == english[name]] == []
    # Each script has characters that the other does not: a text in the wrong file shows.
    wrong = {"zh-Hans": "訓練驗證語學習與邊門檻資", "zh-Hant": "训练验证语学习与边门槛资"}[language]
    assert [name for name, text in other.items() if set(text) & set(wrong)] == []


def test_every_text_that_code_or_template_asks_for_is_there():
    texts = read_words("en").texts
    sources = "\n".join(path.read_text(encoding="utf-8") for path in [*CODE, *ASSETS])
    asked = set(re.findall(r'\bwords(?:\.get)?\(\s*"([\w.]+)"', sources))
    assert len(asked) > 60
    assert sorted(asked - texts.keys()) == []
    begun = set(re.findall(r'\bwords(?:\.get)?\(\s*f"([\w.]+)\{', sources))
    assert [start for start in begun if not any(name.startswith(start) for name in texts)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_series_of_a_training_has_its_glossary_line(language):
    words = read_words(language)
    lines = {name: meaning(name, words) for name in SCALARS}
    assert [name for name, line in lines.items() if line == words("glossary.other")] == []


def test_zh_is_the_simplified_script_and_an_unknown_language_names_the_known():
    assert read_words("zh").language == "zh-Hans"
    with pytest.raises(RequestError, match=r"--lang ja: no report.*en, zh-Hans, zh-Hant"):
        read_words("ja")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", [Verification, ClassificationInFull, Ranking, Clustering])
def test_every_metric_of_a_task_has_its_name_and_what_it_is(task, language):
    words = read_words(language)
    assert [
        f"{kind}.{name}"
        for name in task.facts
        for kind in ("metrics", "metric_notes")
        if not words.get(f"{kind}.{name}")
    ] == []
