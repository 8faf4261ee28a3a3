"""The curves of a run: TensorBoard scalars against the global step.

A resumed run goes on where its last checkpoint stood; what had been written after it is
purged, so that no curve is drawn twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter


class Curves:
    """Scalars under the field's names (`Train/Loss`, `Test/eer`, ...).

    `Test/` is the field's habit: the numbers under it are of the validation split.

    Args:
        folder: where the event files lie.
        first_step: the step that is run next; later ones in older files are purged.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=first_step or None)

    def __enter__(self) -> Curves:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def train(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of a training step."""
        self._add("Train", step, values)

    def validation(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of the validation split."""
        self._add("Test", step, values)

    def flush(self) -> None:
        """Put on disk what was drawn so far."""
        self._writer.flush()

    def _add(self, group: str, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
