"""Tables as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import tabulate as tabulating

from harness.board.standing.figures import UNKNOWN, one_line
from harness.board.standing.table import Table
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.captions import footnotes, head, title
from harness.board.writing.efficiency import (
    Efficiency,
    efficiencies,
    efficiency_grid,
    efficiency_notes,
)
from harness.board.writing.grids import Cell, Grid, TextPiece, cost_grids, main_grid
from harness.board.writing.reference_tables import ELSEWHERE, reference_grid, reference_notes
from harness.board.writing.references import ReferenceGroup
from harness.records.details_schema import Details
from harness.records.documents import digest

# Otherwise the padding, and so the bytes, depend on whether wcwidth happens to be installed.
tabulating.WIDE_CHARS_MODE = False

_LINKING = re.compile(r"(@(?=[^\W\d])|(?<!\w)@(?=\d)|:(?=//)|\bwww(?=\.))", re.IGNORECASE)
_ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")


def section(
    table: Table,
    pictures: Mapping[str, str] | None = None,
    references: Sequence[ReferenceGroup] = (),
    details: Mapping[str, Details] | None = None,
) -> str:
    """Return one table with its heading, head and footnotes, as a section of a page.

    Args:
        table: the table.
        pictures: environment's digest -> path of the picture of its efficiency; none for a page
            without pictures.
        references: published figures of others on its dataset.
        details: path of a record, as it is filed -> the details beside it.
    """
    grid = main_grid(table)
    blocks = [f"## {escape(title(table))}"]
    blocks += [_list([f"{label}: {text}" for label, text in head(table)])]
    blocks += [grid_markdown(grid)]
    for costs in cost_grids(table):
        blocks += [f"### {escape(costs.title)}", grid_markdown(costs)]
    blocks.append(_list(footnotes(table)))
    for each in efficiencies(table):
        blocks += _efficiency(table, each, (pictures or {}).get(each.environment, ""))
    for parts, notes in breakdown_grids(table, details or {}):
        blocks += [f"### {escape(parts.title)}", grid_markdown(parts), _list(notes)]
    blocks += [f"### {ELSEWHERE}"] * bool(references) + reference_blocks(references)
    # Last, as nobody sees them but who reads the source.
    return "\n\n".join([*blocks, *link_targets(grid)]) + "\n"


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
    return quote(path, safe=":/") if path.startswith("https://") else quote(path)


def _label(path: str) -> str:
    """Return the label of a path on a page with links of many tables: the same for the same."""
    return digest(path)[:10]


def _efficiency(table: Table, efficiency: Efficiency, picture: str) -> list[str]:
    """Return the trade-offs of one environment: marked costs, notes, the picture."""
    grid = efficiency_grid(table, efficiency)
    blocks = [f"### {escape(grid.title)}", grid_markdown(grid)]
    blocks.append(_list(efficiency_notes(table, efficiency)))
    if picture:
        against = ", ".join(each.facts.title for each in efficiency.trade_offs)
        metric = table.facts[table.protocol.primary].title
        counted = f"{len(efficiency.entries)} entries"
        shown = f"{metric} of {counted} against {against}, as in the table above"
        blocks.append(f"!{link(shown, picture)}")
    return blocks


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
