"""A report's page, as one HTML file that needs nothing else, or as Markdown with its pictures."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from harness import __version__
from harness.board.site.templates import html_environment
from harness.board.standing.figures import one_line
from harness.board.writing.markdown import escape
from harness.config.imports import load_class, load_function
from harness.errors import RequestError
from harness.records.files import write_bytes, write_text
from harness.report.block_markdown import markdown
from harness.report.media import data_address
from harness.report.run import Run
from harness.report.section import (
    Block,
    Bullets,
    Facts,
    Maker,
    Paragraph,
    ReportPicture,
    ReportTable,
    Section,
    Widget,
)
from harness.report.table_shape import names_its_cells, table_classes
from harness.report.text import ENGLISH, Words, keep_units, read_words

FIRST = (
    "harness.report.sections.head:section",
    "harness.report.sections.conclusions:section",
    "harness.report.sections.health:section",
    "harness.report.sections.overview:section",
    "harness.report.sections.claims:section",
    "harness.report.sections.gradients:section",
    "harness.report.sections.curves:section",
    "harness.report.sections.vectors:section",
)
LAST = ("harness.report.sections.resources:section",)
"""Sections of every report; those that the runs' tasks name stand between them."""

STYLES = ("board/site/assets/look.css", "board/site/assets/table.css", "report/assets/report.css")
PRINT = "board/site/assets/print.css"
SCRIPTS = ("board/site/assets/theme.js", "report/assets/report.js")
KINDS: dict[type[Block], str] = {
    Paragraph: "paragraph",
    Bullets: "bullets",
    Facts: "facts",
    ReportTable: "table",
    ReportPicture: "picture",
    Widget: "widget",
}
"""Blocks by the names that the page's template has for them."""


@dataclass(frozen=True)
class Report:
    """A report: some runs, and what is said of them in one language.

    Attributes:
        title: of the page.
        words: of its language.
        sections: from top to bottom.
        made: id of the text that says what the page was made from.
    """

    title: str
    words: Words
    sections: tuple[Section, ...]
    made: str = "page.made"


def make_report(runs: Sequence[Run], words: Words) -> Report:
    """Make every section that has something to say of the runs.

    Raises:
        ConfigError: a task, or a section that it names, cannot be imported.
    """
    makers = [_maker(path) for path in section_paths(runs)]
    made = (maker(runs, words) for maker in makers)
    title = words("page.title", runs=words("page.and").join(run.name for run in runs))
    sections = (explained(section, words) for section in made if section is not None)
    made_of = "page.made" if any(run.record for run in runs) else "page.made_of_logs"
    return Report(title, words, tuple(sections), made_of)


def explained(section: Section, words: Words) -> Section:
    """Return a section with a line on the English words in its pictures, if it needs one."""
    english, pairs = read_words(ENGLISH), list[str]()
    for each in dict.fromkeys(section.drawn):
        text = f"drawn.{each}" if words.get(f"drawn.{each}") else f"groups.{each}"
        if words.get(text) != english.get(text):
            pairs.append(f"`{english(text)}` {words(text)}")
    places = [n for n, block in enumerate(section.blocks) if isinstance(block, ReportPicture)]
    if not pairs or not places:
        return section
    line = Paragraph(words("page.drawn", words=words("page.semicolon").join(pairs)), quiet=True)
    before, after = section.blocks[: places[0]], section.blocks[places[0] :]
    return replace(section, blocks=(*before, line, *after))


def section_paths(runs: Sequence[Run]) -> list[str]:
    """Return the import paths of the sections of a report, in their order, each once."""
    tasks = [load_class(run.record.protocol.task, "task") for run in runs if run.record]
    own = [path for task in tasks for path in getattr(task, "sections", ())]
    return list(dict.fromkeys([*FIRST, *own, *LAST]))


def _maker(path: str) -> Maker:
    maker: Maker = load_function(path, "sections")
    return maker


def html_page(report: Report) -> str:
    """Return the report as one HTML file: style sheet, pictures and programs are within it."""
    widgets = [each for section in report.sections for each in _widgets(section.blocks)]
    scripts = [_asset(name) for name in SCRIPTS]
    scripts += [f"(() => {{\n{each}\n}})();" for each in dict.fromkeys(w.script for w in widgets)]
    style = [_asset(name) for name in STYLES]
    style += [*dict.fromkeys(each.style for each in widgets), _asset(PRINT)]
    program = "\n" + "\n".join(filter(None, scripts)) + "\n"
    allowed = b64encode(sha256(program.encode()).digest()).decode()
    template = _environment().get_template("page.html")
    page = template.render(
        report=report,
        words=report.words,
        version=__version__,
        style=Markup("\n".join(filter(None, style))),
        program=Markup(program),
        allowed=allowed,
    )
    return page.rstrip("\n") + "\n"


def markdown_page(report: Report, pictures: str) -> tuple[str, dict[str, bytes]]:
    """Return the report as Markdown, and its pictures by their paths beside it.

    Args:
        report: the report.
        pictures: name of the folder of pictures.
    """
    blocks, held = [f"# {escape(report.title)}"], dict[str, bytes]()
    for section in report.sections:
        blocks.append(f"## {escape(section.title)}")
        for block in section.blocks:
            blocks += markdown(block, pictures, held, report.words("page.colon"))
    return "\n\n".join(blocks) + "\n", held


def write_report(report: Report, place: Path, *, with_markdown: bool) -> list[Path]:
    """Write the report's files.

    Args:
        report: the report.
        place: a file that ends in `.html`, or a folder for `report.html`.
        with_markdown: whether to write `report.md` and its pictures too, beside the page.

    Returns:
        The files, the page first.

    Raises:
        RequestError: the place names another kind of file.
    """
    page = place if place.suffix == ".html" else place / "report.html"
    if place.suffix != ".html" and place.is_file():
        raise RequestError(f"{place}: is a file; give a folder, or a file that ends in .html")
    write_text(page, html_page(report))
    written = [page]
    if with_markdown:
        text, pictures = markdown_page(report, f"{page.stem}-pictures")
        for path, content in pictures.items():
            write_bytes(page.parent / path, content)
        write_text(page.with_suffix(".md"), text)
        written += [page.with_suffix(".md"), *(page.parent / path for path in pictures)]
    return written


@cache
def _asset(name: str) -> str:
    return (files("harness") / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    filters = {"inline": _inline, "groups": _groups, "data": data_address}
    filters |= {"classes": table_classes, "names_its_cells": names_its_cells}
    return html_environment("harness.report", "assets", filters)


def _inline(text: str) -> Markup:
    """Return a text as HTML, on one line; what stands between backticks is code."""
    parts = one_line(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(_options(part)) if place % 2 else keep_units(part)
        for place, part in enumerate(parts)
    )


def _options(code: str) -> Markup:
    """Return code whose `--options` are not broken after their hyphens."""
    parts = re.split(r"((?<!\S)--[\w-]+)", code)
    return Markup("").join(
        Markup("<span>{}</span>").format(part) if place % 2 else part
        for place, part in enumerate(parts)
    )


def _groups(blocks: Sequence[Block]) -> Iterator[tuple[str, list[Block]]]:
    """Yield each block with its kind; narrow pictures that follow one another are one gallery."""
    for kind, together in groupby(blocks, _kind):
        if kind == "gallery":
            yield kind, list(together)
        else:
            yield from ((kind, [block]) for block in together)


def _kind(block: Block) -> str:
    is_narrow = isinstance(block, ReportPicture) and block.width < 1
    return "gallery" if is_narrow else KINDS[type(block)]


def _widgets(blocks: Sequence[Block]) -> Iterator[Widget]:
    return (block for block in blocks if isinstance(block, Widget))
