"""Series as tables for other programs: CSV and Parquet."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd

from harness.errors import RequestError
from harness.series.series import Series


def steps_table(several: Sequence[Series]) -> pd.DataFrame:
    """Return a row a step: `step`, `epoch`, `seconds`, and a column a scalar.

    Several series stand one below the other, each step with its `series` (the source).
    """
    tables = []
    for each in several:
        clock = each.scalars.groupby("step")[["epoch", "seconds"]].max()
        table = clock.join(each.frame()).reset_index()
        if len(several) > 1:
            table.insert(0, "series", each.source)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV, its numbers to the last bit."""
    return table.to_csv(index=False, lineterminator="\n")


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as a Parquet file.

    Raises:
        RequestError: there is no pyarrow.
    """
    buffer = io.BytesIO()
    try:
        table.to_parquet(buffer, engine="pyarrow", index=False)
    except ImportError as error:
        raise RequestError(
            "--parquet needs pyarrow, which is not installed: pip install pyarrow, or give --csv"
        ) from error
    return buffer.getvalue()
