"""Cards of single trials or items, with their pictures and players, and filters above them.

The page's program shows those that the filters ask for; without it all are there. A sound that
several cards play is in the page once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from markupsafe import Markup, escape

from harness.report.contents import Content
from harness.report.section import Block, Widget
from harness.report.text import Words


@dataclass(frozen=True)
class Face:
    """One item on a card.

    Attributes:
        name: what it is, as its speaker or its label.
        note: further words on it.
        content: what is seen and heard of it.
        key: the item's place, the same wherever it is shown.
    """

    name: str
    note: str
    content: Content
    key: str


@dataclass(frozen=True)
class Card:
    """A trial or an item that was judged wrongly.

    Attributes:
        title: what went wrong.
        note: by how much, and for whom.
        faces: the items.
        values: filter -> the value by which this card is found.
    """

    title: str
    note: str
    faces: tuple[Face, ...]
    values: Mapping[str, str] = field(default_factory=dict)


def browser(
    cards: Sequence[Card], filters: Mapping[str, str], words: Words, instead: Sequence[Block]
) -> Widget:
    """Return cards under their filters.

    Args:
        cards: in the order of the page.
        filters: name -> label; one whose cards all have one value is left out.
        words: of the page's language.
        instead: what Markdown shows.
    """
    longest = max((face.content.seconds for card in cards for face in card.faces), default=0.0)
    chosen = [
        _filter(
            name, label, list(dict.fromkeys(card.values.get(name, "") for card in cards)), words
        )
        for name, label in filters.items()
    ]
    sounds = {face.key: face.content.sound for card in cards for face in card.faces}
    held = [
        Markup('<audio data-key="{}" preload="none" src="{}"></audio>').format(key, sound)
        for key, sound in sounds.items()
        if sound
    ]
    html = Markup(
        '<div class="browser"><div class="filters">{}<output data-told="{}"></output></div>'
        '<div class="cards">{}</div><div hidden>{}</div></div>'
    ).format(
        Markup("").join(chosen),
        words("cards.shown"),
        Markup("").join(_card(card, longest, words) for card in cards),
        Markup("").join(held),
    )
    assets = files("harness.report") / "assets"
    style, script = ((assets / f"cards.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return Widget(str(html), style, script, tuple(instead))


def _filter(name: str, label: str, values: Sequence[str], words: Words) -> Markup:
    if len(values) < 2:
        return Markup()
    options = [Markup('<option value="">{}</option>').format(words("cards.all"))]
    options += [Markup("<option>{}</option>").format(value) for value in values]
    return Markup('<label>{} <select data-by="{}">{}</select></label>').format(
        label, name, Markup("").join(options)
    )


def _card(card: Card, longest: float, words: Words) -> Markup:
    data = Markup("").join(
        Markup(' data-{}="{}"').format(Markup(escape(name)), value)
        for name, value in card.values.items()
    )
    faces = Markup("").join(_face(face, longest, words) for face in card.faces)
    return Markup('<article class="card"{}><h3>{}</h3><p>{}</p>{}</article>').format(
        data, card.title, card.note, faces
    )


def _face(face: Face, longest: float, words: Words) -> Markup:
    content, shown = face.content, Markup()
    if content.lacking:
        shown = Markup("<p>{}</p>").format(words("cards.lacking", reason=content.lacking))
    elif content.picture and content.seconds:
        width = round(100 * content.seconds / longest, 1)
        alt = words("cards.spectrogram", name=face.name)
        shown = Markup(
            '<img class="heard" style="width:{}%" src="{}" alt="{}" loading="lazy">'
        ).format(width, content.picture, alt)
    elif content.picture:
        shown = Markup('<img class="seen" src="{}" alt="{}" loading="lazy">').format(
            content.picture, words("cards.picture", name=face.name)
        )
    if content.sound:
        shown += Markup(
            '<audio controls preload="none" data-of="{}" aria-label="{}"></audio>'
        ).format(face.key, words("cards.play", name=face.name))
    return Markup("<figure><figcaption><b>{}</b> <span>{}</span></figcaption>{}</figure>").format(
        face.name, _with_marks(face.note), shown
    )


def _with_marks(text: str) -> Markup:
    """Return a text whose Chinese commas stay with the letters before them.

    A long file name may be broken anywhere, and so before the comma that follows it.
    """
    parts = re.split(r"(\S{1,4}[，；：、])", text)
    return Markup("").join(
        Markup('<span class="kept">{}</span>').format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )
