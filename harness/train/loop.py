"""The one training loop, on Lightning Fabric."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from harness.errors import JobFailed
from harness.feeding.feeder import Feeder
from harness.feeding.inputs import step_seed
from harness.measure.timing import cpu_times
from harness.train import log
from harness.train.accumulation import Precision, learn
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
from harness.train.mining import mine
from harness.train.optimizer import make_optimizer
from harness.train.plan import TrainingPlan
from harness.train.progress import Progress, TrainingResult
from harness.train.schedule import learning_rate_factor, scheduled_value
from harness.train.system import System

WARM_UP = 3
"""Steps after a start whose waiting does not count: workers start, caches fill."""


def train(system: System, plan: TrainingPlan, fabric: Fabric) -> TrainingResult:
    """Train a system, and fine-tune it where the plan says so.

    It goes on from the last resume point where there is one. The final weights lie in
    `weights.safetensors` of the plan's folder.

    Raises:
        JobFailed: the loss is not finite.
    """
    run = _begun(system, plan, fabric)
    result = run.finish()
    for phase in plan.phases[run.progress.phase + 1 :]:
        run = run.followed_by(phase)
        result = run.finish()
    return result


def _begun(system: System, plan: TrainingPlan, fabric: Fabric) -> _Run:
    state = load_resume(plan.folder / log.RESUME)
    progress = Progress.restored(state["progress"]) if state else Progress()
    log.keep_until(plan.folder, progress.step)
    run = _Run(system, plan.phases[progress.phase], fabric, progress)
    if state:
        run.restore(state)
    return run


class _Run:
    """One training: the first, or the fine-tuning of what it gave."""

    def __init__(
        self, system: System, plan: TrainingPlan, fabric: Fabric, progress: Progress
    ) -> None:
        self.system, self.plan, self.fabric = system, plan, fabric
        optimizer = make_optimizer(plan.recipe.optimizer, system.parameters())
        self.module, self.optimizer = fabric.setup(system, optimizer)
        self.module.mark_forward_method("learn")
        self.progress, self.first = progress, progress.step
        progress.right = deque(progress.right, maxlen=plan.batches.steps_per_epoch)
        self.full = {name: float(getattr(system.head, name)) for name in plan.scheduled}
        self.cpu = cpu_times()

    def finish(self) -> TrainingResult:
        with (
            Curves(self.plan.folder / "curves", self.first + 1) as curves,
            self._feeder() as feeder,
        ):
            while self.progress.step < self.plan.last:
                self._step(curves, feeder)
        self.progress.lost_curves = self.progress.lost_curves or curves.lost
        self._keep_final()
        for name, value in self.full.items():
            setattr(self.system.head, name, value)
        return self.progress.result(self.plan.batches.batch)

    def followed_by(self, phase: TrainingPlan) -> _Run:
        """The fine-tuning of the weights that this training kept, with an optimiser of its own."""
        self.progress.begin_next_phase()
        self.system.load_state_dict(load_weights(self.plan.folder / FINAL))
        run = _Run(self.system, phase, self.fabric, self.progress)
        run._save()  # before any better weights take the place of those that it begins with
        return run

    def _feeder(self) -> Feeder:
        maker = self.plan.inputs(self.system.declared)
        steps = range(self.first - self.plan.before, self.plan.steps)
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
        self.plan.report(done, self.plan.last, values["Loss"])
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
        in_phase, per_epoch = step - self.plan.before, self.plan.batches.steps_per_epoch
        mine(self.system, feeder, in_phase, per_epoch)
        inputs, labels, _ = feeder.take()
        self.optimizer.zero_grad(set_to_none=True)
        # The one device's module is called past Fabric, which then enters no autocast by itself.
        precision = Precision(self.fabric.autocast, self.fabric.backward)
        learned = learn(self.system, inputs, labels, self.plan.recipe.micro_batch, precision)
        if not math.isfinite(learned.loss):
            raise JobFailed(f"loss became {learned.loss} at step {step + 1}")
        if self.plan.recipe.clip_norm is not None:
            self.fabric.clip_gradients(
                self.module, self.optimizer, max_norm=self.plan.recipe.clip_norm
            )
        self.optimizer.step()
        extra = {**scheduled, **learned.statistics}
        return self._values(learned.loss, rate, learned.logits, labels, extra)

    def _set_schedules(self, step: int) -> tuple[float, dict[str, float]]:
        done = step - self.plan.before
        progress = done / max(1, self.plan.steps)
        recipe = self.plan.recipe
        rate = recipe.optimizer.lr * learning_rate_factor(
            recipe.learning_rate, (done + 1) / self.plan.steps
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        values = {}
        for name, full in self.full.items():
            rise = recipe.schedules.get(name)
            values[name] = scheduled_value(rise, full, progress) if rise else full
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
        state = {
            "system": self.system.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
        }
        save_resume(self.plan.folder / log.RESUME, {**state, "progress": self.progress.facts})

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `_save` wrote."""
        self.system.load_state_dict(state["system"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["precision"])

    @property
    def _averaged_steps(self) -> list[int]:
        return sorted(self.plan.checkpoint_steps)[-self.plan.recipe.average_last :]

    def _snapshot(self, step: int) -> Path:
        return self.plan.folder / f"snapshot-{step}.safetensors"

    def _keep_final(self) -> None:
        if self.plan.recipe.select == "last":
            save_weights(self.plan.folder / FINAL, self._weights())
        if self.plan.recipe.select == "average":
            snapshots = [load_weights(self._snapshot(step)) for step in self._averaged_steps]
            save_weights(self.plan.folder / FINAL, averaged(snapshots))
