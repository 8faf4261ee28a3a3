"""Tables as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import tabulate as tabulating

from harness.board.efficiency import (
    Efficiency,
    efficiencies,
    efficiency_grid,
    efficiency_notes,
)
from harness.board.footnotes import footnotes
from harness.board.grid import Cell, Grid, Piece
from harness.board.head import head, title
from harness.board.layout import cost_grids, main_grid
from harness.board.table import Table
from harness.board.text import one_line

# Otherwise the padding, and so the bytes, depend on whether wcwidth happens to be installed.
tabulating.WIDE_CHARS_MODE = False

_ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")


def section(table: Table, pictures: Mapping[str, str] | None = None) -> str:
    """One table with its heading, head and footnotes, as a section of a page.

    Args:
        table: the table.
        pictures: environment's digest -> path of the picture of its efficiency; none for a page
            without pictures.
    """
    blocks = [f"## {escape(title(table))}"]
    blocks += [_list([f"{label}: {text}" for label, text in head(table)])]
    blocks += [grid_markdown(main_grid(table))]
    for grid in cost_grids(table):
        blocks += [f"### {escape(grid.title)}", grid_markdown(grid)]
    blocks.append(_list(footnotes(table)))
    for each in efficiencies(table):
        blocks += _efficiency(table, each, (pictures or {}).get(each.environment, ""))
    return "\n\n".join(blocks) + "\n"


def grid_markdown(grid: Grid) -> str:
    """The grid alone, as a Markdown table."""
    return tabulating.tabulate(
        [[_cell(each) for each in line] for line in grid.lines],
        headers=[escape(column.title) for column in grid.columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if column.numeric else "left" for column in grid.columns],
    )


def escape(text: str) -> str:
    r"""Write text so that Markdown shows it as it is, also within a table.

    >>> escape("<script>a|b`c`")
    '&lt;script&gt;a\\|b\\`c\\`'
    """
    return _ACTIVE.sub(r"\\\1", html.escape(one_line(text), quote=False))


def link(text: str, path: str) -> str:
    """A link to a file beside the page."""
    return f"[{escape(text)}]({quote(path)})"


def _efficiency(table: Table, efficiency: Efficiency, picture: str) -> list[str]:
    """The trade-offs of one environment: marked costs, what the marks mean, the picture."""
    grid = efficiency_grid(table, efficiency)
    blocks = [f"### {escape(grid.title)}", grid_markdown(grid)]
    blocks.append(_list(efficiency_notes(table, efficiency)))
    if picture:
        against = ", ".join(each.cost.title for each in efficiency.trade_offs)
        metric = table.facts[table.protocol.primary].title
        counted = f"{len(efficiency.entries)} entries"
        shown = f"{metric} of {counted} against {against}, as in the table above"
        blocks.append(f"!{link(shown, picture)}")
    return blocks


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _cell(cell: Cell) -> str:
    return "".join(_piece(piece) for piece in cell)


def _piece(piece: Piece) -> str:
    if piece.link:
        return link(piece.text, piece.link)
    # A separator's own space is layout, not data.
    return piece.text if piece.text == ", " else escape(piece.text)
