"""Progress of a training, and its result; nothing here imports torch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.measure.timing import CpuTimes
from harness.series.series_file import last_resume_point

RESUME = "resume.pt"
FINAL = "weights.safetensors"
LASTING = {"step", "best", "selected_step", "validation", "right", "phase", "ended", "chosen"}
"""Fields of `Progress` that belong to a kept state."""


@dataclass(frozen=True)
class FirstTraining:
    """Result of a training that a fine-tuning went on from.

    Attributes:
        steps: its length.
        accuracy, selected_step, validation: as of `TrainingResult`.
    """

    steps: int
    accuracy: float | None
    selected_step: int
    validation: dict[str, float]


@dataclass(frozen=True)
class TrainingResult:
    """Result of a training.

    Attributes:
        steps: length of the run, its fine-tuning included.
        batch: items a step.
        accuracy: share of right training decisions over the last epoch, None without logits; of a
            training on mixed items, that of a sample of items as they are, at the selected step.
        selected_step: the step whose weights were kept (the last one of an average).
        validation: numbers of the validation split at that step.
        seconds: time spent in steps and validations, over all resumes.
        data_wait: share of the time of steps that was spent waiting for inputs, the first few
            steps after each start apart; None if there are no more than these.
        cpu_wait: share of its time that training's threads had no processor.
        before_fine_tuning: the training that was fine-tuned; None if nothing was.
        notes: facts of the run that a reader of its row must know.
        states: step and hash of each state that was kept for an audit, in their order.
    """

    steps: int
    batch: int
    accuracy: float | None
    selected_step: int
    validation: dict[str, float]
    seconds: float
    data_wait: float | None = None
    cpu_wait: float | None = None
    before_fine_tuning: FirstTraining | None = None
    notes: tuple[str, ...] = ()
    states: tuple[tuple[int, str], ...] = ()


@dataclass
class Progress:
    """State that a resume point must remember beside weights and optimiser.

    Attributes:
        phase: 0 for the training itself, 1 for its fine-tuning.
        step: steps that are done, counted over both.
        right: shares of right decisions, of the last steps.
        ended: the training that is being fine-tuned.
        lost_curves: the reason why the curves end early; empty if they do not.
        written: file of weights -> sha256 that it was written with; older resume points lack it.
        to_keep: steps after which a state is kept for an audit, decided when the training begins.
        kept: step -> hash of the states that are kept.
        chosen: step -> hash of weights that the result may be made of, where states are kept.
        left_out: steps that a scaler left out, as their gradients were not finite.
        in_no_order: operations of a GPU for which torch has no kernel that repeats to the bit.
        sampled: share of right decisions on a sample of training items, at the selected step, if
            those on batches would be of mixed items.
    """

    step: int = 0
    best: float | None = None
    selected_step: int = 0
    validation: dict[str, float] | None = None
    right: deque[float] = field(default_factory=deque)
    seconds: float = 0.0
    stepped: float = 0.0
    waited: float = 0.0
    cpu_ran: float = 0.0
    cpu_waited: float = 0.0
    phase: int = 0
    ended: FirstTraining | None = None
    lost_curves: str = ""
    written: dict[str, str] = field(default_factory=dict)
    to_keep: tuple[int, ...] = ()
    kept: dict[int, str] = field(default_factory=dict)
    chosen: dict[int, str] = field(default_factory=dict)
    left_out: int = 0
    in_no_order: set[str] = field(default_factory=set)
    sampled: float | None = None

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Progress:
        """Restore the progress from `facts`; those of an older file lack later fields."""
        ended = facts.get("ended") and FirstTraining(**facts["ended"])
        plain = {"right": deque(facts["right"]), "ended": ended}
        return cls(**{**facts, **plain, "in_no_order": set(facts.get("in_no_order", ()))})

    @property
    def facts(self) -> dict[str, Any]:
        """The progress in plain types."""
        plain = {"right": list(self.right), "in_no_order": sorted(self.in_no_order)}
        return {**asdict(self), **plain}

    @property
    def lasting(self) -> dict[str, Any]:
        """What the rest of the training depends on, in plain types: no times, no bookkeeping."""
        return {name: value for name, value in self.facts.items() if name in LASTING}

    @property
    def accuracy(self) -> float | None:
        """Share of right decisions over the last steps; None if none were counted."""
        return sum(self.right) / len(self.right) if self.right else None

    def begin_next_phase(self) -> None:
        """Go on to the fine-tuning: validations from before do not count in it."""
        self.ended = FirstTraining(
            self.step, self.accuracy, self.selected_step, dict(self.validation or {})
        )
        self.phase += 1
        self.best, self.validation = None, None
        self.chosen = {}
        self.right.clear()

    def continued(self) -> Progress:
        """Return the progress that a continuation begins with: steps are counted on."""
        return Progress(
            step=self.step,
            right=self.right,
            ended=self.ended,
            left_out=self.left_out,
            in_no_order=self.in_no_order,
        )

    def result(self, batch: int) -> TrainingResult:
        """Return the result once all steps are done."""
        return TrainingResult(
            steps=self.step,
            batch=batch,
            accuracy=self.accuracy if self.sampled is None else self.sampled,
            selected_step=self.selected_step,
            validation=dict(self.validation or {}),
            seconds=self.seconds,
            data_wait=self.waited / self.stepped if self.stepped else None,
            cpu_wait=CpuTimes(self.cpu_ran, self.cpu_waited).share,
            before_fine_tuning=self.ended,
            notes=tuple(self._notes()),
            states=tuple(sorted(self.kept.items())),
        )

    def _notes(self) -> Iterator[str]:
        if self.lost_curves:
            yield f"its curves end early: {self.lost_curves}"
        if self.sampled is not None:
            yield (
                "its training accuracy is of a sample of training items as they are, since it "
                "learnt from mixed ones"
            )
        if self.left_out:
            yield (
                f"{self.left_out} of its {self.step} steps changed no weight: in half precision "
                "their gradients were not finite"
            )
        if self.in_no_order:
            yield f"not repeatable to the bit on a GPU: {', '.join(sorted(self.in_no_order))}"


def snapshot_name(step: int) -> str:
    """Return the name of the file of weights that go into an average."""
    return f"snapshot-{step}.safetensors"


def resume_step(folder: Path) -> int | None:
    """Return the step that a training would go on from; None if it would begin."""
    return last_resume_point(folder) if (folder / RESUME).exists() else None
