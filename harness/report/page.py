"""A report's page, as one HTML file that needs nothing else, or as Markdown with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.report.run import Run
from harness.report.section import Section
from harness.report.text import Words

FIRST = (
    "harness.report.sections.head:section",
    "harness.report.sections.conclusions:section",
    "harness.report.sections.curves:section",
)
LAST = ("harness.report.sections.costs:section",)
"""Sections of every report; those that the runs' tasks name stand between them."""


@dataclass(frozen=True)
class Report:
    """A report: some runs, and what is said of them in one language."""

    title: str
    words: Words
    sections: tuple[Section, ...]


def make_report(runs: Sequence[Run], words: Words) -> Report:
    """Make every section that has something to say of the runs.

    Raises:
        ConfigError: a task names a section that cannot be imported.
    """
    raise NotImplementedError


def html_page(report: Report) -> str:
    """Return the report as one HTML file: style sheet, pictures and programs are within it."""
    raise NotImplementedError


def markdown_page(report: Report, pictures: str) -> tuple[str, dict[str, bytes]]:
    """Return the report as Markdown, and its pictures by their paths beside it.

    Args:
        report: the report.
        pictures: name of the folder of pictures.
    """
    raise NotImplementedError


def write_report(report: Report, place: Path, *, markdown: bool) -> list[Path]:
    """Write the report's files; returns them, the page first."""
    raise NotImplementedError
