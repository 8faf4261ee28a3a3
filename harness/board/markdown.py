"""Tables as Markdown."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

import tabulate as tabulating

from harness.board.footnotes import footnotes
from harness.board.grid import Cell, Grid, Piece
from harness.board.head import head, title
from harness.board.layout import cost_grids, main_grid
from harness.board.table import Table
from harness.board.text import one_line

# Otherwise the padding, and so the bytes, depend on whether wcwidth happens to be installed.
tabulating.WIDE_CHARS_MODE = False

_ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")


def section(table: Table) -> str:
    """One table with its heading, head and footnotes, as a section of a page."""
    said = [f"- {escape(label)}: {escape(text)}" for label, text in head(table)]
    blocks = [f"## {escape(title(table))}", "\n".join(said), grid_markdown(main_grid(table))]
    for grid in cost_grids(table):
        blocks += [f"### {escape(grid.title)}", grid_markdown(grid)]
    blocks.append("\n".join(f"- {escape(note)}" for note in footnotes(table)))
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


def _cell(cell: Cell) -> str:
    return "".join(_piece(piece) for piece in cell)


def _piece(piece: Piece) -> str:
    if piece.link:
        return link(piece.text, piece.link)
    # A separator's own space is layout, not data.
    return piece.text if piece.text == ", " else escape(piece.text)
