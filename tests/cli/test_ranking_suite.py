"""A corpus that grades its sounds, ranked through the command line: planned, run, verified."""

from __future__ import annotations

import shutil

import pytest

from tests.places import EXAMPLES
from tests.tiny import TinyBenchmark

CORPUS = '''
"""Knocks on twenty doors: noises that die away, each with a level of its own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from harness.data.reading.audio_corpus import AudioCorpus


@dataclass(frozen=True, kw_only=True)
class Knocks(AudioCorpus):
    graded: bool = True

    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "door"

    def items(self, profile, folder):
        names = [(door, knock) for door in range(20) for knock in range(4)]
        splits = ["train"] * 10 + ["validation"] * 4 + ["test"] * 6
        table = pd.DataFrame(
            {
                "id": [f"knock-{door:02}-{knock}" for door, knock in names],
                "unit": [f"door-{door:02}" for door, _ in names],
                "label": ["wood" if door % 2 else "steel" for door, _ in names],
                "seconds": 0.3,
                "line": 0,
                "split": [splits[door] for door, _ in names],
            }
        )
        table["source"] = table["id"]
        levels = [self.level(name) for name in table["id"]]
        return table.assign(grade=levels) if self.graded else table

    def level(self, name):
        return float(self.draw(name).uniform(-4, 0))

    def draw(self, name):
        return np.random.default_rng([int(part) for part in name.split("-")[1:]])

    def read(self, item, folder):
        draw = self.draw(item.id)
        peak = np.exp(draw.uniform(-4, 0))
        noise = draw.normal(size=4800) * np.exp(-np.arange(4800) / 900)
        return np.rint(20000 * peak * noise / np.abs(noise).max()).astype(np.int16)
'''

BENCHMARK = """
[datasets.knocks]
adapter = "knocks:Knocks"
synthetic = true
licence = "CC0-1.0"
rank_pairs = 150

[datasets.ungraded]
adapter = "knocks:Knocks"
synthetic = true
licence = "CC0-1.0"
graded = false

[models.pooled]
adapter = "my_models:StatisticsPooling"
embedding_size = 8

[losses.ranknet]
adapter = "adapters.ranking:RankNet"

[losses.ghm-ranking]
adapter = "adapters.ranking:GhmRanking"

[losses.ghm-regression]
adapter = "adapters.ranking:GhmRegression"

[recipes.short]
batch = 20
steps = 30
optimizer = { name = "adamw", lr = 2e-2 }
validations = 2

[suites.louder]
title = "Which knock is louder"
task = "harness.tasks.ranking:Ranking"
protocol = 1
datasets = ["knocks"]
models = ["pooled"]
losses = ["ranknet", "ghm-ranking", "ghm-regression"]
profiles.quick = { recipe = "short" }

[suites.nothing]
title = "Nothing is ranked"
task = "harness.tasks.ranking:Ranking"
protocol = 1
datasets = ["ungraded"]
models = ["pooled"]
losses = ["ranknet"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture(scope="module")
def knocks(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    folder = tmp_path_factory.mktemp("ranking") / "own"
    folder.mkdir()
    (folder / "knocks.py").write_text(CORPUS)
    (folder / "benchmark.toml").write_text(BENCHMARK)
    shutil.copy(EXAMPLES / "my_models.py", folder)
    return TinyBenchmark(folder)


@pytest.mark.long
def test_losses_that_rank_are_trained_judged_and_verified(knocks: TinyBenchmark) -> None:
    done = knocks.run("run", "--suite", "louder", "--device", "cpu", "--json")
    assert done.status == 0, done.err
    (table,) = done.json["tables"]
    rows = {row["loss"]: row for row in table["rows"] if row["loss"]}
    assert set(rows) == {"ranknet", "ghm-ranking", "ghm-regression"}
    for row in rows.values():
        assert row["state"] == "done"
        # The level of a noise is what the network is given: it learns the order.
        assert row["metrics"]["pair_accuracy"]["value"] > 0.8
        assert row["metrics"]["kendall_tau"]["value"] > 0.6
        assert row["metrics"]["training_accuracy"]["value"] > 0.7
    record = next(knocks.folder.glob("runs/**/record.json"))
    verified = knocks.run("verify", str(record))
    assert verified.status == 0, verified.err


def test_a_dataset_without_grades_is_refused_before_anything_is_trained(
    knocks: TinyBenchmark,
) -> None:
    done = knocks.run("plan", "--suite", "nothing", "--device", "cpu")
    assert done.status == 2
    assert "rank_by" in done.err
