"""What a section of a report is made of: blocks that a page writes as HTML or as Markdown.

A section is a function that an import path names (`package.module:function`). It gets the runs of
the report and the words of its language, and returns a `Section`, or None if it has nothing true to
say of these runs. Drawing and reading happen within it; it imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.report.run import Run
from harness.report.text import Words


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `quiet` ones are notes for those who want to know more."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names with what they mean or hold, one below the other."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReportTable:
    """A table; its first column names the rows.

    Attributes:
        head: titles of the columns.
        rows: cells, as many as there are titles.
        caption: what it shows, for those who do not see it; shown above it.
        numeric: places of columns that hold numbers, set flush right.
        noted: whether the last column explains the row: a narrow screen shows it below the rest.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: frozenset[int] = frozenset()
    noted: bool = False


@dataclass(frozen=True)
class ReportPicture:
    """A picture: within the page in HTML, a file beside it in Markdown.

    Attributes:
        name: of the file, without its ending; unique within the report.
        content: an SVG, PNG or JPEG file. Its text is English, so that it looks the same wherever
            it is drawn: no font of another script has to be there (see `Section.drawn`).
        alt: what it shows, for those who do not see it.
        caption: below it.
        width: share of the page's width on a wide screen, as 0.5: two stand beside one another.
    """

    name: str
    content: bytes
    alt: str
    caption: str = ""
    width: float = 1.0


@dataclass(frozen=True)
class Widget:
    """Something of a page that Markdown cannot hold: filters, players.

    Attributes:
        html: its markup, as trusted as the code that made it: escape what comes from elsewhere.
        style: rules of a style sheet, each below a class of the section's own.
        script: a program that the page runs once it is loaded, in a scope of its own.
        instead: what Markdown shows in its place.
    """

    html: str
    style: str = ""
    script: str = ""
    instead: tuple[Block, ...] = ()


Block = Paragraph | Bullets | Facts | ReportTable | ReportPicture | Widget


@dataclass(frozen=True)
class Section:
    """A section of a report.

    Attributes:
        key: its anchor: letters, digits and hyphens, unique within the report.
        title: its heading.
        blocks: what stands below the heading, from top to bottom.
        drawn: English words in its pictures, ids of the table `drawn` or `groups` of the languages:
            a page of another language explains those that it calls otherwise.
    """

    key: str
    title: str
    blocks: tuple[Block, ...] = field(default=())
    drawn: tuple[str, ...] = ()


Maker = Callable[[Sequence[Run], Words], Section | None]
"""What an import path names: makes the section of some runs in a language."""
