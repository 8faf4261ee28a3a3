"""The one training loop, on Lightning Fabric."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

from harness.data.feeding.feeder import Feeder
from harness.data.feeding.inputs import step_seed
from harness.errors import JobFailed
from harness.measure.waiting import CpuTimes, cpu_times
from harness.train import log
from harness.train.checkpoint import (
    Weights,
    averaged,
    load_resume,
    load_weights,
    save_resume,
    save_weights,
)
from harness.train.curves import Curves
from harness.train.log import FINAL
from harness.train.optimizer import make_optimizer
from harness.train.plan import TrainingPlan
from harness.train.schedule import learning_rate_factor, rise_factor
from harness.train.system import System

WARM_UP = 3
"""Steps after a start whose waiting does not count: workers start, caches fill."""


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves behind.

    Attributes:
        steps: length of the run.
        batch: items a step.
        accuracy: share of right training decisions over the last epoch, None without logits.
        selected_step: the step whose weights were kept (the last one of an average).
        validation: numbers of the validation split at that step.
        seconds: time spent in steps and validations, over all resumes.
        data_wait: share of the time of steps that was spent waiting for inputs, the first few
            steps after each start apart; None where there are no more than these.
    """

    steps: int
    batch: int
    accuracy: float | None
    selected_step: int
    validation: dict[str, float]
    seconds: float
    data_wait: float | None = None
    cpu_wait: float | None = None


@dataclass
class _Progress:
    """What a resume point must remember beside weights and optimiser."""

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

    @property
    def data_wait(self) -> float | None:
        return self.waited / self.stepped if self.stepped else None

    @property
    def cpu_wait(self) -> float | None:
        return CpuTimes(self.cpu_ran, self.cpu_waited).share


def train(system: System, plan: TrainingPlan, fabric: Fabric) -> TrainingResult:
    """Train a system, going on from its last resume point where there is one.

    The final weights lie in `weights.safetensors` of the plan's folder.

    Raises:
        JobFailed: the loss is not finite.
    """
    return _Run(system, plan, fabric).finish()


class _Run:
    def __init__(self, system: System, plan: TrainingPlan, fabric: Fabric) -> None:
        self.system, self.plan, self.fabric = system, plan, fabric
        optimizer = make_optimizer(plan.recipe.optimizer, system.parameters())
        self.module, self.optimizer = fabric.setup(system, optimizer)
        self.module.mark_forward_method("learn")
        self.progress = _Progress(right=deque(maxlen=plan.batches.steps_per_epoch))
        self.full = {name: float(getattr(system.head, name)) for name in plan.scheduled}
        self._resume()
        self.first = self.progress.step
        self.cpu = cpu_times()

    def finish(self) -> TrainingResult:
        with (
            Curves(self.plan.folder / "curves", self.first + 1) as curves,
            self._feeder() as feeder,
        ):
            while self.progress.step < self.plan.steps:
                self._step(curves, feeder)
        return self._result()

    def _feeder(self) -> Feeder:
        maker = self.plan.inputs(self.system.declared)
        steps = range(self.first, self.plan.steps)
        return Feeder(maker, steps, self.fabric.device, self.plan.data_workers)

    def _step(self, curves: Curves, feeder: Feeder) -> None:
        began, waited = time.monotonic(), feeder.waited
        step = self.progress.step
        values = self._update(step, feeder)
        if step >= self.first + WARM_UP:
            self.progress.stepped += time.monotonic() - began
            self.progress.waited += feeder.waited - waited
        self.progress.step = done = step + 1
        curves.train(done, values)
        self.plan.report(done, self.plan.steps, values["Loss"])
        validation = self._validate(curves) if done in self.plan.validation_steps else {}
        self.progress.seconds += time.monotonic() - began
        if done in self.plan.checkpoint_steps:
            curves.flush()  # before the resume point: a resumed run draws only what follows it
            log.append(self.plan.folder, done, values, validation)
            self._count_cpu()
            self._save()

    def _count_cpu(self) -> None:
        now = cpu_times()
        spent, self.cpu = now.since(self.cpu), now
        self.progress.cpu_ran += spent.ran
        self.progress.cpu_waited += spent.waited

    def _update(self, step: int, feeder: Feeder) -> dict[str, float]:
        """One step; all randomness comes from seed and step, so a resume repeats it."""
        self.system.train()
        torch.manual_seed(step_seed(self.plan.seed, step))
        rate, scheduled = self._set_schedules(step)
        inputs, labels, _ = feeder.take()
        loss, logits, statistics = self.module.learn(inputs, labels)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise JobFailed(f"loss became {value} at step {step + 1}")
        self.optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.plan.recipe.clip_norm is not None:
            self.fabric.clip_gradients(
                self.module, self.optimizer, max_norm=self.plan.recipe.clip_norm
            )
        self.optimizer.step()
        return self._values(value, rate, logits, labels, {**scheduled, **statistics})

    def _set_schedules(self, step: int) -> tuple[float, dict[str, float]]:
        progress = step / max(1, self.plan.steps)
        recipe = self.plan.recipe
        rate = recipe.optimizer.lr * learning_rate_factor(
            recipe.learning_rate, (step + 1) / self.plan.steps
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        values = {}
        for name, full in self.full.items():
            rise = recipe.schedules.get(name)
            values[name] = full * rise_factor(rise, progress) if rise else full
            setattr(self.system.head, name, values[name])
        return rate, values

    def _values(
        self,
        loss: float,
        rate: float,
        logits: Tensor | None,
        labels: Tensor,
        extra: Mapping[str, float],
    ) -> dict[str, float]:
        values = {"Loss": loss, "lr": rate, **extra}
        if logits is not None:
            values["Accuracy"] = float((logits.argmax(1) == labels).float().mean())
            self.progress.right.append(values["Accuracy"])
        return values

    def _validate(self, curves: Curves) -> dict[str, float]:
        values = self.plan.validate(self.system)
        curves.validation(self.progress.step, values)
        value = values[self.plan.primary]
        if self.plan.recipe.select != "best" or self.plan.better(value, self.progress.best):
            self.progress.best = value
            self.progress.selected_step = self.progress.step
            self.progress.validation = values
            if self.plan.recipe.select == "best":
                save_weights(self.plan.folder / FINAL, self._weights())
        return values

    def _weights(self) -> Weights:
        return {name: value.detach() for name, value in self.system.state_dict().items()}

    def _save(self) -> None:
        if self.plan.recipe.select == "average" and self.progress.step in self._averaged_steps:
            save_weights(self._snapshot(self.progress.step), self._weights())
        facts = asdict(self.progress)
        facts["right"] = list(self.progress.right)
        state = {
            "system": self.system.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }
        save_resume(self.plan.folder / log.RESUME, {**state, "progress": facts})

    def _resume(self) -> None:
        state = load_resume(self.plan.folder / log.RESUME)
        log.keep_until(self.plan.folder, state["progress"]["step"] if state else 0)
        if state is None:
            return
        self.system.load_state_dict(state["system"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        right = deque(state["progress"]["right"], maxlen=self.progress.right.maxlen)
        self.progress = _Progress(**{**state["progress"], "right": right})

    @property
    def _averaged_steps(self) -> list[int]:
        return sorted(self.plan.checkpoint_steps)[-self.plan.recipe.average_last :]

    def _snapshot(self, step: int) -> Path:
        return self.plan.folder / f"snapshot-{step}.safetensors"

    def _result(self) -> TrainingResult:
        if self.plan.recipe.select == "last":
            save_weights(self.plan.folder / FINAL, self._weights())
        if self.plan.recipe.select == "average":
            snapshots = [load_weights(self._snapshot(step)) for step in self._averaged_steps]
            save_weights(self.plan.folder / FINAL, averaged(snapshots))
        right = self.progress.right
        return TrainingResult(
            steps=self.plan.steps,
            batch=self.plan.batches.batch,
            accuracy=sum(right) / len(right) if right else None,
            selected_step=self.progress.selected_step,
            validation=dict(self.progress.validation or {}),
            seconds=self.progress.seconds,
            data_wait=self.progress.data_wait,
            cpu_wait=self.progress.cpu_wait,
        )
