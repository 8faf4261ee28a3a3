"""The leaderboard of one night: pages of its tables beside the night before, and what moved.

The pages lie on the branch of the nightly job alone. They are made of the night's records, which
are not published, so nobody can make them again from published files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.board.publishing.local_records import file_record
from harness.board.record_paths import slug
from harness.board.site.templates import assets, page
from harness.board.site.views import change_view, summary
from harness.board.site.views import section as site_section
from harness.board.standing.curve_axes import curves_of
from harness.board.standing.table import Table, tables
from harness.board.versions.changelog import change_log
from harness.board.writing.markdown import escape, link, section
from harness.errors import RequestError
from harness.records.documents import sha256
from harness.records.files import write_text
from harness.registry.history.line_chain import read_history, record_files
from harness.registry.history.night_changes import Night, TableNight, headline
from harness.registry.history.night_page import PAGE as HISTORY_PAGE

FOLDER = "nightly"
"""Below the folder of published tables."""

SITE = "site"

VERDICTS = link("docs/nightly.md", "../../docs/nightly.md")


@dataclass(frozen=True)
class SuiteNight:
    """The tables of one suite on one night, each with its comparisons."""

    name: str
    title: str
    night: str
    tables: tuple[tuple[Table, tuple[TableNight, ...]], ...]

    @property
    def nights(self) -> list[TableNight]:
        """The comparisons of all tables."""
        return [each for _, compared in self.tables for each in compared]

    @property
    def moved_blocks(self) -> list[str]:
        """What moved, table by table, as blocks of Markdown under headings of the third level."""
        return [
            block
            for each in self.nights
            for block in change_log([each.log]) + ["No figure moved."] * each.is_still
        ]


def compare_night(runs: Path, folder: Path, night: str) -> list[SuiteNight]:
    """Compare the records of one night with the night before, by the lines of the history.

    Args:
        runs: the night's runs folder; the latest attempt of each job is taken.
        folder: the published tables, whose history has the lines of these records.
        night: the night, as 2026-11-21.

    Raises:
        RequestError: there is no record or no history, or the history has no line of a record.
    """
    paths = record_files(runs)
    history = [line for lines in read_history(folder).values() for line in lines]
    lines = {line.record for line in history if line.night == night}
    filed, sources = [], {}
    for path in paths:
        found = file_record(path)
        sources[id(found.record)] = sha256(path.read_bytes())
        if sources[id(found.record)] not in lines:
            raise RequestError(
                f"{path}: the history has no line of it on {night}; "
                f"`harness history add --night {night}` adds it"
            )
        filed.append(found)
    compared, suites = Night(history, night), dict[str, list[Table]]()
    for table in tables(filed):
        suites.setdefault(table.protocol.suite, []).append(table)
    return [_suite_night(name, of, compared, sources) for name, of in suites.items()]


def _suite_night(
    name: str, of: Sequence[Table], night: Night, sources: Mapping[int, str]
) -> SuiteNight:
    title = of[0].protocol.suite_title or name
    held = tuple((table, tuple(night.compare(table, sources))) for table in of)
    return SuiteNight(name, title, night.night, held)


def write_night(suites: Sequence[SuiteNight], folder: Path) -> list[Path]:
    """Write a page for each suite of a night, and the same for the site.

    Pages of suites that the night did not run stay as they are.

    Returns:
        The files written.
    """
    own = folder / FOLDER
    texts = {f"{slug(suite.name)}.md": suite_page(suite) for suite in suites}
    known = sorted({path.stem for path in own.glob("*.md")} | {Path(name).stem for name in texts})
    for suite in suites:
        texts[f"{SITE}/{slug(suite.name)}.html"] = site_page(suite, known)
    texts |= {f"{SITE}/{name}": text for name, text in assets().items()}
    for name, text in texts.items():
        write_text(own / name, text)
    return [own / name for name in texts]


def suite_page(suite: SuiteNight) -> str:
    """Return the page of a suite's night, as Markdown."""
    curves = {curve.host: curve for curve in curves_of([table for table, _ in suite.tables])}
    html = f"{SITE}/{slug(suite.name)}.html"
    blocks = [
        f"# {escape(suite.title)}: night of {suite.night}",
        f"Generated from the night's records and the {link('history', f'../{HISTORY_PAGE}')} by "
        f"`harness history board`: do not edit this page. What a verdict means is told in "
        f"{VERDICTS}. The same tables as {link('a page that sorts and filters', html)}.",
        "## What moved",
        *suite.moved_blocks,
    ]
    for table, compared in suite.tables:
        blocks.append(section(table, curve=curves.get(table)).rstrip("\n"))
        blocks += change_log(each.beside for each in compared)
    return "\n\n".join(blocks) + "\n"


def site_page(suite: SuiteNight, known: Sequence[str]) -> str:
    """Return the page of a suite's night for the site.

    Args:
        suite: the suite.
        known: names of the suites' pages.
    """
    shown = [
        {
            "summary": summary(table),
            "html": site_section(table, {}, (), changed=False),
            "moved": [(change_view(each.log), each.is_still) for each in compared],
            "beside": [change_view(each.beside) for each in compared],
        }
        for table, compared in suite.tables
    ]
    return page("night.html", suite=suite, own=slug(suite.name), known=known, tables=shown)


def pull_request_text(suites: Sequence[SuiteNight]) -> str:
    """Return the text of a pull request that takes in a night's history, as Markdown."""
    nights = [each for suite in suites for each in suite.nights]
    blocks = [
        f"# Night of {suites[0].night}: {headline(nights)}",
        "Each table against its last night before. Verdicts are those of `harness history judge`; "
        "`docs/nightly.md` explains them.",
    ]
    for suite in suites:
        where = f"leaderboards/{FOLDER}/{slug(suite.name)}.md"
        blocks += [f"## {escape(suite.title)}", f"Tables: `{where}` on the nightly branch."]
        blocks += suite.moved_blocks
    return "\n\n".join(blocks) + "\n"
