"""A recipe's `init`: training begins with the network of a run or a file, and says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from harness.config.loader import check_table, with_settings
from harness.config.recipes import Recipe
from harness.errors import ConfigError
from tests.tiny import TinyBenchmark

RUN = ("run", "--suite", "own", "--loss", "softmax", "--seeds", "3", "--device", "cpu", "--json")
STILL = ("--set", "steps=1", "--set", "optimizer.lr=1e-12")
"""A training that leaves the weights where they began."""


def parent_of(tiny: TinyBenchmark) -> tuple[str, dict[str, Any]]:
    path = tiny.record_path("tiny", 0)
    return str(path.parent.relative_to(tiny.runs)), json.loads(path.read_text())


def child_of(tiny: TinyBenchmark) -> dict[str, Any]:
    (path,) = tiny.runs.glob("own-quick/voices/tiny+softmax+*init*/seed3-*/record.json")
    return dict(json.loads(path.read_text()))


def weights(tiny: TinyBenchmark, record: dict[str, Any]) -> dict[str, Any]:
    return dict(load_file(tiny.stage(record, "train") / "weights.safetensors"))


def test_training_begins_with_the_network_of_a_run_and_a_new_head(tiny: TinyBenchmark) -> None:
    place, parent = parent_of(tiny)
    done = tiny.run(*RUN, *STILL, "--set", f"init={place}")
    assert done.status == 0, done.err
    child = child_of(tiny)
    made, key = parent["artefacts"]["checkpoint"]["sha256"], parent["stages"]["train"]["key"]
    assert child["stages"]["train"]["inputs"]["init"] == {"sha256": made, "train": key}
    assert child["trained_on"] == ["voices"]
    assert f"training began with the network of tiny + aam on voices ({made[:12]})" in str(
        child["notes"]
    )
    assert "no speaker that voices trains on is tested" in str(child["notes"])
    before, after = weights(tiny, parent), weights(tiny, child)
    np.testing.assert_allclose(after["trunk.layer.weight"], before["trunk.layer.weight"], atol=1e-6)
    heads = [name for name in after if name.startswith("head.")]
    assert heads
    assert all(name not in before or not np.allclose(after[name], before[name]) for name in heads)
    again = tiny.run(*RUN, *STILL, "--set", f"init={place}")
    assert again.json["ran"] == 0


def test_a_file_says_what_it_saw_or_the_row_says_that_nobody_checked(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    _, parent = parent_of(tiny)
    own = {
        name.removeprefix("trunk."): value
        for name, value in weights(tiny, parent).items()
        if name.startswith("trunk.")
    }
    save_file(own, tmp_path / "network.safetensors")
    done = tiny.run(*RUN, *STILL, "--set", f"init={tmp_path / 'network.safetensors'}")
    assert done.status == 0, done.err
    child = child_of(tiny)
    assert "trained_on" not in child
    assert "train" not in child["stages"]["train"]["inputs"]["init"]
    assert "whether it had seen the test items was not checked" in str(child["notes"])
    np.testing.assert_allclose(
        weights(tiny, child)["trunk.layer.weight"], own["layer.weight"], atol=1e-6
    )


def test_weights_that_saw_the_test_are_refused(tiny: TinyBenchmark) -> None:
    text = tiny.config.read_text()
    begin, end = text.index("[datasets.voices]"), text.index("[datasets.elsewhere]")
    other = text[begin:end].replace("datasets.voices", "datasets.otherwise")
    tiny.config.write_text(text + "\n" + other.replace("seed = 0", "seed = 5"))
    _, parent = parent_of(tiny)
    file = tiny.stage(parent, "train") / "weights.safetensors"
    said = json.dumps(str(file))
    table = f'init={{ weights = {said}, trained_on = ["otherwise"] }}'
    done = tiny.run(*RUN, *STILL, "--set", table)
    assert (done.status, done.out) == (2, "")
    assert "test speakers are among those that otherwise trains on" in done.err


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("no/such/run", "no such checkpoint"),
        ("own-quick/voices/MFCC-statistics", "holds no checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_refused(tiny: TinyBenchmark, said: str, why: str) -> None:
    (tiny.folder / "own-quick/voices/MFCC-statistics").mkdir(parents=True)
    done = tiny.run(*RUN, "--set", f"init={said}")
    assert (done.status, done.out) == (2, "")
    assert why in done.err


def test_it_is_a_path_or_a_table() -> None:
    plain = check_table(Recipe, {"steps": 3, "init": "a/b"}, "here: ")
    assert plain.init is not None
    assert (plain.init.weights, plain.init.trained_on) == ("a/b", None)
    table = {"init": {"weights": "c", "trained_on": ["d", "e"]}}
    told = with_settings(plain, table, "--set ")
    assert told.init is not None
    assert told.init.trained_on == ("d", "e")
    assert Recipe.model_validate(told.model_dump(mode="json")) == told
    for wrong, said in (({"weight": "x"}, "weight"), (3, "init"), ({"trained_on": []}, "weights")):
        with pytest.raises(ConfigError, match=said):
            check_table(Recipe, {"steps": 3, "init": wrong}, "here: ")


def test_a_fine_tuning_goes_on_from_the_first_training() -> None:
    recipe = Recipe.model_validate(
        {"steps": 10, "init": "a/b", "fine_tune": {"share": 0.5, "lr": 0.1}}
    )
    first, second = recipe.phases
    assert first.init is not None
    assert (first.init.weights, second.init) == ("a/b", None)
    assert "init" not in Recipe(steps=10).model_dump()
