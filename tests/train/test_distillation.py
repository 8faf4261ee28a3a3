"""A student's loss with a teacher's answers in it, in whole batches and in parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from harness.adapter import Batch, LossOutput
from harness.config.recipe_tables import Distill
from harness.errors import JobFailed
from harness.train.distillation import distilled
from harness.train.gradient_accumulation import Precision, autocast, learn
from harness.train.training_progress import FINAL
from tests.train.small_training import RECIPE, StopError, small_system, trained

PLAN = Distill(model="m", recipe="r", weight=0.7, temperature=3.0)
PLAIN = Precision(lambda: autocast("32-true", "cpu"), torch.Tensor.backward)


def test_the_loss_is_hintons() -> None:
    logits, teacher = torch.randn(5, 4), torch.randn(5, 4)
    found = distilled(LossOutput(torch.tensor(2.0), logits), teacher, PLAN).loss
    taught, own = (teacher / 3).softmax(1), (logits / 3).softmax(1)
    divergence = (taught * (taught / own).log()).sum(1).mean()
    torch.testing.assert_close(found, 0.3 * torch.tensor(2.0) + 0.7 * 9 * divergence)


def test_a_teacher_that_agrees_adds_nothing() -> None:
    logits = torch.randn(5, 4)
    found = distilled(LossOutput(torch.tensor(2.0), logits), logits + 1.0, PLAN).loss
    torch.testing.assert_close(found, torch.tensor(0.6))


def test_a_loss_without_logits_cannot_be_taught() -> None:
    with pytest.raises(JobFailed, match="no logits"):
        distilled(LossOutput(torch.tensor(2.0)), torch.randn(5, 4), PLAN)


def test_parts_have_the_gradient_of_the_whole() -> None:
    rows, labels = torch.randn(6, 5, 4), torch.arange(6) % 3
    mixed = Batch(
        labels, mix_labels=labels.flip(0), mix_weights=torch.rand(6), teacher=torch.randn(6, 3)
    )
    gradients = []
    for part in (None, 2):
        system = small_system(RECIPE).eval()
        system.distill = PLAN
        learned = learn(system, rows, mixed, part, PLAIN)
        gradients.append((learned.loss, [each.grad for each in system.parameters()]))
    (whole, wanted), (parts, found) = gradients
    assert parts == pytest.approx(whole, rel=1e-5)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_a_taught_training_that_is_cut_off_gives_the_same_bytes(tmp_path: Path) -> None:
    teacher = small_system(RECIPE).eval()

    def answer(inputs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return teacher.decide(teacher.embed(inputs), "logits")

    def student() -> object:
        system = small_system(RECIPE)
        system.distill = PLAN
        return system

    given = {"teacher": answer}
    trained(tmp_path / "whole", system=student(), **given)  # type: ignore[arg-type]
    with pytest.raises(StopError):
        trained(tmp_path / "cut", stop_at=3, system=student(), **given)  # type: ignore[arg-type]
    trained(tmp_path / "cut", system=student(), **given)  # type: ignore[arg-type]
    whole = (tmp_path / "whole" / FINAL).read_bytes()
    assert (tmp_path / "cut" / FINAL).read_bytes() == whole
    trained(tmp_path / "alone")
    assert (tmp_path / "alone" / FINAL).read_bytes() != whole
