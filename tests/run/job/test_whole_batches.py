"""Losses that look at a whole batch, from the file to the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny import TinyBenchmark, make_tiny

TABLES = """
[losses.triplet]
adapter = "adapters.triplet:AngularTriplet"

[losses.ghm]
adapter = "adapters.ghm:GhmClassification"

[losses.class-balanced]
adapter = "adapters.class_losses:ClassBalancedSoftmax"

[recipes.pk]
sampler = { speakers = 3, utterances = 2 }
micro_batch = 2
crop_seconds = 0.5
steps = 6
optimizer = { name = "adamw", lr = 1e-2 }
augment = { speeds = [0.9, 1.1] }

[recipes.hard]
sampler = { speakers = 4, utterances = 2, hard = 0.5 }
crop_seconds = 0.5
steps = 6
optimizer = { name = "adamw", lr = 1e-2 }

[suites.whole]
title = "Whole batches"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["voices"]
models = ["tiny"]
losses = ["triplet", "ghm", "class-balanced"]
profiles.quick = { recipe = "pk" }

[suites.hard]
title = "Hard labels"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["voices"]
models = ["tiny"]
losses = ["aam"]
profiles.quick = { recipe = "hard" }

[suites.plain]
title = "Batches as they come"
task = "harness.tasks.verification:Verification"
protocol = 1
datasets = ["voices"]
models = ["tiny"]
losses = ["triplet"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture
def tiny(tmp_path: Path) -> TinyBenchmark:
    made = make_tiny(tmp_path / "own")
    made.config.write_text(made.config.read_text() + TABLES)
    return made


@pytest.mark.long
def test_every_loss_is_trained_and_its_record_tells_of_the_parts(tiny: TinyBenchmark) -> None:
    done = tiny.run("run", "--suite", "whole", "--device", "cpu", "--json")
    assert done.status == 0, done.err
    records = list(tiny.runs.glob("whole-quick/voices/tiny+*/seed0-*/record.json"))
    assert len(records) == 3
    for path in records:
        text = path.read_text()
        assert '"state": "done"' in text
        assert '"micro_batches": 3' in text
        assert '"batch_used": 6' in text


@pytest.mark.long
def test_hard_labels_are_trained_and_evaluated(tiny: TinyBenchmark) -> None:
    done = tiny.run("run", "--suite", "hard", "--device", "cpu", "--json")
    assert done.status == 0, done.err


def test_triplets_are_refused_without_a_sampler(tiny: TinyBenchmark) -> None:
    done = tiny.run("plan", "--suite", "plain", "--device", "cpu", "--json")
    assert done.status == 2
    assert "losses.triplet: asks for batches with several utterances" in done.err
    assert "sampler = { speakers" in done.err
