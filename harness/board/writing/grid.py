"""A table as text, before it becomes Markdown or a terminal's: columns, lines, cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """Text of a cell, with the path (or the https address) that it links to."""

    text: str
    link: str = ""


Cell = tuple[Piece, ...]


@dataclass(frozen=True)
class Column:
    """One column: its head, its cells from top to bottom, and whether they are numbers."""

    title: str
    cells: tuple[Cell, ...]
    numeric: bool = True


@dataclass(frozen=True)
class Grid:
    """Columns of equal length under a title.

    Attributes:
        muted: shown as what was not measured here: in italics, greyed, dimmed.
    """

    columns: tuple[Column, ...]
    title: str = ""
    muted: bool = False

    @property
    def lines(self) -> list[list[Cell]]:
        """The cells line by line."""
        return [list(line) for line in zip(*(column.cells for column in self.columns), strict=True)]


def cell(text: str) -> Cell:
    """A cell of plain text."""
    return (Piece(text),)
