"""The one training loop, on Lightning Fabric."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from harness.adapter import Batch
from harness.errors import JobFailed
from harness.feeding.feeder import Feeder
from harness.feeding.step_inputs import step_seed
from harness.measure.environment import device_name
from harness.measure.rounding import arithmetic, half_precision_hint
from harness.measure.timing import cpu_times
from harness.records.damage import DamagedFile
from harness.records.documents import sha256_file
from harness.series.scalar_names import SAMPLE, TRAINING
from harness.train.checkpoint import (
    KEY,
    Weights,
    average_weights,
    load_resume,
    load_weights,
    save_resume,
    save_weights,
)
from harness.train.continuation import parent_state
from harness.train.epoch_targets import EpochTargets
from harness.train.gradient_accumulation import Precision, learn
from harness.train.gradient_evidence import HeadWatch
from harness.train.kept_states import keep_chosen, keep_state, steps_to_keep
from harness.train.moving_average import MovingAverage
from harness.train.optimization import (
    head_value,
    learning_rate_factor,
    loss_scaler,
    make_optimizer,
    update_weights,
)
from harness.train.recorder import Recorder
from harness.train.system import System, mine_hard_labels
from harness.train.training_plan import TrainingPlan, Validation
from harness.train.training_progress import (
    FINAL,
    RESUME,
    Progress,
    TrainingResult,
    snapshot_name,
)

WARM_UP = 3
"""Steps after a start whose waiting does not count: workers start, caches fill."""


def train(system: System, plan: TrainingPlan, fabric: Fabric) -> TrainingResult:
    """Train a system, and fine-tune it if the plan says so.

    The training goes on from the last resume point if there is one, else from where its parent
    ended if it has one. The final weights lie in `weights.safetensors` of the plan's folder.

    Raises:
        JobFailed: the loss or the gradient is not finite, or the parent's last state is not there.
        DamagedFile: weights that it kept before are not what was written; without its resume
            point, it begins again.
    """
    state = load_resume(plan.folder / RESUME, plan.key)
    is_first_part = state is None
    if state is None and plan.parent is not None:
        state = parent_state(plan.parent, plan.before)
    progress = Progress.from_facts(state["progress"]) if state else _beginning(plan)
    phases = plan.phases
    with (
        arithmetic(
            fabric.device,
            tf32=plan.recipe.tf32,
            deterministic=plan.recipe.deterministic,
            in_no_order=progress.in_no_order,
        ),
        Recorder(plan.folder, plan.title, phases, progress.step) as recorder,
    ):
        run = _Run(system, phases[progress.phase], fabric, progress, recorder)
        if state:
            run.restore(state)
        if is_first_part:
            run.keep_state()
        run.finish()
        for phase in phases[progress.phase + 1 :]:
            run = run.begin_fine_tuning(phase)
            run.finish()
        recorder.mark("chosen", progress.selected_step, run.plan.recipe.select)
    progress.lost_curves = progress.lost_curves or recorder.lost
    return progress.result(run.plan.batches.batch)


def _beginning(plan: TrainingPlan) -> Progress:
    return Progress(to_keep=steps_to_keep(plan.keep_states, plan.phases[-1].last))


class _Run:
    """One training: the first, or the fine-tuning of its result."""

    def __init__(
        self,
        system: System,
        plan: TrainingPlan,
        fabric: Fabric,
        progress: Progress,
        recorder: Recorder,
    ) -> None:
        self.system, self.plan, self.fabric, self.recorder = system, plan, fabric, recorder
        # Under a scaler Fabric clips no gradients of an optimiser whose step is fused.
        fused = fabric.device.type == "cpu" and loss_scaler(fabric) is None
        optimizer = make_optimizer(plan.recipe.optimizer, system.parameters(), fused=fused)
        self.module, self.optimizer = fabric.setup(system, optimizer)
        self.module.mark_forward_method("learn")
        self.average = MovingAverage(system, plan.recipe.ema) if plan.recipe.ema else None
        self.targets = EpochTargets(system, plan)
        self.progress, self.first = progress, progress.step
        progress.right = deque(progress.right, maxlen=plan.batches.steps_per_epoch)
        self.full = {name: float(getattr(system.head, name)) for name in plan.scheduled}
        self.watch = HeadWatch(system.head)
        self.cpu = cpu_times()
        recorder.begin(plan, self.full)

    def finish(self) -> None:
        maker = self.plan.inputs(self.system.declared)
        steps = range(self.plan.draw(self.first), self.plan.draw(self.plan.last))
        with Feeder(maker, steps, self.fabric.device, self.plan.data_workers) as feeder:
            while not self._is_over:
                self._step(feeder)
        if self.progress.step < self.plan.last:
            text = f"no better validation in {self.plan.recipe.patience}"
            self.recorder.mark("stopped", self.progress.step, text)
        self._keep_final()
        for name, value in self.full.items():
            setattr(self.system.head, name, value)

    @property
    def _is_over(self) -> bool:
        step, selected = self.progress.step, self.progress.selected_step
        return step >= self.plan.last or self.plan.has_lost_patience(step, selected)

    def begin_fine_tuning(self, phase: TrainingPlan) -> _Run:
        """Return the fine-tuning of this training's weights, with an optimiser of its own."""
        self.progress.begin_next_phase()
        self.system.load_state_dict(self._load(self.plan.folder / FINAL))
        run = _Run(self.system, phase, self.fabric, self.progress, self.recorder)
        run._save()  # before any better weights take the place of those that it begins with
        return run

    def _step(self, feeder: Feeder) -> None:
        began, waited = time.monotonic(), feeder.waited
        step = self.progress.step
        values = self._update(step, feeder)
        if step >= self.first + WARM_UP:
            self.progress.stepped += time.monotonic() - began
            self.progress.waited += feeder.waited - waited
        self.progress.step = done = step + 1
        self.progress.seconds += time.monotonic() - began
        # Not within the time that is counted: whoever hears of it may let this process wait.
        self.plan.report(done, self.plan.last, values["Loss"])
        began = time.monotonic()
        validation = self._validate() if done in self.plan.validation_steps else None
        self.progress.seconds += time.monotonic() - began
        self.recorder.add(done, self.progress.seconds, values, validation)
        self._take_snapshot()
        self.keep_state()
        if self.plan.keeps(done):
            name = f"epoch-{self.plan.epochs_after(done):g}.safetensors"
            save_weights(self.plan.folder / name, self._weights())
        if done in self.plan.checkpoint_steps:
            # Before the resume point: a resumed run adds only what follows it.
            self.recorder.save_point(done)
            now = cpu_times()
            spent, self.cpu = now.since(self.cpu), now
            self.progress.cpu_ran += spent.ran
            self.progress.cpu_waited += spent.waited
            self._save()

    def _update(self, step: int, feeder: Feeder) -> dict[str, float]:
        """Do one step; all randomness comes from seed and step, so a resume repeats it."""
        self.system.train()
        torch.manual_seed(step_seed(self.plan.seed, step))
        rate, scheduled = self._set_schedules(step)
        per_epoch = self.plan.batches.steps_per_epoch
        mine_hard_labels(self.system, feeder, self.plan.draw(step), per_epoch)
        assigned = self.targets.before(step)
        # First, so that what a GPU holds to make features is not held beside old gradients.
        self.optimizer.zero_grad(set_to_none=True)
        made = feeder.take()
        batch, labels, part = made.batch, made.labels, self.plan.recipe.micro_batch
        norm = self.plan.recipe.batch_norm
        if self.plan.teacher is not None:
            batch = replace(batch, teacher=self.plan.teacher(made.values))
        # The one device's module is called past Fabric, which then enters no autocast by itself.
        precision = Precision(self.fabric.autocast, self.fabric.backward)
        watched = self.plan.is_watched(step + 1)
        watch: AbstractContextManager[object] = self.watch if watched else nullcontext()
        with watch:
            learned = learn(self.system, made.values, batch, part, precision, norm)
        values = {"Loss": learned.loss, "lr": rate, **scheduled, **learned.statistics}
        if assigned is not None:
            values |= assigned.statistics
            self.recorder.add_assigned(step + 1, assigned)
        self._update_weights(step, learned.loss, values)
        if self.average is not None:
            self.average.add(self.system)
        if learned.logits is not None:
            values["Accuracy"] = share_of_right(learned.logits, batch)
        if "Accuracy" in values:
            self.progress.right.append(values["Accuracy"])
        if self.plan.ends_epoch(step + 1, self.plan.recipe.vector_epochs):
            self.recorder.add_vectors(step + 1, self.system.head, learned.logits, labels)
            seen = {TRAINING: self.watch.evidence(), **self.plan.look(self.system)}
            self.recorder.add_evidence(step + 1, self.progress.seconds, seen)
        return values

    def _update_weights(self, step: int, loss: float, values: dict[str, float]) -> None:
        """Let the optimiser do its step; keep the gradient's norm and the scaler's factor."""
        recipe, scaler = self.plan.recipe, loss_scaler(self.fabric)
        try:
            if not math.isfinite(loss):
                raise JobFailed(f"loss became {loss}")
            done, norm = update_weights(self.fabric, self.module, self.optimizer, recipe.clip_norm)
        except JobFailed as error:
            hint = half_precision_hint(device_name(self.fabric.device), recipe.precision)
            told = f"{error} at step {step + 1}"
            raise JobFailed("; ".join(filter(None, (told, hint)))) from error
        self.progress.left_out += not done
        if norm is not None:
            values["grad_norm"] = norm
        if scaler is not None:
            values["loss_scale"] = scaler.get_scale()
            values["steps_left_out"] = self.progress.left_out

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
            values[name] = head_value(rise, full, progress) if rise else full
            setattr(self.system.head, name, values[name])
        return rate, values

    def _validate(self) -> Validation:
        with self.average.in_place(self.system) if self.average else nullcontext():
            found = self.plan.validate(self.system)
        value = found.judged[self.plan.primary]
        if self.plan.recipe.select != "best" or self.plan.better(value, self.progress.best):
            self.progress.best = value
            self.progress.selected_step = self.progress.step
            self.progress.validation = found.judged
            if self.plan.recipe.augment.mixes:
                self.progress.sampled = found.measured.get(f"{SAMPLE}/accuracy")
            if self.plan.recipe.select == "best":
                self.progress.chosen = {}
                self._choose(FINAL)
        return found

    def _weights(self) -> Weights:
        """Return the weights that are judged: the averaged ones, if the recipe averages."""
        if self.average is not None:
            return self.average.values
        return {name: value.detach() for name, value in self.system.state_dict().items()}

    def _save(self) -> None:
        state = self._state(self.progress.facts)
        save_resume(self.plan.folder / RESUME, {**state, KEY: self.plan.key})

    def _state(self, progress: dict[str, Any]) -> dict[str, Any]:
        return {
            "system": self.system.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self.fabric.strategy.precision.state_dict(),
            "progress": progress,
            **({"average": self.average.state} if self.average else {}),
            **self.targets.state,
        }

    def keep_state(self) -> None:
        """Keep the state for an audit, if it is one that is to be kept."""
        step = self.progress.step
        if step in self.progress.to_keep:
            digest = keep_state(self.plan.folder, step, self._state(self.progress.lasting))
            self.progress.kept[step] = digest
            self.plan.kept(step, digest)

    def _take_snapshot(self) -> None:
        step = self.progress.step
        if self.plan.recipe.select == "average" and step in self._steps_to_average:
            self._choose(snapshot_name(step))

    def _choose(self, name: str) -> None:
        """Write weights that the result may be made of; an audit wants a copy of its own."""
        step, weights = self.progress.step, self._weights()
        self._write(self.plan.folder / name, weights)
        if self.progress.to_keep:
            self.progress.chosen[step] = keep_chosen(self.plan.folder, step, weights)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `_save` wrote, of this training or of its parent."""
        self.system.load_state_dict(state["system"])
        self.targets.restore(state)
        # Moments alone: a continuation's recipe may decay weights otherwise than its parent's.
        groups = [{**group} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, own in zip(self.optimizer.param_groups, groups, strict=True):
            group.update({**own, "params": group["params"]})
        self.fabric.strategy.precision.load_state_dict(state["precision"])
        if self.average is not None:
            # A parent without an average leaves its last weights to begin one with.
            begun = MovingAverage(self.system, 0.0).state
            self.average.restore(state.get("average", begun))

    @property
    def _steps_to_average(self) -> list[int]:
        return sorted(self.plan.checkpoint_steps)[-self.plan.recipe.average_last :]

    def _keep_final(self) -> None:
        if self.plan.recipe.select == "best":
            self._hold(self.plan.folder / FINAL)
        if self.plan.recipe.select == "last":
            self._write(self.plan.folder / FINAL, self._weights())
        if self.plan.recipe.select == "average":
            paths = [self.plan.folder / snapshot_name(step) for step in self._steps_to_average]
            self._write(self.plan.folder / FINAL, average_weights(list(map(self._load, paths))))

    def _write(self, path: Path, weights: Weights) -> None:
        save_weights(path, weights)
        self.progress.written[path.name] = sha256_file(path)

    def _hold(self, path: Path) -> None:
        """Refuse weights that are not those that this training wrote.

        Raises:
            DamagedFile: they are absent or others.
        """
        named = self.progress.written.get(path.name)
        if not path.is_file() or named not in (None, sha256_file(path)):
            raise DamagedFile(f"{path}: not the weights that were written")

    def _load(self, path: Path) -> Weights:
        self._hold(path)
        return load_weights(path)


def share_of_right(logits: Tensor, batch: Batch) -> float:
    """Return the share of right decisions; of a mixed item each label counts by its weight."""
    decided = logits.argmax(1)
    right = (decided == batch.labels).float()
    if batch.mix_labels is not None and batch.mix_weights is not None:
        other = (decided == batch.mix_labels).float()
        right = batch.mix_weights * right + (1 - batch.mix_weights) * other
    return float(right.mean())
