"""Curves of a run: scalars and histograms of its series for TensorBoard, by the global step.

A resumed run goes on from its last checkpoint; scalars that were written after it are purged, so
that no curve is drawn twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from harness.errors import file_error


class Curves:
    """Scalars under the field's names (`Train/Loss`, `Test/eer`, ...).

    A training goes on without them if the disk takes no more of them: `lost` holds the reason.

    `Test/` is the field's habit: the numbers under it are of the validation split.

    Args:
        folder: folder of the event files.
        first_step: the step that is run next; later ones in older files are purged.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.lost = ""
        self._folder = folder
        self._writer: SummaryWriter | None = None
        with self._give_up_on_error():
            self._writer = SummaryWriter(str(folder), purge_step=first_step or None)

    def close(self) -> None:
        """End the file."""
        with self._give_up_on_error():
            if self._writer is not None:
                self._writer.close()

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Add the scalars of a step, by their whole names."""
        with self._give_up_on_error():
            for name, value in values.items():
                if self._writer is not None:
                    self._writer.add_scalar(name, value, step)

    def add_histogram(
        self, step: int, name: str, values: Sequence[float], edges: Sequence[float]
    ) -> None:
        """Add a histogram: what each bin holds, and the edges of the bins, one more."""
        middles = [(low + high) / 2 for low, high in pairwise(edges)]
        held = list(zip(middles, values, strict=True))
        with self._give_up_on_error():
            if self._writer is not None:
                self._writer.add_histogram_raw(
                    name,
                    min=edges[0],
                    max=edges[-1],
                    num=sum(values),
                    sum=sum(middle * value for middle, value in held),
                    sum_squares=sum(middle * middle * value for middle, value in held),
                    # Its format begins with what lies below the first edge.
                    bucket_limits=list(edges),
                    bucket_counts=[0.0, *values],
                    global_step=step,
                )

    def flush(self) -> None:
        """Put on disk what was added so far."""
        with self._give_up_on_error():
            if self._writer is not None:
                self._writer.flush()

    @contextmanager
    def _give_up_on_error(self) -> Iterator[None]:
        """Stop writing at the first error, which a thread of the writer's may have met."""
        try:
            yield
        except OSError as error:
            self._writer = None
            self.lost = str(file_error(error, self._folder) or error)
