"""Steps told from steps with fewer items, and measuring told from both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.measure.timing import repeats_seconds
from harness.run.job.benchmark_target import with_more
from harness.run.job.measure_stage import measuring_seconds

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
