"""From embeddings to metrics with intervals, at the size of CN-Celeb's evaluation."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from sklearn.metrics.pairwise import cosine_similarity

from harness.scoring.cosine import cosine_of_trials
from tests.benchmarks.alone import Stopwatch, alone, best
from tests.benchmarks.corpus import MODELS, TRIALS, UTTERANCES
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.jobs import RESAMPLES, evaluate
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

MIB = 2**20
SAMPLE = 2_000
"""How many trials are scored one by one."""
METRICS = ("cosines", "AS-norm", "EER and minDCF")


def test_from_embeddings_to_metrics(
    embeddings: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    runs: list[Stopwatch] = []
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: runs.append(alone(evaluate, embeddings)), rounds=2
    )
    run = best(runs)
    scored, all_in_all = sum(run.seconds[step] for step in METRICS), sum(run.seconds.values())
    figures += [
        Figure(f"{TRIALS:,} cosines, AS-norm, EER and minDCF", scored, "s", most=5),
        Figure(f"… and {RESAMPLES} resamples of the speakers", all_in_all, "s", most=20),
        Figure("… memory in addition", max(run.extra.values()) / MIB, "MiB", most=1024),
        *(Figure(f"… of it {step}", seconds, "s") for step, seconds in run.seconds.items()),
    ]
    assert 0.06 <= run.values["eer"] <= 0.08
    assert 0 < run.values["eer_spread"] < 0.02
    assert missed(figures) == []


def one_by_one(enrol: NDArray[Any], test: NDArray[Any], pairs: NDArray[Any]) -> list[float]:
    """Each trial's cosine by a call, as WeSpeaker and 3D-Speaker score a list."""
    return [
        float(cosine_similarity(enrol[row].reshape(1, -1), test[other].reshape(1, -1))[0][0])
        for row, other in pairs.tolist()
    ]


@ON_THE_PROCESSOR
def test_cosines_of_a_list(
    embeddings: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    enrol, test = (np.load(embeddings / f"{name}.npy") for name in ("enrol", "test"))
    rows = np.repeat(np.arange(MODELS), UTTERANCES), np.tile(np.arange(UTTERANCES), MODELS)
    sample = np.random.default_rng(0).choice(TRIALS, SAMPLE, replace=False)
    pairs = np.stack([side[sample] for side in rows], axis=1)
    ours = Contestant(partial(cosine_of_trials, enrol, test, *rows))
    rival = Contestant[object](partial(one_by_one, enrol, test, pairs), share=SAMPLE / TRIALS)
    name = f"scikit-learn's cosine_similarity a trial (extrapolated from {SAMPLE:,})"
    (ratio,) = take_turns(benchmark, ours, {name: rival}, rounds=3).values()
    figures.append(Figure(f"{TRIALS:,} cosines of a trial list", ours.best, "s of processor time"))
    figures.append(Figure(f"… against {name}", ratio, "times as long", least=100))
    expected = pytest.approx(one_by_one(enrol, test, pairs), rel=0, abs=1e-6)
    assert cosine_of_trials(enrol, test, *rows)[sample] == expected
    assert missed(figures) == []
