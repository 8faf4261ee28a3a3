"""Blocks of a report for a terminal; pictures and widgets have none."""

from __future__ import annotations

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table as Lines
from rich.text import Text

from harness.report.section import Block, Bullets, Facts, Paragraph, ReportTable


def renderable(block: Block) -> RenderableType:
    """Return a block for rich to print; nothing for what only a page can show."""
    if isinstance(block, Paragraph):
        return Text(block.text, style="dim" if block.quiet else "")
    if isinstance(block, Bullets):
        return Text("\n".join(f"- {item}" for item in block.items))
    if isinstance(block, Facts):
        return Text("\n".join(f"{name}: {value}" for name, value in block.pairs))
    if isinstance(block, ReportTable):
        return Group(Text(block.caption, style="bold"), _lines(block))
    return Text()


def _lines(table: ReportTable) -> Lines:
    lines = Lines(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for place, title in enumerate(table.head):
        justify: JustifyMethod = "right" if place in table.numeric else "left"
        lines.add_column(Text(title), justify=justify, overflow="fold")
    for row in table.rows:
        lines.add_row(*map(Text, row))
    return lines
