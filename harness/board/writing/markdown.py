"""Tables as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import tabulate as tabulating

from harness.board.standing.curve import TablesCurve
from harness.board.standing.figures import UNKNOWN, one_line
from harness.board.standing.table import Table
from harness.board.writing.axis_words import axis_words, curve_title
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.captions import folded_footnotes, head, title
from harness.board.writing.claims_text import TITLE as CLAIMS_TITLE
from harness.board.writing.claims_text import claim_sentences
from harness.board.writing.curve_chart import curve_digits
from harness.board.writing.curve_text import crossing_grid, curve_grid, curve_notes
from harness.board.writing.efficiency import (
    Efficiency,
    efficiencies,
    efficiency_grid,
    efficiency_notes,
)
from harness.board.writing.entry_grids import cost_grids, full_grid, short_grid
from harness.board.writing.entry_notes import row_footnotes
from harness.board.writing.grids import Cell, Grid, TextPiece
from harness.board.writing.recipe_claims_text import TITLE as RECIPES_TITLE
from harness.board.writing.recipe_claims_text import recipe_sentences
from harness.board.writing.reference_tables import ELSEWHERE, reference_grid, reference_notes
from harness.board.writing.references import ReferenceGroup
from harness.board.writing.summary import curve_summary, lead, table_summary
from harness.records.details_schema import Details
from harness.records.documents import digest

# Otherwise the padding, and so the bytes, depend on whether wcwidth happens to be installed.
tabulating.WIDE_CHARS_MODE = False

CURVE = "curve"
"""The picture of a curve among those of a table's environments."""

_LINKING = re.compile(r"(@(?=[^\W\d])|(?<!\w)@(?=\d)|:(?=//)|\bwww(?=\.))", re.IGNORECASE)
_ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")


def section(
    table: Table,
    pictures: Mapping[str, str] | None = None,
    references: Sequence[ReferenceGroup] = (),
    details: Mapping[str, Details] | None = None,
    curve: TablesCurve | None = None,
) -> str:
    """Return one table with its heading, head and footnotes, as a section of a page.

    What most readers ask for is open: who leads, eight columns, and what single entries need to be
    said of. All else is folded.

    Args:
        table: the table.
        pictures: environment's digest -> path of the picture of its efficiency; none for a page
            without pictures.
        references: published figures of others on its dataset.
        details: path of a record, as it is filed -> the details beside it.
        curve: that stands above the table; None for another table.
    """
    pictures = pictures or {}
    blocks = _curve(curve, pictures.get(CURVE, "")) if curve else []
    shown = short_grid(table, f"#{_curve_anchor(curve)}" if curve else "")
    grid = full_grid(table)
    own = [f"## {escape(title(table))}", *filter(None, [escape(table_summary(table))])]
    own += [grid_markdown(shown)]
    notes = row_footnotes(table, brief=True)
    own += [_list(notes)] * bool(notes)
    concluded = claim_sentences(table)
    own += [f"**{CLAIMS_TITLE}**", _list(concluded)] * bool(concluded)
    learnt = recipe_sentences(table)
    own += [f"**{RECIPES_TITLE}**", _list(learnt)] * bool(learnt)
    costs = [
        block
        for each in cost_grids(table)
        for block in (f"### {escape(each.title)}", grid_markdown(each))
    ]
    own += folded("All metrics, seeds with their records, costs", [grid_markdown(grid), *costs])
    said = [f"{label}: {text}" for label, text in head(table)]
    own += folded("Data, rules and how to read it", [_list(said), _list(folded_footnotes(table))])
    for each in efficiencies(table):
        own += _efficiency(table, each, pictures.get(each.environment, ""))
    parts = [
        block
        for each, told in breakdown_grids(table, details or {})
        for block in (f"### {escape(each.title)}", grid_markdown(each), _list(told))
    ]
    own += folded("In parts of the test", parts)
    own += folded(ELSEWHERE, reference_blocks(references))
    # Last, as nobody sees them but who reads the source.
    own += [*link_targets(shown), *link_targets(grid)]
    if table.is_point and not table.is_endpoint:
        own = folded(f"{table.budget:,} crops: {lead(table)}", own)
    return "\n\n".join([*blocks, *own]) + "\n"


def folded(summary: str, blocks: Sequence[str]) -> list[str]:
    """Return blocks that a reader opens; nothing if there are none."""
    if not blocks:
        return []
    return [f"<details><summary>{_escape_html(summary)}</summary>", *blocks, "</details>"]


def _escape_html(text: str) -> str:
    """Write text for a line of HTML, where Markdown's own escapes would be seen."""
    return _LINKING.sub(r"\1<!-- -->", html.escape(one_line(text), quote=False))


def _curve(curve: TablesCurve, picture: str) -> list[str]:
    """Return a curve: who leads where, the picture, the figures, crossings."""
    name = curve_title(curve)
    grid, crossings = curve_grid(curve), crossing_grid(curve)
    blocks = [f'<a id="{_curve_anchor(curve)}"></a>', f"## {escape(name)}"]
    blocks += [escape(curve_summary(curve))]
    shown = f"{name}, {axis_words(curve).alt}"
    blocks += [f"!{link(shown, picture)}"] * bool(picture)
    blocks += [f"**{escape(grid.title)}**", grid_markdown(grid)]
    if crossings.lines:
        blocks += [f"**{escape(crossings.title)}**", grid_markdown(crossings)]
    return [*blocks, _list(curve_notes(curve))]


def _curve_anchor(curve: TablesCurve) -> str:
    return f"curve-{curve_digits(curve)}"


def references_section(references: Sequence[ReferenceGroup]) -> str:
    """Return published figures on datasets that no table is of; empty if there are none."""
    if not references:
        return ""
    return "\n\n".join([f"## {ELSEWHERE}", *reference_blocks(references)]) + "\n"


def reference_blocks(references: Iterable[ReferenceGroup]) -> list[str]:
    """Return each group of published figures: its dataset, the muted table, the sources."""
    blocks = []
    for group in references:
        grid = reference_grid(group)
        blocks += [f"**{escape(grid.title)}**", grid_markdown(grid)]
        blocks += [_list(reference_notes(group)), *link_targets(grid)]
    return blocks


def grid_markdown(grid: Grid) -> str:
    """Return the grid alone, as a Markdown table; `link_targets` resolves its links."""
    return tabulating.tabulate(
        [[_cell(each, muted=grid.muted) for each in line] for line in grid.lines],
        headers=[escape(column.title) for column in grid.columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if column.numeric else "left" for column in grid.columns],
    )


def link_targets(grid: Grid) -> list[str]:
    """Return the targets of a grid's links, as one block; none if it has no links.

    A table whose cells held the paths themselves would be too wide to read as text.
    """
    pieces = (piece for line in grid.lines for cell in line for piece in cell)
    targets = {_label(piece.link): piece.link for piece in pieces if piece.link}
    lines = [f"[{label}]: {_target(path)}" for label, path in targets.items()]
    return ["\n".join(lines)] if lines else []


def escape(text: str) -> str:
    r"""Write text so that Markdown shows it as it is, also within a table.

    An empty comment parts what GitHub makes links and messages of by itself.

    >>> escape("<script>a|b`c`")
    '&lt;script&gt;a\\|b\\`c\\`'
    >>> escape("www.a.example, @somebody")
    'www<!-- -->.a.example, @<!-- -->somebody'
    """
    shown = _ACTIVE.sub(r"\\\1", html.escape(one_line(text), quote=False))
    return _LINKING.sub(r"\1<!-- -->", shown)


def link(text: str, path: str) -> str:
    """Return a link to a file beside the page."""
    return f"[{escape(text)}]({_target(path)})"


def _target(path: str) -> str:
    """Return a path or an address where a link ends."""
    return quote(path, safe=":/") if path.startswith("https://") else quote(path, safe="/#")


def _label(path: str) -> str:
    """Return the label of a path on a page with links of many tables: the same for the same."""
    return digest(path)[:10]


def _efficiency(table: Table, efficiency: Efficiency, picture: str) -> list[str]:
    """Return the trade-offs of one environment: marked costs, notes, the picture."""
    grid = efficiency_grid(table, efficiency)
    blocks = [grid_markdown(grid), _list(efficiency_notes(table, efficiency))]
    if picture:
        against = ", ".join(each.facts.title for each in efficiency.trade_offs)
        metric = table.facts[table.protocol.primary].title
        counted = f"{len(efficiency.entries)} entries"
        shown = f"{metric} of {counted} against {against}, as in the table above"
        blocks.append(f"!{link(shown, picture)}")
    return folded(grid.title, blocks)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _cell(cell: Cell, *, muted: bool) -> str:
    text = "".join(_piece(piece) for piece in cell)
    return f"*{text}*" if muted and text not in ("", UNKNOWN) else text


def _piece(piece: TextPiece) -> str:
    if piece.link:
        return f"[{escape(piece.text)}][{_label(piece.link)}]"
    # A separator's own space is layout, not data.
    return piece.text if piece.text == ", " else escape(piece.text)
