"""TensorBoard's event files, of whatever program wrote them: scalars and histograms."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.series.points import Points
from harness.series.series import Series, StepVector

MARK = "tfevents"
MOST_VECTORS = 2_000


def read_event_folders(path: Path) -> tuple[Series, ...]:
    """Read the event files below a folder, one series a folder that has some; or one file.

    A run that went on says from which step on what was there before is void.

    Raises:
        DataError: a file holds no events.
    """
    files = sorted(path.rglob(f"*{MARK}*")) if path.is_dir() else [path]
    folders: dict[Path, list[Path]] = {}
    for file in filter(Path.is_file, files):
        folders.setdefault(file.parent, []).append(file)
    found = []
    for folder, own in folders.items():
        points = Points(folder if path.is_dir() else path)
        began = math.nan
        for file in own:
            for event in _events(file):
                began = event.wall_time if math.isnan(began) else began
                _take(points, event, event.wall_time - began)
        if points.rows or points.vectors:
            place = folder.relative_to(path) if path.is_dir() else Path(path.name)
            name = folder.name if place == Path() else str(place)
            found.append(points.series(f"TensorBoard: {name}", {"entry": name}))
    if not found:
        raise Points(path).refuse("TensorBoard's files here hold no scalars that can be read")
    return tuple(found)


def _events(file: Path) -> Iterator[Any]:
    """Yield the events of a file, until its end or the first that is damaged."""
    import logging

    from google.protobuf.message import DecodeError
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.compat.tensorflow_stub.errors import OpError

    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells of damage on its own
    try:
        yield from EventFileLoader(str(file)).Load()
    except (DecodeError, OpError, ValueError, TypeError, OverflowError):
        return


def _take(points: Points, event: Any, seconds: float) -> None:
    if event.HasField("session_log") and event.session_log.status == event.session_log.START:
        points.rows = [row for row in points.rows if row[1] < event.step]
        points.vectors = [each for each in points.vectors if each.step < event.step]
    if not event.HasField("summary") or event.step < 0:
        return
    for value in event.summary.value:
        if value.HasField("simple_value"):
            points.add(value.tag, event.step, value.simple_value, seconds=seconds)
        elif value.HasField("tensor"):
            _take_tensor(points, event.step, value, seconds)


def _take_tensor(points: Points, step: int, value: Any, seconds: float) -> None:
    from tensorboard.util.tensor_util import make_ndarray

    try:
        array = make_ndarray(value.tensor)
    except (ValueError, TypeError, AttributeError, LookupError):
        return
    if array.dtype.kind not in "fiu":
        return
    if array.size == 1:
        points.add(value.tag, step, float(array.reshape(-1)[0]), seconds=seconds)
    elif array.ndim == 2 and array.shape[1] == 3 and len(points.vectors) < MOST_VECTORS:
        edges = (*array[:, 0].tolist(), float(array[-1, 1]))
        points.vectors.append(
            StepVector(value.tag, step, math.nan, tuple(array[:, 2].tolist()), edges)
        )
