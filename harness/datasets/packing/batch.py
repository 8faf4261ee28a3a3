"""What is known of packed items beside their numbers: shapes, hashes, stamps, damage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

HASH_BYTES = 32


@dataclass(frozen=True)
class Batch:
    """Neighbouring items of a pack.

    Attributes:
        shapes: of each item, `[items, dimensions]`.
        hashes: sha256 of each item's numbers, `[items, 32]`; zeros where it is damaged.
        stamps: size and time of change (ns) of each item's file when it was read, `[items, 2]`;
            zeros where there is no such file.
        damaged: row -> why the item could not be read.
        notes: row -> a remark on an item that was read.
    """

    shapes: NDArray[np.int64]
    hashes: NDArray[np.uint8]
    stamps: NDArray[np.int64]
    damaged: dict[int, str]
    notes: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.shapes)

    @property
    def numbers(self) -> int:
        """How many numbers all items hold."""
        return int(self.shapes.prod(axis=1).sum())

    def part(self, begin: int, end: int) -> Batch:
        """Some of the items, numbered from 0."""
        damaged, notes = (_within(told, begin, end) for told in (self.damaged, self.notes))
        rows = slice(begin, end)
        return Batch(self.shapes[rows], self.hashes[rows], self.stamps[rows], damaged, notes)

    def line(self) -> str:
        """One line of a journal."""
        content = {
            "shapes": self.shapes.tolist(),
            "hashes": self.hashes.tobytes().hex(),
            "stamps": self.stamps.tolist(),
            "damaged": self.damaged,
            "notes": self.notes,
        }
        return json.dumps(content, ensure_ascii=True) + "\n"


def batch_of_line(line: str) -> Batch | None:
    """Read a line of a journal; None where it is torn."""
    try:
        content: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not line.endswith("\n"):
        return None
    hashes = np.frombuffer(bytes.fromhex(content["hashes"]), np.uint8)
    return Batch(
        np.array(content["shapes"], np.int64),
        hashes.reshape(-1, HASH_BYTES),
        np.array(content["stamps"], np.int64).reshape(-1, 2),
        by_row(content["damaged"]),
        by_row(content["notes"]),
    )


def by_row(told: Mapping[str, str]) -> dict[int, str]:
    """What is told of some rows, in order, their numbers having been words in JSON."""
    return {int(row): why for row, why in sorted(told.items(), key=lambda pair: int(pair[0]))}


def _within(told: Mapping[int, str], begin: int, end: int) -> dict[int, str]:
    return {row - begin: why for row, why in told.items() if begin <= row < end}


def joined(batches: Sequence[Batch], dimensions: int) -> Batch:
    """Batches end to end."""
    begins = np.cumsum([0, *(len(batch) for batch in batches)]).tolist()
    damaged = _shifted(begins, [batch.damaged for batch in batches])
    notes = _shifted(begins, [batch.notes for batch in batches])
    empty = Batch(
        np.zeros((0, dimensions), np.int64),
        np.zeros((0, HASH_BYTES), np.uint8),
        np.zeros((0, 2), np.int64),
        {},
    )
    every = [empty, *batches]
    return Batch(
        np.concatenate([batch.shapes for batch in every]),
        np.concatenate([batch.hashes for batch in every]),
        np.concatenate([batch.stamps for batch in every]),
        damaged,
        notes,
    )


def _shifted(begins: Sequence[int], told: Sequence[Mapping[int, str]]) -> dict[int, str]:
    return {
        begin + row: why
        for begin, each in zip(begins, told, strict=False)
        for row, why in sorted(each.items())
    }
