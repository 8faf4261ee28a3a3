"""The words of a report, in the languages it is written in: one file a language.

A file of `languages/` is TOML: a table for each section of the page, and in it a text for each
sentence or label. The text of `[curves] title` has the id `curves.title`. Values stand in braces,
as in `"step {step} of {steps}"`; `code` between backticks stays code.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from harness.board.standing.figures import significant
from harness.errors import RequestError
from harness.records.documents import leaves

ENGLISH = "en"

LANGUAGES = {ENGLISH: "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"}
"""Each language by the tag that HTML has for it, as its readers call it."""

THOUSANDS = ("", "k", "M", "G", "T")
"""Letters of counts: a thousand, a thousand thousands, and so on."""

QUANTITY = re.compile(
    r"(?<=\d) (?=%|(?:s|ms|min|h|[KMGT]iB|[kMG]B|[kMGT]|k?Hz|m?J|W)(?![A-Za-z]))|(?<=<) (?=\d)"
)
"""A space between a number and its unit, or the sign before it."""

BETWEEN = re.compile(r"(?<=[\u3000-\u9fff]) (?=[\u3000-\u9fff])")
"""A space between two Chinese letters."""

ALIASES = {"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-SG": "zh-Hans"} | dict.fromkeys(
    ("zh-TW", "zh-HK", "zh-MO"), "zh-Hant"
)


@dataclass(frozen=True)
class Words:
    """The texts of one language.

    Attributes:
        language: its tag, one of `LANGUAGES`.
        texts: id -> text.
    """

    language: str
    texts: Mapping[str, str]

    def __call__(self, text: str, **values: Any) -> str:
        """Return the text of an id, with the values in its braces.

        Raises:
            KeyError: there is no such text, or it names a value that is not given.
        """
        said = self.texts[text].format(**values)
        # A space parts Latin from Chinese letters in the texts; a Chinese value needs none.
        return BETWEEN.sub("", said) if self.language.startswith("zh") else said

    def get(self, text: str, default: str = "") -> str:
        """Return the text of an id as it is, or a default if there is none."""
        return self.texts.get(text, default)

    def in_order(self, table: str, names: Iterable[str]) -> list[str]:
        """Return names in the order of the texts of a table; those it lacks follow as they came."""
        known = [text for text in self.texts if text.startswith(f"{table}.")]
        places = {text.removeprefix(f"{table}."): place for place, text in enumerate(known)}
        return sorted(names, key=lambda name: places.get(name, len(places)))

    def choose(self, texts: Mapping[str, str]) -> str:
        """Return the text of this language among those that a section brings itself.

        Args:
            texts: language -> text; English is there, and stands in for a language that is not.
        """
        return texts.get(self.language, texts[ENGLISH])


def read_words(language: str) -> Words:
    """Read the texts of a language.

    Args:
        language: a tag of `LANGUAGES`, or one of `ALIASES`.

    Raises:
        RequestError: reports are not written in it.
    """
    tag = ALIASES.get(language, language)
    if tag not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise RequestError(f"--lang {language}: no report is written in it; give one of {known}")
    return Words(tag, _texts(tag))


@cache
def _texts(tag: str) -> dict[str, str]:
    content = (files("harness.report") / "languages" / f"{tag}.toml").read_text("utf-8")
    return {place: str(text) for place, text in leaves(tomllib.loads(content))}


def keep_units(text: str) -> str:
    r"""Return a text whose numbers stay on one line with their units.

    >>> keep_units("9.27 % of 960 in 1.5 GiB and 2 minutes").split(" ")
    ['9.27\xa0%', 'of', '960', 'in', '1.5\xa0GiB', 'and', '2', 'minutes']
    >>> keep_units("a share < 0.1 %")
    'a share <\xa00.1\xa0%'
    """
    return QUANTITY.sub("\u00a0", text)


def short_number(value: float) -> str:
    """Return a number by four digits at most, small and large ones with a short exponent.

    >>> [short_number(each) for each in (0.61234, 240, 1e-05, 4.1667e-05, 12_345_678)]
    ['0.6123', '240', '1e-5', '4.167e-5', '1.235e7']
    """
    return re.sub(r"e([+-])0*", lambda found: f"e{found[1].strip('+')}", f"{value:.4g}")


def short_count(value: float) -> str:
    """Return a count by three digits, with the letter that keeps it between 1 and 1,000.

    >>> short_count(283_264), short_count(7_180_000), short_count(42)
    ('283 k', '7.18 M', '42.0')
    """
    place = min(max(int(math.log10(value) // 3), 0), len(THOUSANDS) - 1) if value > 0 else 0
    return f"{significant(value / 1000**place)} {THOUSANDS[place]}".strip()


def value_text(value: object) -> str:
    """Return a setting as it is, a number without needless zeros.

    >>> value_text(96.0), value_text(1e-3), value_text("adamw"), value_text(True)
    ('96', '0.001', 'adamw', 'True')
    """
    return f"{value:g}" if isinstance(value, float) else str(value)


def duration(seconds: float, words: Words) -> str:
    """Return a time for people.

    >>> [duration(each, read_words("en")) for each in (4.25, 42.4, 200, 2520, 7384)]
    ['4.2 s', '42 s', '3.3 min', '42 min', '2 h 03 min']
    """
    if seconds < 90:
        return words("time.seconds", number=f"{seconds:.{int(seconds < 9.95)}f}")
    minutes = seconds / 60
    if minutes < 90:
        return words("time.minutes", number=f"{minutes:.{int(minutes < 9.95)}f}")
    hours, rest = divmod(round(minutes), 60)
    return words("time.hours", hours=f"{hours:,}", minutes=f"{rest:02}")
