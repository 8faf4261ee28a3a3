"""Text from records as data: one line that shows what is there and does nothing else."""

from __future__ import annotations


def one_line(text: str) -> str:
    r"""Put text on one line; what cannot be printed shows as the replacement character.

    >>> one_line("a\n  b\x1b[31m")
    'a b�[31m'
    """
    line = " ".join(text.split())
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else "\ufffd" for each in line)
