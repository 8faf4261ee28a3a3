"""How far a training is, and what it leaves behind."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.measure.timing import CpuTimes


@dataclass(frozen=True)
class Ended:
    """What a training came to that a fine-tuning went on from.

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
    """What a training leaves behind.

    Attributes:
        steps: length of the run, its fine-tuning included.
        batch: items a step.
        accuracy: share of right training decisions over the last epoch, None without logits.
        selected_step: the step whose weights were kept (the last one of an average).
        validation: numbers of the validation split at that step.
        seconds: time spent in steps and validations, over all resumes.
        data_wait: share of the time of steps that was spent waiting for inputs, the first few
            steps after each start apart; None where there are no more than these.
        cpu_wait: share of its time that training's threads had no processor.
        before_fine_tuning: the training that was fine-tuned; None where nothing was.
        notes: what a reader of its row must know of how it went.
    """

    steps: int
    batch: int
    accuracy: float | None
    selected_step: int
    validation: dict[str, float]
    seconds: float
    data_wait: float | None = None
    cpu_wait: float | None = None
    before_fine_tuning: Ended | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Progress:
    """What a resume point must remember beside weights and optimiser.

    Attributes:
        phase: 0 for the training itself, 1 for its fine-tuning.
        step: steps that are done, counted over both.
        right: shares of right decisions, of the last steps.
        ended: what the training came to that is being fine-tuned.
        lost_curves: why the curves end early; empty where they do not.
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
    ended: Ended | None = None
    lost_curves: str = ""

    @classmethod
    def restored(cls, facts: dict[str, Any]) -> Progress:
        """What `facts` gave; those of an older file lack what there was no need of then."""
        ended = facts.get("ended")
        return cls(**{**facts, "right": deque(facts["right"]), "ended": ended and Ended(**ended)})

    @property
    def facts(self) -> dict[str, Any]:
        """The same in plain types."""
        return {**asdict(self), "right": list(self.right)}

    @property
    def accuracy(self) -> float | None:
        """Share of right decisions over the last steps; None where none were counted."""
        return sum(self.right) / len(self.right) if self.right else None

    @property
    def data_wait(self) -> float | None:
        """Share of the time of steps spent waiting for inputs."""
        return self.waited / self.stepped if self.stepped else None

    @property
    def cpu_wait(self) -> float | None:
        """Share of their time that threads had no processor."""
        return CpuTimes(self.cpu_ran, self.cpu_waited).share

    def begin_next_phase(self) -> None:
        """Go on to the fine-tuning: what was judged before does not count in it."""
        self.ended = Ended(
            self.step, self.accuracy, self.selected_step, dict(self.validation or {})
        )
        self.phase += 1
        self.best, self.validation = None, None
        self.right.clear()

    def result(self, batch: int) -> TrainingResult:
        """What is left behind once all steps are done."""
        return TrainingResult(
            steps=self.step,
            batch=batch,
            accuracy=self.accuracy,
            selected_step=self.selected_step,
            validation=dict(self.validation or {}),
            seconds=self.seconds,
            data_wait=self.data_wait,
            cpu_wait=self.cpu_wait,
            before_fine_tuning=self.ended,
            notes=(f"its curves end early: {self.lost_curves}",) if self.lost_curves else (),
        )
