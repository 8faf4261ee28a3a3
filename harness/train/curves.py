"""The curves of a run: TensorBoard scalars against the global step.

A resumed run goes on where its last checkpoint stood; what had been written after it is
purged, so that no curve is drawn twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from harness.errors import file_error


class Curves:
    """Scalars under the field's names (`Train/Loss`, `Test/eer`, ...).

    A training goes on without them where the disk takes no more of them: `lost` says why.

    `Test/` is the field's habit: the numbers under it are of the validation split.

    Args:
        folder: where the event files lie.
        first_step: the step that is run next; later ones in older files are purged.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.lost = ""
        self._folder = folder
        self._writer: SummaryWriter | None = None
        with self._drawing():
            self._writer = SummaryWriter(str(folder), purge_step=first_step or None)

    def __enter__(self) -> Curves:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            with self._drawing():
                self._writer.close()

    def train(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a training step."""
        self._add("Train", step, values)

    def validation(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of the validation split."""
        self._add("Test", step, values)

    def flush(self) -> None:
        """Put on disk what was drawn so far."""
        if self._writer is not None:
            with self._drawing():
                self._writer.flush()

    def _add(self, group: str, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if self._writer is not None:
                with self._drawing():
                    self._writer.add_scalar(f"{group}/{name}", value, step)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Give up drawing at the first error, which a thread of the writer's may have met."""
        try:
            yield
        except OSError as error:
            self._writer = None
            self.lost = str(file_error(error, self._folder) or error)
