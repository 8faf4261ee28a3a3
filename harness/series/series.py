"""Values of one training over its steps: scalars, vectors, and marks of what happened."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from harness.errors import RequestError, nearest

if TYPE_CHECKING:
    import pandas as pd

MarkKind = Literal["resume", "restart", "margin", "chosen", "stopped"]
MARK_KINDS: tuple[str, ...] = get_args(MarkKind)
SCALAR_COLUMNS = ("name", "step", "epoch", "seconds", "value")


@dataclass(frozen=True)
class StepVector:
    """Several numbers of one step: a histogram, a density, counts of classes.

    Attributes:
        name: as of a scalar, `Train/density`.
        step, epoch: when; the epoch is NaN where it is not known.
        values: the numbers.
        edges: edges of the values' bins, one more than values; empty if they are no histogram.
        labels: what each value is of, as many as values; empty if they have no names.
    """

    name: str
    step: int
    epoch: float
    values: tuple[float, ...]
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """Something that happened to a training.

    Attributes:
        kind: `resume`, it went on after a break; `restart`, its learning rate began a new cycle;
            `margin`, a margin began to change or reached its full value; `chosen`, the weights of
            this step are the result; `stopped`, it ended before its time.
        step, epoch: after which; the epoch is NaN where it is not known.
        text: more of it, in the words of whoever wrote it; may be empty.
    """

    kind: MarkKind
    step: int
    epoch: float = math.nan
    text: str = ""


@dataclass(frozen=True)
class Series:
    """All that is known of a training over time.

    Attributes:
        source: where it was read from, for people.
        scalars: a row a value, ascending in step within each name: `name` (text), `step` (int64,
            counted from 1; the epoch where a log has no steps), `epoch` (float64: epochs that are
            done, NaN if unknown), `seconds` (float64: time in training since its start, breaks
            apart, NaN if unknown), `value` (float64).
        vectors: in order of step.
        marks: in order of step.
        facts: what its source says of the training itself, as plain text: entry, seed, ...
    """

    source: str
    scalars: pd.DataFrame
    vectors: tuple[StepVector, ...] = ()
    marks: tuple[Mark, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the scalars, in the order in which they first appear."""
        return tuple(self._rows)

    @cached_property
    def _rows(self) -> dict[str, pd.DataFrame]:
        groups = self.scalars.groupby("name", sort=False)
        parts = {str(name): rows.drop(columns="name") for name, rows in groups}
        return {name: rows.reset_index(drop=True) for name, rows in parts.items()}

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one scalar's rows: `step`, `epoch`, `seconds`, `value`.

        Raises:
            RequestError: there is none of this name.
        """
        if name not in self:
            raise RequestError(f"{self.source}: no series {name!r}; {nearest(name, self.names)}")
        return self._rows[name].copy(deep=False)

    def frame(self, by: Literal["step", "epoch"] = "step") -> pd.DataFrame:
        """Return all scalars as a wide table: a column a name, NaN where a name has no value.

        Args:
            by: the index. `step`: each step that has a value. `epoch`: whole epochs from 1, each
                with the mean over its steps; empty where no epochs are known.
        """
        rows = self.scalars
        if by == "epoch":
            known = rows[rows["epoch"].notna()]
            # Rounding must not move an epoch's last step into the next one.
            whole = (known["epoch"] - 1e-9).map(math.ceil).clip(lower=1).astype("int64")
            rows = known.assign(epoch=whole)
        wide = rows.pivot_table(index=by, columns="name", values="value", aggfunc="mean")
        wide = wide.reindex(columns=[name for name in self.names if name in wide.columns])
        wide.columns.name = None
        return wide


def scalar_frame(rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Return the table of `Series.scalars` from tuples in the order of `SCALAR_COLUMNS`.

    A step that a name has twice keeps the later value: that of whoever resumed.
    """
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(SCALAR_COLUMNS))
    table = table.astype(
        {"name": "str", "step": "int64", "epoch": "float64", "seconds": "float64",
         "value": "float64"}
    )  # fmt: skip
    table = table.drop_duplicates(["name", "step"], keep="last")
    order = {name: number for number, name in enumerate(dict.fromkeys(table["name"]))}
    ranked = table.assign(rank=table["name"].map(order)).sort_values(
        ["rank", "step"], kind="stable"
    )
    return ranked.drop(columns="rank").reset_index(drop=True)
