"""Tables as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

import tabulate as tabulating

from harness.board.standing.numbers import UNKNOWN
from harness.board.standing.table import Table
from harness.board.text import one_line
from harness.board.writing.breakdowns import breakdown_grids
from harness.board.writing.efficiency import (
    Efficiency,
    efficiencies,
    efficiency_grid,
    efficiency_notes,
)
from harness.board.writing.footnotes import footnotes
from harness.board.writing.grid import Cell, Grid, Piece
from harness.board.writing.head import head, title
from harness.board.writing.layout import cost_grids, main_grid
from harness.board.writing.references import ReferenceGroup
from harness.board.writing.referencetables import ELSEWHERE, reference_grid, reference_notes
from harness.records.details_schema import Details
from harness.records.documents import digest

# Otherwise the padding, and so the bytes, depend on whether wcwidth happens to be installed.
tabulating.WIDE_CHARS_MODE = False

_ACTIVE = re.compile(r"([\\`*_\[\]|~$#])")


def section(
    table: Table,
    pictures: Mapping[str, str] | None = None,
    references: Sequence[ReferenceGroup] = (),
    details: Mapping[str, Details] | None = None,
) -> str:
    """One table with its heading, head and footnotes, as a section of a page.

    Args:
        table: the table.
        pictures: environment's digest -> path of the picture of its efficiency; none for a page
            without pictures.
        references: what others have published on its dataset.
        details: path of a record, as it is filed -> what lies beside it.
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
    """What others have published on datasets that no table is of; empty where there is nothing."""
    if not references:
        return ""
    return "\n\n".join([f"## {ELSEWHERE}", *reference_blocks(references)]) + "\n"


def reference_blocks(references: Iterable[ReferenceGroup]) -> list[str]:
    """Each group of published figures: its dataset, the muted table, where the figures stand."""
    blocks = []
    for group in references:
        grid = reference_grid(group)
        blocks += [f"**{escape(grid.title)}**", grid_markdown(grid)]
        blocks += [_list(reference_notes(group)), *link_targets(grid)]
    return blocks


def grid_markdown(grid: Grid) -> str:
    """The grid alone, as a Markdown table; what it links to is told by `link_targets`."""
    return tabulating.tabulate(
        [[_cell(each, muted=grid.muted) for each in line] for line in grid.lines],
        headers=[escape(column.title) for column in grid.columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if column.numeric else "left" for column in grid.columns],
    )


def link_targets(grid: Grid) -> list[str]:
    """What the links of a grid stand for, as one block; none where it has no links.

    A table whose cells held the paths themselves would be too wide to read as text.
    """
    targets = {_label(piece.link): piece.link for piece in _linked(grid)}
    lines = [f"[{label}]: {_target(path)}" for label, path in targets.items()]
    return ["\n".join(lines)] if lines else []


def escape(text: str) -> str:
    r"""Write text so that Markdown shows it as it is, also within a table.

    >>> escape("<script>a|b`c`")
    '&lt;script&gt;a\\|b\\`c\\`'
    """
    return _ACTIVE.sub(r"\\\1", html.escape(one_line(text), quote=False))


def link(text: str, path: str) -> str:
    """A link to a file beside the page."""
    return f"[{escape(text)}]({_target(path)})"


def _target(path: str) -> str:
    """A path or an address where a link ends."""
    return quote(path, safe=":/") if path.startswith("https://") else quote(path)


def _label(path: str) -> str:
    """What a path is called on a page, which has links of many tables: the same for the same."""
    return digest(path)[:10]


def _linked(grid: Grid) -> Iterator[Piece]:
    cells = (cell for line in grid.lines for cell in line)
    return (piece for cell in cells for piece in cell if piece.link)


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


def _cell(cell: Cell, *, muted: bool) -> str:
    text = "".join(_piece(piece) for piece in cell)
    return f"*{text}*" if muted and text not in ("", UNKNOWN) else text


def _piece(piece: Piece) -> str:
    if piece.link:
        return f"[{escape(piece.text)}][{_label(piece.link)}]"
    # A separator's own space is layout, not data.
    return piece.text if piece.text == ", " else escape(piece.text)
