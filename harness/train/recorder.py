"""What a training tells of itself: its series, and TensorBoard's curves written from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.adapter import Assigned
from harness.series.scalar_names import TRAINING, VALIDATION
from harness.series.series import MarkKind
from harness.series.series_file import SeriesWriter
from harness.train.gradient_evidence import GradientEvidence
from harness.train.optimization import head_values, scheduled_marks
from harness.train.tensorboard import Curves
from harness.train.training_plan import TrainingPlan, Validation

BINS = 20
"""Of the histogram of probabilities."""


class Recorder:
    """Writes the series of a training and of its fine-tuning.

    Args:
        folder: the training's.
        title: entry and seed: names the folder of the curves.
        phases: the training, and its fine-tuning if there is one.
        step: the last step that is done; that of `phases[0].before` for a training that begins.
    """

    def __init__(self, folder: Path, title: str, phases: Sequence[TrainingPlan], step: int) -> None:
        def epoch(step: int) -> float:
            phase = next((each for each in phases if step <= each.last), phases[-1])
            return phase.epochs_after(step)

        first = phases[0]
        facts = {"entry": title} if title else {}
        facts["last_step"] = str(phases[-1].last)
        if first.parent is not None:
            facts["parent"] = f"{first.parent.name}, after step {first.before}"
        self._series = SeriesWriter(folder, facts, step, epoch, first.before)
        self._curves = Curves(folder / "curves" / title, step + 1)
        self._series.show = self._curves.add
        self._series.show_histogram = self._curves.add_histogram
        self._phases = phases
        self._classes: Sequence[str] = ()
        self._marks: dict[int, list[tuple[MarkKind, str]]] = {}

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._curves.close()
        self._series.flush()

    @property
    def lost(self) -> str:
        """The reason why the curves end early; empty if they do not."""
        return self._curves.lost

    def begin(self, plan: TrainingPlan, full: Mapping[str, float]) -> None:
        """Take the marks of a training that begins, or goes on.

        Args:
            plan: its plan.
            full: name -> the head's own value of what schedules may drive.
        """
        self._classes = plan.batches.classes
        self._marks = {
            plan.before + step: marks
            for step, marks in scheduled_marks(plan.recipe, full, plan.steps).items()
        }
        for each in self._phases:
            if each.last == plan.before:
                self._mark_jumps(each, plan, full)

    def _mark_jumps(
        self, before: TrainingPlan, plan: TrainingPlan, full: Mapping[str, float]
    ) -> None:
        """Take the marks of a head's values that jump from the end of one phase to the next."""
        for name, whole in full.items():
            ended = head_values(before.recipe, name, whole, before.steps)[-1]
            begun = head_values(plan.recipe, name, whole, plan.steps)[0]
            if begun != ended:
                mark: tuple[MarkKind, str] = ("margin", f"{name} {ended:g} -> {begun:g}")
                self._marks.setdefault(plan.before + 1, []).append(mark)

    def add(
        self,
        step: int,
        seconds: float,
        training: Mapping[str, float],
        validation: Validation | None,
    ) -> None:
        """Add the numbers of a step, and of the validation if there was one then."""
        values = {f"{TRAINING}/{name}": value for name, value in training.items()}
        if validation is not None:
            judged = {f"{VALIDATION}/{name}": value for name, value in validation.judged.items()}
            values |= judged | validation.measured
        self._series.add(step, seconds, values)
        for kind, text in self._marks.get(step, ()):
            self._series.mark(kind, step, text)

    def mark(self, kind: MarkKind, step: int, text: str) -> None:
        """Add a mark."""
        self._series.mark(kind, step, text)

    def add_vectors(self, step: int, head: Any, logits: Tensor | None, labels: Tensor) -> None:
        """Add what is to be seen of a step's batch, and what the head hands over.

        Args:
            step: that is done.
            head: of the system; its `vectors`, if it has them, as `harness.adapter.Head` says.
            logits: `[batch, classes]`, or None.
            labels: `[batch]`.
        """
        counts = torch.bincount(labels, minlength=len(self._classes)).tolist()
        names = self._classes if len(counts) == len(self._classes) else ()
        self._series.add_vector(step, f"{TRAINING}/batch_labels", counts, labels=names)
        if logits is not None:
            chances = logits.float().softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1)
            shares = torch.histc(chances, BINS, 0, 1).tolist()
            edges = [each / BINS for each in range(BINS + 1)]
            self._series.add_vector(step, f"{TRAINING}/own_class_probability", shares, edges)
        for name, (values, edges) in getattr(head, "vectors", dict)().items():
            self._series.add_vector(step, f"{TRAINING}/{name}", values, edges)

    def add_evidence(
        self, step: int, seconds: float, found: Mapping[str, GradientEvidence]
    ) -> None:
        """Add what a loss makes of easy and hard items.

        Args:
            step: that is done.
            seconds: time in training so far.
            found: group of the series -> the evidence that goes into it.
        """
        scalars = {
            f"{group}/{name}": value
            for group, evidence in found.items()
            for name, value in evidence.scalars.items()
        }
        if scalars:
            self._series.add(step, seconds, scalars)
        for group, evidence in found.items():
            for name, vector in evidence.vectors.items():
                whole = f"{group}/{name}"
                self._series.add_vector(step, whole, vector.values, vector.edges, vector.labels)

    def add_assigned(self, step: int, assigned: Assigned) -> None:
        """Add the vectors of the targets that a head gave at the start of an epoch."""
        for name, (values, edges) in assigned.vectors.items():
            self._series.add_vector(step, f"{TRAINING}/{name}", values, edges)

    def save_point(self, step: int) -> None:
        """Put all on disk, before a resume point."""
        self._curves.flush()
        self._series.save_point(step)
