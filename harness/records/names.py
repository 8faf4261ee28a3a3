"""Names and texts that people read in tables: nothing in them acts, hides or passes for another.

A name stands in Markdown that GitHub renders, on pages, in a terminal. There an address becomes a
link and `@somebody` a message to somebody; letters that cannot be seen, that turn the direction of
a line, or that look like others make two names look as one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from harness.records.record import Record

LONGEST_NAME = 100
LONGEST_TEXT = 1_000

_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://|\bwww\.|\b(?:javascript|data|vbscript|mailto):|\w@\w+\.\w", re.IGNORECASE
)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)@[a-z]", re.IGNORECASE)
_STACKED = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3}")

# Python calls these printable, and they show nothing: joiners, fillers, variation selectors, the
# empty Braille cell. (Unicode: Default_Ignorable_Code_Point, but for U+2800.)
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ACTING = {
    _UNSEEN: "cannot be seen; leave it out",
    _MENTION: "calls somebody; leave the @ out",
    _ADDRESS: "makes an address, which only a source is",
}
"""What no text holds, and what is said of it."""

_PARTING = re.compile(r"[\s_-]+")


def wrong_text(text: str, *, is_source: bool = False, longest: int = LONGEST_TEXT) -> str:
    """Return the reason why a text is unfit for a table; empty if it is fit.

    Args:
        text: one line.
        is_source: True where it tells of a source, which may be an address of the web.
        longest: characters that it may have.

    >>> wrong_text("ask @everyone"), wrong_text("see https://a.example")
    ("'@e' calls somebody; leave the @ out", "'https://' makes an address, which only a source is")
    >>> wrong_text("https://a.example", is_source=True)
    ''
    """
    if len(text) > longest:
        return f"at most {longest:,} characters, and it has {len(text):,}"
    if not text.isprintable() or text != text.strip():
        return "one line of text, no blanks around it and no letters that cannot be seen"
    if _STACKED.search(unicodedata.normalize("NFD", text)):
        return "three marks on one letter cover the lines above; leave them out"
    for acting, said in _ACTING.items():
        if found := acting.search(_WEB.sub("", text) if is_source else text):
            return f"{found[0]!a} {said}"
    return ""


def wrong_name(name: str) -> str:
    """Return the reason why a text is unfit for a name; empty if it is fit.

    >>> wrong_name("e\u0441apa")  # the second letter is Cyrillic
    'its letters are of several scripts and look alike; write it in one script'
    """
    if not name.strip():
        return f"give 1 to {LONGEST_NAME} characters"
    if reason := wrong_text(name, longest=LONGEST_NAME):
        return reason
    from confusable_homoglyphs import confusables  # type: ignore[import-untyped]

    if not name.isascii() and confusables.is_dangerous(name, preferred_aliases=["latin"]):
        return "its letters are of several scripts and look alike; write it in one script"
    return ""


def wrong_texts(record: Record) -> Iterator[str]:
    """Name every text of a record that is unfit for a table, by its place."""
    data, protocol, given = record.dataset, record.protocol, record.submission
    names = {
        "model.name": record.model.name,
        "loss.name": record.loss.name if record.loss else None,
        "recipe_name": record.recipe_name,
        "track": record.track,
        "dataset.name": data.name,
        "protocol.suite": protocol.suite,
        "protocol.profile": protocol.profile,
    }
    texts = {
        "protocol.suite_title": protocol.suite_title,
        "dataset.title": data.title,
        "dataset.licence": data.licence,
        "dataset.unit": data.unit,
        "selected_on": record.selected_on,
        "resources.macs_input": record.resources.macs_input,
        "resources.throughput_unit": record.resources.throughput_unit,
        **{f"protocol.facts.{name}": facts.title for name, facts in protocol.facts.items()},
        **{f"metrics.{name}.unit": metric.unit for name, metric in record.metrics.items()},
        **{f"notes.{number}": note for number, note in enumerate(record.notes)},
    }
    sources = {"dataset.source": data.source}
    if record.environment is not None:
        texts |= {
            f"environment.{name}": getattr(record.environment, name)
            for name in ("device", "processor", "python", "platform")
        }
    if given is not None:
        texts |= {"submission.submitter": given.submitter, "submission.system": given.system}
        sources["submission.source"] = given.source
    told = [
        *((place, wrong_name(text)) for place, text in names.items() if text is not None),
        *((place, wrong_text(text)) for place, text in texts.items()),
        *((place, wrong_text(text, is_source=True)) for place, text in sources.items()),
    ]
    return (f"{place}: {reason}" for place, reason in told if reason)


def looks(name: str) -> frozenset[str]:
    """Return what a name looks like: names that share one of these can pass for each other.

    Letters are compared by Unicode's table of confusables (UTS 39, `skeleton`) after NFKC, before
    and after case is folded; blanks, hyphens and the like between words are passed over.

    >>> looks("ECAPA 5l2") & looks("ecapa-512") != frozenset()
    True
    >>> looks("ecapa-512") & looks("ecapa-1024")
    frozenset()
    """
    text = unicodedata.normalize("NFKC", name)
    seen = (_skeleton(text).casefold(), _skeleton(text.casefold()).casefold())
    return frozenset(_PARTING.sub("", unicodedata.normalize("NFKC", each)) for each in seen)


def _skeleton(text: str) -> str:
    return "".join(map(_prototype, text))


@cache
def _prototype(letter: str) -> str:
    """Return what stands for all letters that look like one; the library's table is symmetric."""
    from confusable_homoglyphs import confusables

    table: dict[str, list[dict[str, str]]] = confusables.confusables_data
    alike = [each["c"].strip("\u200e") for each in table.get(letter, ())]
    if len(alike) != 1:
        return letter
    # Of two that only look like each other either may stand for both.
    back = [each["c"] for each in table.get(alike[0], ())]
    return min(letter, alike[0]) if back == [letter] else alike[0]
