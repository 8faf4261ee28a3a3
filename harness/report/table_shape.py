"""How a table is laid out where it is wider than a phone: rows become cards, or stay rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import east_asian_width

from harness.report.section import ReportTable

NARROW = 40
"""Letters that a phone of 390 pixels shows beside one another in a table."""

GAP, NAME = 2, 16
"""Letters that a column's padding takes, and after which a row's name is broken."""

BROAD, BROAD_TITLE = 14, 17
"""Letters of a cell, and of a title in its smaller type, from which a card has two columns."""


def table_classes(table: ReportTable) -> list[str]:
    """Return the classes of the style sheet that say how a table folds on a narrow screen."""
    columns, kinds = len(table.head), list[str]()
    if not table.numeric:
        kinds.append("texts")
    elif table.noted:
        kinds += ["noted", *["several"] * (columns > 3)]
    elif columns > 2 and table_width(table) > NARROW:
        wide = any(letters(cell) > BROAD for row in table.rows for cell in row[1:])
        # A title on two lines would push its value below those of its neighbours.
        wide = wide or any(letters(title) > BROAD_TITLE for title in table.head[1:])
        kinds += ["stacked", *["broad"] * wide]
    elif columns == 2 and table_width(table) > NARROW:
        kinds.append("paired")
    if table.rows and max(len(row[0]) for row in table.rows) < 4:
        kinds.append("numbered")
    return kinds


def names_its_cells(table: ReportTable) -> bool:
    """Check if cells carry the title of their column, to be shown where the head is not."""
    kinds = table_classes(table)
    return "several" in kinds or "stacked" in kinds or ("texts" in kinds and len(table.head) > 2)


def table_width(table: ReportTable) -> int:
    """Return the letters that a table takes across; a Chinese letter is as wide as two."""
    columns = zip(table.head, *table.rows, strict=True)
    return sum(GAP + _width(column, is_name=not place) for place, column in enumerate(columns))


def _width(column: Sequence[str], *, is_name: bool) -> int:
    """Return the letters of a column: its widest cell, or the longest word of its title."""
    title, *cells = column
    words = (2 if letters(word) > len(word) else len(word) for word in re.split(r"[\s/-]", title))
    widest = max(map(letters, cells), default=0)
    return max(min(widest, NAME) if is_name else widest, *words)


def letters(text: str) -> int:
    """Return the width of a text in letters.

    >>> letters("83.2 %"), letters("第 1 步")
    (6, 7)
    """
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text.replace("`", ""))
