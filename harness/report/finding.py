"""One thing that is true of a run, in no language.

A finding is the id of a sentence and the values in its braces, so that each language says it in its
own words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LEARNT, HARDLY = 0.9, 0.5
"""Training accuracy from which the training classes are learnt, and below which they are not."""


@dataclass(frozen=True)
class Finding:
    """One thing that is true of a run.

    Attributes:
        about: what it is about: the end of the id `conclusions.about_...`.
        text: the end of the id of its sentence, `conclusions...`.
        values: those in the braces of the sentence; beside the title of a metric its name, so that
            a language can have a title of its own.
    """

    about: str
    text: str
    values: dict[str, Any] = field(default_factory=dict)


def percent(value: float, decimals: int = 1) -> str:
    """Return a share as a percentage; one above zero is not rounded to it.

    >>> percent(0.4321), percent(0.0), percent(0.0004)
    ('43.2 %', '0.0 %', '< 0.1 %')
    """
    least = 10.0**-decimals
    if 0 < 100 * value < least / 2:
        return f"< {least:g} %"
    return f"{100 * value:.{decimals}f} %"
