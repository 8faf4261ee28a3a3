"""The blocks of a report as Markdown, their pictures beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from harness.board.standing.figures import one_line
from harness.board.writing.markdown import escape
from harness.report.media import ending
from harness.report.section import Block, Bullets, Facts, ReportPicture, ReportTable, Widget


def markdown(block: Block, folder: str, held: dict[str, bytes], colon: str) -> list[str]:
    """Return a block of a report as Markdown blocks.

    Args:
        block: the block.
        folder: name of the folder of pictures, beside the page.
        held: pictures by their paths; those of the block are added.
        colon: between a name and what it means, as the language writes it.
    """
    if isinstance(block, Widget):
        return [each for inner in block.instead for each in markdown(inner, folder, held, colon)]
    if isinstance(block, ReportPicture):
        path = str(PurePosixPath(folder, f"{block.name}.{ending(block.content)}"))
        held[path] = block.content
        return [f"![{escape(block.alt)}]({path})", *([_plain(block.caption)] * bool(block.caption))]
    if isinstance(block, ReportTable):
        rule = ["---:" if place in block.numeric else ":---" for place in range(len(block.head))]
        lines = [_row(block.head), f"| {' | '.join(rule)} |", *map(_row, block.rows)]
        caption = [f"**{_plain(block.caption)}**"] if block.caption else []
        return [*caption, "\n".join(lines)]
    if isinstance(block, Facts):
        return [
            "\n".join(f"- **{_plain(name)}**{colon}{_plain(text)}" for name, text in block.pairs)
        ]
    if isinstance(block, Bullets):
        return ["\n".join(f"- {_plain(item)}" for item in block.items)]
    return [_plain(block.text)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Return a text as Markdown; what stands between backticks stays code."""
    parts = one_line(text).split("`")
    return "".join(
        f"`{part.replace('|', '/')}`" if place % 2 else re.sub(r"\S.*\S|\S", _escaped, part)
        for place, part in enumerate(parts)
    )


def _escaped(found: re.Match[str]) -> str:
    return escape(found[0])
