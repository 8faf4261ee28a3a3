"""The schedules against torch's, and the formulas of recipes written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, CyclicLR

from harness.config.recipe_tables import LearningRate, Rise
from harness.train.optimization import head_value, learning_rate_factor, rise_factor

PEAK = 1e-3


def rates(plan: LearningRate, steps: int) -> list[float]:
    """The rate at every point from 0 to the end of a run."""
    return [PEAK * learning_rate_factor(plan, step / steps) for step in range(steps + 1)]


def torch_rates(
    make: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler], steps: int
) -> Iterator[float]:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=PEAK)
    scheduler = make(optimizer)
    for _ in range(steps):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize(("half", "cycles"), [(65, 1.0), (65, 3.0), (50, 2.5), (1, 4.0)])
def test_cyclic_is_the_triangle_of_torch(half: int, cycles: float) -> None:
    """SpeechBrain's recipe: from 1e-8 to 1e-3 and back, half a cycle a step size."""
    steps = round(2 * half * cycles)
    plan = LearningRate(shape="cyclic", warmup=0, final=1e-5, cycles=cycles)
    wanted = torch_rates(
        lambda optimizer: CyclicLR(
            optimizer, base_lr=1e-8, max_lr=PEAK, step_size_up=half, cycle_momentum=False
        ),
        steps + 1,
    )
    assert rates(plan, steps) == pytest.approx(list(wanted), abs=1e-15)


def test_half_a_cycle_may_be_left_over() -> None:
    """A run of 387,000 steps with a step size of 65,000 ends in its third triangle."""
    plan = LearningRate(shape="cyclic", warmup=0, final=1e-5, cycles=387 / 130)
    assert learning_rate_factor(plan, 65 / 387) == pytest.approx(1.0)
    assert learning_rate_factor(plan, 325 / 387) == pytest.approx(1.0)
    assert learning_rate_factor(plan, 1.0) == pytest.approx(1e-5 + (1 - 1e-5) * 3 / 65)


@pytest.mark.parametrize(
    ("first", "growth", "cycles"), [(10, 1, 5), (10, 2, 3), (7, 3, 3), (12, 1, 1), (3, 2, 6)]
)
def test_warm_restarts_are_those_of_torch(first: int, growth: int, cycles: int) -> None:
    steps = sum(first * growth**number for number in range(cycles))
    plan = LearningRate(shape="warm-restarts", warmup=0, final=0.05, cycles=cycles, growth=growth)
    wanted = torch_rates(
        lambda optimizer: CosineAnnealingWarmRestarts(
            optimizer, T_0=first, T_mult=growth, eta_min=0.05 * PEAK
        ),
        steps,
    )
    found = rates(plan, steps)
    assert found[:-1] == pytest.approx(list(wanted))
    assert found[-1] == pytest.approx(0.05 * PEAK), "the last cosine ends; it does not restart"


def test_a_growth_need_not_be_whole() -> None:
    """Cosines of 4, 6 and 9 tenths, as a loop over them draws them."""
    plan = LearningRate(shape="warm-restarts", warmup=0, final=0.1, cycles=3, growth=1.5)
    wanted = [
        0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done / length))
        for length in (40, 60, 90)
        for done in range(length)
    ]
    found = [learning_rate_factor(plan, step / 190) for step in range(190)]
    assert found == pytest.approx(wanted)


@pytest.mark.parametrize("steps", [30, 300, 3333])
def test_restarts_are_at_the_same_shares_however_long_the_run(steps: int) -> None:
    plan = LearningRate(shape="warm-restarts", warmup=0.1, final=0.01, cycles=3, growth=2)
    rising = [
        step / steps
        for step in range(1, steps + 1)
        if learning_rate_factor(plan, step / steps) > learning_rate_factor(plan, (step - 1) / steps)
        and step / steps > 0.1 + 1 / steps
    ]
    assert rising == pytest.approx([0.1 + 0.9 / 7, 0.1 + 0.9 * 3 / 7], abs=1.01 / steps)


def wespeaker_margin(step: int, start: int, fix: int, initial: float, final: float) -> float:
    """WeSpeaker's MarginScheduler with `increase_type: exp`, by hand."""
    if step < start:
        return initial
    if step >= fix:
        return final
    share = (step - start) / (fix - start)
    return initial + (final - initial) * (1 - math.exp(share * math.log(1e-3 / (1 + 1e-6))))


def test_the_margin_of_wespeakers_recipe() -> None:
    """0 to 0.2 from epoch 20 to epoch 40 of 150; theirs jumps the last thousandth at the end."""
    plan = Rise(shape="exponential", start=19 / 150, end=39 / 150)
    for step in range(1500):
        wanted = wespeaker_margin(step, 190, 390, 0.0, 0.2)
        found = head_value(plan, 0.2, step / 1500)
        assert found == pytest.approx(wanted, abs=0.2 * 1.01e-3)
        if 190 < step < 390:
            assert found * (1 - 1e-3) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("name", "low", "high"), [("scale", 30.0, 35.0), ("margin", 0.30, 0.35)])
@pytest.mark.parametrize("shape", ["linear", "exponential"])
def test_a_rise_between_two_values(name: str, low: float, high: float, shape: str) -> None:
    plan = Rise.model_validate(
        {"shape": shape, "initial_value": low, "final_value": high, "start": 0.2, "end": 0.6}
    )
    for step in range(101):
        share = min(1.0, max(0.0, (step - 20) / 40))
        risen = share if shape == "linear" else (1 - 1e-3**share) / (1 - 1e-3)
        found = head_value(plan, 1.0, step / 100)
        assert found == pytest.approx(low + (high - low) * risen, abs=1e-12), (name, step)
    assert head_value(plan, 1.0, 0.0) == low
    assert head_value(plan, 1.0, 1.0) == high


def test_a_rounded_share_is_no_value() -> None:
    """Why a start can be given as a value: 0.857 of 35 is not 30."""
    rounded = head_value(Rise(initial=0.857, end=1.0), 35.0, 0.0)
    assert rounded == pytest.approx(29.995)
    assert rise_factor(Rise(initial=0.857, end=1.0), 0.0) == 0.857


def wespeaker_factor(step: int, steps: int, warmup: int) -> float:
    """WeSpeaker's exponential decrease from 0.1 to 5e-5, the warm-up a factor upon it."""
    decayed = math.exp(step / steps * math.log(5e-5 / 0.1))
    return min(1.0, step / warmup) * decayed


def test_a_shape_from_the_start_is_wespeakers() -> None:
    plan = LearningRate(shape="exponential", warmup=0.04, final=5e-4, from_start=True)
    wanted = [PEAK * wespeaker_factor(step, 1500, 60) for step in range(1501)]
    assert rates(plan, 1500) == pytest.approx(wanted, rel=1e-12)
    assert max(rates(plan, 1500)) == pytest.approx(PEAK * 5e-4**0.04), "under the rate named"


def test_a_shape_from_the_start_without_a_warm_up_is_the_shape() -> None:
    plain = LearningRate(shape="cosine", warmup=0.0)
    assert rates(plain.model_copy(update={"from_start": True}), 50) == rates(plain, 50)
