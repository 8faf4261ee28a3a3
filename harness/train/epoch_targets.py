"""Targets that a head gives to all training items by itself, at the start of each epoch."""

from __future__ import annotations

from typing import Any

import torch

from harness.adapter import Assigned
from harness.errors import JobFailed
from harness.train.system import System, outputs_of
from harness.train.training_plan import TrainingPlan


class EpochTargets:
    """Asks an `AssigningHead` once an epoch, and hands its answer on to each step.

    For a system whose loss does not ask for `epoch_embeddings` it does nothing.

    Args:
        system: that is trained.
        plan: of its training.
    """

    def __init__(self, system: System, plan: TrainingPlan) -> None:
        self._system, self._plan = system, plan
        self._held: Assigned | None = None

    def before(self, step: int) -> Assigned | None:
        """Give the system the targets of a step's items; leave it in training mode.

        Returns:
            The answer for all items if the head was asked now, that is at an epoch's first step.

        Raises:
            JobFailed: the head answers something of another shape.
        """
        if not self._system.assigns:
            return None
        batches, place = self._plan.batches, self._plan.draw(step)
        new = None
        if self._held is None or place % batches.steps_per_epoch == 0:
            self._held = new = self._ask((step - self._plan.before) / max(1, self._plan.steps))
        rows = torch.tensor(batches.rows(place)).to(self._held.targets.device)
        self._system.assigned = self._held.of(rows)
        return new

    @property
    def state(self) -> dict[str, Any]:
        """The targets as a part of a resume point; empty before there are any."""
        if self._held is None:
            return {}
        return {"assigned": {"targets": self._held.targets, "weights": self._held.weights}}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the targets of a state that was kept within an epoch, if it has some."""
        if "assigned" in state:
            device = next(self._system.parameters()).device
            kept = state["assigned"]
            self._held = Assigned(kept["targets"].to(device), kept["weights"].to(device))

    def _ask(self, progress: float) -> Assigned:
        system, subset = self._system, self._plan.batches.subset
        device = next(system.parameters()).device
        found = torch.from_numpy(outputs_of(system, subset, "embedding", device)).to(device)
        system.train()
        head: Any = system.head
        with torch.no_grad():
            answer: Assigned = head.assign(found, progress)
        shapes = tuple(answer.targets.shape), tuple(answer.weights.shape)
        if shapes != ((len(subset),), (len(subset),)):
            raise JobFailed(
                f"{type(head).__name__}.assign answers targets and weights of shapes "
                f"{shapes[0]} and {shapes[1]} for {len(subset)} training items"
            )
        targets, weights = answer.targets.to(device), answer.weights.to(device)
        statistics = {**answer.statistics}
        if self._held is not None and bool(self._held.weights.any()):
            # A head that begins where it ended keeps the numbers of its targets.
            statistics["moved_share"] = float((self._held.targets != targets).float().mean())
        return Assigned(targets, weights, statistics, answer.vectors)
