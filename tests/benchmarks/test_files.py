"""Reading a trial list and a score file of 3.5 million lines each."""

from __future__ import annotations

from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from harness.trials.score_file import read_scores
from harness.trials.trial_list import read_trials
from tests.benchmarks.alone import Stopwatch, alone, best
from tests.benchmarks.corpus import SCORE_FILE, TRIAL_FILE, TRIALS, UTTERANCES
from tests.benchmarks.figures import Figure, missed
from tests.benchmarks.jobs import read
from tests.benchmarks.side_by_side import ON_THE_PROCESSOR, Contestant, take_turns

MIB = 2**20
TENTH = TRIALS // 10

BY_PAIR = "Python, a line at a time into a dictionary, joined to the list"
IN_LISTS = "Python, a line at a time into lists, joined to nothing"
PANDAS = "pandas.read_csv into strings, checked and joined to nothing"


def test_reading(score_files: Path, benchmark: BenchmarkFixture, figures: list[Figure]) -> None:
    runs: list[Stopwatch] = []
    benchmark.pedantic(  # type: ignore[no-untyped-call]
        lambda: runs.append(alone(read, score_files)), rounds=2
    )
    run = best(runs)
    figures += [
        Figure(f"a score file of {TRIALS:,} lines, joined", run.seconds["scores"], "s", most=5),
        Figure("its trial list", run.seconds["trials"], "s", most=5),
        Figure("… memory of both in addition", max(run.extra.values()) / MIB, "MiB", most=1024),
    ]
    # Each utterance has one speaker, and each speaker one model.
    assert run.values == {"trials": TRIALS, "targets": UTTERANCES}
    assert missed(figures) == []


def by_pair(path: Path, pairs: list[tuple[str, str]]) -> NDArray[np.float64]:
    scores = {}
    with path.open() as file:
        for line in islice(file, TENTH):
            enrol, test, score = line.split()
            scores[enrol, test] = float(score)
    return np.array([scores[pair] for pair in pairs])


def in_lists(path: Path) -> tuple[list[str], list[str], NDArray[np.float64]]:
    enrols, tests, scores = [], [], []
    with path.open() as file:
        for line in islice(file, TENTH):
            enrol, test, score = line.split()
            enrols.append(enrol)
            tests.append(test)
            scores.append(float(score))
    return enrols, tests, np.array(scores)


def by_pandas(path: Path) -> pd.DataFrame:
    names = ["enrol", "test", "score"]
    kinds = {"enrol": object, "test": object}
    return pd.read_csv(path, sep=" ", header=None, names=names, dtype=kinds, nrows=TENTH)


@ON_THE_PROCESSOR
def test_beside_line_by_line(
    score_files: Path, benchmark: BenchmarkFixture, figures: list[Figure]
) -> None:
    path, trials = score_files / SCORE_FILE, read_trials(score_files / TRIAL_FILE)
    pairs = [trials.pair(trial) for trial in range(TENTH)]
    ours = Contestant(partial(read_scores, path, trials))
    share = TENTH / TRIALS
    rivals = {
        BY_PAIR: Contestant[object](partial(by_pair, path, pairs), share),
        IN_LISTS: Contestant[object](partial(in_lists, path), share),
        PANDAS: Contestant[object](partial(by_pandas, path), share),
    }
    ratios = take_turns(benchmark, ours, rivals, rounds=3)
    figures.append(Figure("the score file again", ours.best, "s of processor time"))
    for name, ratio in ratios.items():
        least = 1.5 if name == BY_PAIR else None
        figures.append(Figure(f"… against {name}", ratio, "times as long", least=least))
    assert np.array_equal(read_scores(path, trials).scores[:TENTH], by_pair(path, pairs))
    assert missed(figures) == []
