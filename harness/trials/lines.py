"""A block read line by line: slow, and every unreadable line is found with its number."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from harness.trials.blocks import Block
from harness.trials.columns import Columns, Numbering
from harness.trials.complaints import Complaints
from harness.trials.formats import CONTROL, Format

_CONTROL = re.compile(b"[" + re.escape(CONTROL) + b"]")


def line_columns(
    block: Block, form: Format, numberings: Mapping[str, Numbering], complaints: Complaints
) -> Columns:
    """Reads the lines that can be read, and complains of the others.

    Args:
        block: the lines.
        form: how they are written.
        numberings: column -> its numbering, which grows; the label's holds its two labels.
        complaints: grows by the lines that cannot be read.
    """
    readable = _readable(block, form, complaints)
    places = [form.columns.index(name) for name in form.kept]
    by_name = {
        name: [row[place] for row in readable]
        for name, place in zip(form.kept, places, strict=True)
    }
    scores = np.array([float(value) for value in by_name.pop("score", [])], dtype=np.float64)
    codes = {
        name: numberings[name].number(value.decode("utf-8") for value in values)
        for name, values in by_name.items()
    }
    return Columns(codes, scores)


def _readable(block: Block, form: Format, complaints: Complaints) -> list[list[bytes]]:
    rows = []
    for number, line in enumerate(block.text.split(b"\n")[:-1], start=block.first):
        text = line.removesuffix(b"\r")
        fields = form.fields(text)
        why = _complaint(text, fields, form)
        if why and number == 1 and form.is_header(fields):
            why = "a header that does not name the columns that are wanted"
        if why:
            complaints.add(number, text, why)
        else:
            rows.append(fields)
    return rows


def _complaint(text: bytes, fields: Sequence[bytes], form: Format) -> str:
    if not text.strip():
        return "a blank line before the end"
    if _CONTROL.search(text):
        return "holds a control character"
    return form.complaint(fields)
