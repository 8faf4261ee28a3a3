"""Steps told from steps with fewer items, and measuring told from both."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.timing import repeats_seconds
from harness.run.job.benchmark_target import learning_step, with_more
from harness.run.job.measure_stage import measuring_seconds
from harness.train.system import example_labels
from tests.train.small_training import RECIPE, small_system

SECONDS = st.floats(1e-4, 1e2)


@given(fixed=st.floats(0.0, 1.0), each=st.floats(0.05, 10.0), items=st.integers(8, 512))
def test_a_step_whose_time_is_a_line_is_told_exactly(fixed: float, each: float, items: int) -> None:
    """Where a step's items take a quarter of its time or more, as all steps of 8 items do."""
    times = {few: fixed + each * few for few in (2, 4, 8)}
    assert with_more(times, items) == pytest.approx(fixed + each * items)


@given(few=SECONDS, many=SECONDS, items=st.integers(8, 512))
def test_noise_moves_a_step_no_further_than_its_own_time(
    few: float, many: float, items: int
) -> None:
    told = with_more({2: few, 8: many}, items)
    in_proportion = many * items / 8
    assert many <= told * (1 + 1e-9)
    assert in_proportion / 4 <= told * (1 + 1e-9)
    assert told <= in_proportion * (1 + 1e-9)


@given(times=st.dictionaries(st.sampled_from([2, 4, 8, 16]), SECONDS, min_size=1))
def test_a_step_that_was_timed_is_told_as_it_was(times: dict[int, float]) -> None:
    assert with_more(times, max(times)) == times[max(times)]


@given(single=SECONDS, step=SECONDS, threads=st.sampled_from([1, 2, 8]))
def test_measuring_takes_the_steps_and_embeddings_that_it_times(
    single: float, step: float, threads: int
) -> None:
    whole = measuring_seconds(single, [step], threads, audio=True)
    embedding = measuring_seconds(single, [], threads, audio=True)
    assert whole - embedding == pytest.approx(2 * step + repeats_seconds(step), rel=1e-6, abs=1e-6)
    assert measuring_seconds(single, [step, step], threads, audio=True) > whole
    assert embedding > 8 * single


@pytest.mark.parametrize(("ahead", "made"), [(True, 1), (False, 3)])
def test_a_step_makes_features_where_a_training_does(
    monkeypatch: pytest.MonkeyPatch, ahead: bool, made: int
) -> None:
    """In the background for a processor; in every step on a GPU, once old gradients are gone."""
    monkeypatch.setattr("harness.run.job.benchmark_target.made_ahead", lambda _: ahead)
    system, clean = small_system(RECIPE), []
    system.front_end.register_forward_hook(
        lambda *_: clean.append(all(each.grad is None for each in system.parameters()))
    )
    labels = example_labels(RECIPE, 2, 3)
    step = learning_step(system, RECIPE, torch.randn(2, 800), labels)
    for _ in range(3):
        step()
    assert clean == [True] * made
    assert all(each.grad is not None for each in system.parameters())


def test_a_measured_step_has_the_recipes_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "harness.run.job.benchmark_target.arithmetic",
        lambda _, **options: (asked.append(options), nullcontext())[1],
    )
    recipe = RECIPE.model_copy(update={"tf32": True})
    learning_step(small_system(recipe), recipe, torch.randn(2, 800), example_labels(recipe, 2, 3))()
    assert asked == [{"tf32": True, "deterministic": True}]
