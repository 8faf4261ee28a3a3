"""How a table is laid out where it is wider than a phone: rows become cards, or stay rows."""

from __future__ import annotations

from unicodedata import east_asian_width

from harness.report.section import ReportTable

NARROW = 48
"""Letters that a phone of 390 pixels shows beside one another in a table."""

GAP, NAME, LEAST = 2, 16, 6
"""Letters that a column's padding takes, that a row's name is broken after, that a title needs."""

BROAD = 14
"""Letters of a cell from which a card has two columns, not three."""


def table_classes(table: ReportTable) -> list[str]:
    """Return the classes of the style sheet that say how a table folds on a narrow screen."""
    columns, kinds = len(table.head), list[str]()
    if not table.numeric:
        kinds.append("texts")
    elif table.noted:
        kinds += ["noted", *["several"] * (columns > 3)]
    elif columns > 2 and table_width(table) > NARROW:
        wide = any(letters(cell) > BROAD for row in table.rows for cell in row[1:])
        kinds += ["stacked", *["broad"] * wide]
    if table.rows and max(len(row[0]) for row in table.rows) < 4:
        kinds.append("numbered")
    return kinds


def names_its_cells(table: ReportTable) -> bool:
    """Check if cells carry the title of their column, to be shown where the head is not."""
    kinds = table_classes(table)
    return "several" in kinds or "stacked" in kinds or ("texts" in kinds and len(table.head) > 2)


def table_width(table: ReportTable) -> int:
    """Return the letters that a table takes across; a Chinese letter is as wide as two."""
    widest = [max(map(letters, column), default=0) for column in zip(*table.rows, strict=True)]
    return sum(
        GAP + max(LEAST, min(each, NAME) if not n else each) for n, each in enumerate(widest)
    )


def letters(text: str) -> int:
    """Return the width of a text in letters.

    >>> letters("83.2 %"), letters("第 1 步")
    (6, 7)
    """
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text.replace("`", ""))
