"""Text logs of WeSpeaker and 3D-Speaker: lines among others that hold numbers of a training."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from harness.series.points import Points
from harness.series.series import Series

NAMES: Mapping[str, str] = {
    "loss": "Train/Loss",
    "avg_loss": "Train/Loss",
    "acc": "Train/Accuracy",
    "acc@1": "Train/Accuracy",
    "avg_acc": "Train/Accuracy",
    "lr": "Train/lr",
    "lr_value": "Train/lr",
    "margin": "Train/margin",
}
"""Their names, in small letters -> the field's."""

PERCENT = "Train/Accuracy"
"""What both write in percent."""

LONGEST = 2_000
"""Characters of a line that may be a row; patterns take time with the square of it."""

NUMBER = r"[-+]?(?:\d{1,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,4})?|nan|inf)"
CLOCK = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:[,.](\d{1,6}))?")
TABLE_HEAD = re.compile(r"[|│]\s*Epoch\s*[|│]\s*Batch\s*[|│](.+)[|│]\s*$")
WHOLE = r"\s*(\d{1,15})\s*[|│]"
TABLE_ROW = re.compile(rf"[|│]{WHOLE}{WHOLE}((?:\s*{NUMBER}\s*[|│])+)\s*$")
METER_ROW = re.compile(r"Epoch: ?\[(\d{1,15})\]\[ *(\d{1,15})/(\d{1,15})\](.*)$")
METER = re.compile(rf"([A-Za-z@][\w@]*) +({NUMBER}) +\( *({NUMBER})\)")
EPOCH_ROW = re.compile(r"epoch: (\d{1,15}) - (.+)$")
EPOCH_VALUE = re.compile(rf"train (\w+): ({NUMBER})")
Taken = tuple[int, int, int, dict[str, float]]
"""Epoch, batch within it, batches of an epoch (0: not known), and the values."""


def read_wespeaker(path: Path, text: str) -> Series:
    """Read WeSpeaker's `train.log`: rows of a table of Epoch, Batch, Lr, Margin, Loss, Acc.

    Its values are means over the epoch so far. Steps count the batches; an epoch has as many as
    its last row says.
    """
    heads = ["Lr", "Margin", "Loss", "Acc"]
    rows = list[tuple[int, Taken, str]]()
    for number, line in _lines(text):
        if head := TABLE_HEAD.search(line):
            heads = [each.strip() for each in re.split("[|│]", head[1])]
        elif row := TABLE_ROW.search(line):
            cells = [float(each) for each in re.split("[|│]", row[3])[:-1]]
            values = dict(zip(heads, cells, strict=False))
            rows.append((number, (int(row[1]), int(row[2]), 0, values), line))
    return _collected(path, rows, "log of WeSpeaker")


def read_threed_speaker(path: Path, text: str) -> Series:
    """Read 3D-Speaker's `train.log`: lines of meters, each `name value (mean of the epoch)`.

    Losses and accuracies are the means. Where there are lines of epochs alone (`train_epoch.log`),
    these are read, and steps are epochs.
    """
    meters, epochs = list[tuple[int, Taken, str]](), list[tuple[int, Taken, str]]()
    for number, line in _lines(text):
        if row := METER_ROW.search(line):
            values = {
                name: float(mean if name.lower() in ("loss", "acc@1") else now)
                for name, now, mean in METER.findall(row[4])
            }
            meters.append((number, (int(row[1]), int(row[2]) + 1, int(row[3]), values), line))
        elif row := EPOCH_ROW.search(line):
            values = {name: float(value) for name, value in EPOCH_VALUE.findall(row[2])}
            epochs.append((number, (int(row[1]), 1, 1, values), line))
    return _collected(path, meters or epochs, "log of 3D-Speaker")


def kind_of_log(text: str) -> Callable[[Path, str], Series] | None:
    """Return the reader of a text log; None if it is neither's."""
    for _, line in _lines(text):
        if TABLE_ROW.search(line):
            return read_wespeaker
        if METER_ROW.search(line) or (
            (row := EPOCH_ROW.search(line)) and EPOCH_VALUE.search(row[2])
        ):
            return read_threed_speaker
    return None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) <= LONGEST:
            yield number, line


def _collected(path: Path, rows: list[tuple[int, Taken, str]], source: str) -> Series:
    points = Points(path)
    longest = max((total or batch for _, (_, batch, total, _), _ in rows), default=1)
    began: datetime | None = None
    for number, (epoch, batch, total, values), line in rows:
        points.line = number
        per_epoch = total or longest
        step = max(0, epoch - 1) * per_epoch + batch
        now = _clock(line)
        began = began or now
        seconds = (now - began) / timedelta(seconds=1) if now and began else float("nan")
        for name, value in _named(values):
            points.add(name, step, value, step / per_epoch if per_epoch else 0.0, seconds)
    return points.series(source)


def _named(values: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        name = NAMES.get(key.lower(), f"Train/{key}")
        yield name, value / 100 if name == PERCENT else value


def _clock(line: str) -> datetime | None:
    found = CLOCK.search(line)
    if not found:
        return None
    try:
        moment = datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    return moment + timedelta(seconds=float(f"0.{found[2] or 0}"))
