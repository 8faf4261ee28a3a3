"""Tables of a page that a program fills, each between two marks of its own."""

from __future__ import annotations


def marks(name: str) -> tuple[str, str]:
    """The lines before and after a table."""
    return f"<!-- {name} -->", f"<!-- end of {name} -->"


def filled(text: str, name: str, table: str) -> str:
    """The page with a table in its place.

    Raises:
        ValueError: the page has no such place.
    """
    begin, end = marks(name)
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the page has no place for the table: write {begin} and {end} into it")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"
