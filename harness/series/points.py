"""Values of a log as they are collected: each is checked, and an error names its line."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import DataError, quoted
from harness.series.series import MARK_KINDS, Mark, Series, StepVector, scalar_frame

MOST_STEPS = 2**53
LISTS = ("values", "edges", "labels")


class Points:
    """Scalars, vectors and marks of one log.

    Attributes:
        path: of the log, for errors.
        line: number of the line that is being read, for errors; 0 where a log has no lines.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.line = path, 0
        self.rows: list[tuple[str, int, float, float, float]] = []
        self.vectors: list[StepVector] = []
        self.marks: list[Mark] = []

    def refuse(self, what: str) -> DataError:
        """Return the error that what is being read is wrong."""
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return DataError(f"{place}: {what}")

    def parse(self, text: str) -> dict[str, Any]:
        """Parse a line of JSON.

        Raises:
            DataError: it is no JSON object.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            # The first line of a document that is laid out over many, as details are.
            whole = "; of a record give X.json, not X.details.json" * (text.strip() == "{")
            raise self.refuse(f"no JSON on a line: {quoted(text, 40)}{whole}") from error
        if not isinstance(found, dict):
            raise self.refuse(f"no JSON object: {quoted(text, 40)}")
        return found

    def add(
        self,
        name: str,
        step: object,
        value: object,
        epoch: object = math.nan,
        seconds: object = math.nan,
    ) -> None:
        """Add a scalar.

        Raises:
            DataError: the step is no whole number from 0, or another is no number.
        """
        spent, done = self.number(seconds, "seconds"), self.epoch(epoch)
        self.rows.append((text_of(name), self.step(step), done, spent, self.number(value, name)))

    def add_line(self, line: Mapping[str, Any]) -> None:
        """Add a line of a series of ours.

        Raises:
            DataError: it is none.
        """
        epoch = line.get("epoch", math.nan)
        if "mark" in line:
            if line["mark"] not in MARK_KINDS:
                raise self.refuse(f"mark {quoted(line['mark'])} is none of {', '.join(MARK_KINDS)}")
            step, done = self.step(line.get("step")), self.epoch(epoch)
            self.marks.append(Mark(line["mark"], step, done, text_of(line.get("text", ""))))
        elif "vector" in line:
            step, done = self.step(line.get("step")), self.epoch(epoch)
            found = {key: self._several(line.get(key, []), key) for key in LISTS}
            values, edges = (
                tuple(self.number(each, key) for each in found[key]) for key in ("values", "edges")
            )
            labels = tuple(map(text_of, found["labels"]))
            self.vectors.append(
                StepVector(text_of(line["vector"]), step, done, values, edges, labels)
            )
        else:
            scalars = line.get("values")
            if not isinstance(scalars, dict):
                raise self.refuse("neither values nor a vector nor a mark; get the file anew")
            for name, value in scalars.items():
                self.add(name, line.get("step"), value, epoch, line.get("seconds", math.nan))

    def step(self, value: object) -> int:
        """Return a step.

        Raises:
            DataError: it is no whole number from 0.
        """
        number = self.number(value, "step")
        if not 0 <= number < MOST_STEPS or number != int(number):
            raise self.refuse(f"step {quoted(value, 40)} is no whole number from 0")
        return int(number)

    def epoch(self, value: object) -> float:
        """Return epochs that are done; NaN where they are not known.

        Raises:
            DataError: it is no number, or one that no training reaches.
        """
        number = self.number(value, "epoch")
        if abs(number) >= MOST_STEPS:
            raise self.refuse(f"epoch {quoted(value, 40)} is none that a training reaches")
        return number

    def number(self, value: object, what: str) -> float:
        """Return a number, NaN and infinity among them: a training may diverge.

        Raises:
            DataError: it is none.
        """
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.refuse(f"{quoted(what, 40)}: {quoted(value, 40)} is no number")
        try:
            return float(value)
        except (ValueError, OverflowError) as error:
            raise self.refuse(f"{quoted(what, 40)}: {quoted(value, 40)} is no number") from error

    def series(self, source: str, facts: Mapping[str, str] | None = None) -> Series:
        """Return all of it.

        Raises:
            DataError: there is nothing.
        """
        if not (self.rows or self.vectors or self.marks or facts):
            self.line = 0
            raise self.refuse("holds no series: no numbers over steps were found in it")
        vectors = tuple(sorted(self.vectors, key=lambda each: each.step))
        marks = tuple(sorted(self.marks, key=lambda each: each.step))
        return Series(source, scalar_frame(self.rows), vectors, marks, dict(facts or {}))

    def _several(self, values: object, what: str) -> list[Any]:
        if not isinstance(values, list):
            raise self.refuse(f"{what}: {quoted(values, 40)} is no list")
        return values


def text_of(value: object) -> str:
    """Return a value of a file as text that can be written: halves of surrogates become `?`."""
    return str(value).encode("utf-8", "replace").decode()
