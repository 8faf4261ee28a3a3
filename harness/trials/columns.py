"""The columns of some lines as arrays: names as codes, scores as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass
class Numbering:
    """Numbers names in the order in which they are first asked for, from 0.

    Attributes:
        codes: name -> number.
    """

    codes: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> Numbering:
        """A numbering that begins with these names.

        >>> Numbering.of(["b", "a"]).number(["a", "c"])
        array([1, 2], dtype=int32)
        """
        return cls({name: code for code, name in enumerate(names)})

    def number(self, names: Iterable[str]) -> Codes:
        """Returns the number of each name, `[N]`; unknown names get the next ones."""
        codes = self.codes
        return np.array([codes.setdefault(name, len(codes)) for name in names], dtype=np.int32)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the order of their numbers."""
        return tuple(self.codes)


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of N lines.

    Attributes:
        codes: column -> `[N]`, numbers of its names; a label is 0 (nontarget) or 1 (target).
        scores: `[N]`; empty where the layout has none.
    """

    codes: Mapping[str, Codes]
    scores: Floats

    @classmethod
    def joined(cls, parts: Sequence[Columns]) -> Columns:
        """Puts blocks of lines one after another."""
        codes = {
            name: np.concatenate([part.codes[name] for part in parts]) for name in parts[0].codes
        }
        return cls(codes, np.concatenate([part.scores for part in parts]))
