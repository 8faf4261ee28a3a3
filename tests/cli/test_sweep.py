"""`harness sweep`: settings tried on validation, the chosen one alone scored on test."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.search.settings import grid, parse_over, setting_name
from tests.tiny import TinyBenchmark

OVER = "schedules.margin.final_value"
CALL = ("sweep", "--suite", "own", "--loss", "aam", "--device", "cpu", "--seeds", "0")


def looks(tiny: TinyBenchmark) -> list[dict[str, object]]:
    path = tiny.runs / "own-quick" / "voices" / "test-looks.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_best_on_validation_is_tested_and_says_how_many_were_tried(
    tiny: TinyBenchmark,
) -> None:
    before = looks(tiny)
    done = tiny.run(*CALL, "--over", f"{OVER}=0.05,0.3,0.6", "--json")
    assert done.status == 0, done.err
    (found,) = done.json["sweeps"]
    settings = found["settings"]
    values = [each["validation"]["value"] for each in settings]
    assert [each["setting"][OVER] for each in settings] == [0.05, 0.3, 0.6]
    assert all(each["training_seconds"] > 0 for each in settings)
    best = min(range(3), key=values.__getitem__)
    assert found["chosen"] == settings[best]["setting"]
    # The run with the recipe as it stands is a configuration too.
    assert found["searched"] == 4
    assert [each["searched"] for each in found["test"]] == [4]
    # Test was scored for the chosen one alone.
    new = looks(tiny)[len(before) :]
    assert [use["evaluation"].partition("-")[0] for use in new if "split" not in use] == [
        "evaluate"
    ]
    assert sum(use.get("split") == "validation" for use in new) == 3
    record = next(tiny.runs.glob(f"own-quick/voices/*{OVER}*/seed0-*/record.json"))
    written = json.loads(record.read_text())
    assert written["searched"] == 4
    assert written["test_looks"] == 2  # the run of `tiny` before, with the same seed
    assert len(list(tiny.runs.glob(f"own-quick/voices/*{OVER}*/*/record.json"))) == 1
    # What validation gave is what the training's own validation saw, of the same weights.
    train = tiny.stage(written, "train") / "result.json"
    assert json.loads(train.read_text())["validation"]["eer"] == pytest.approx(values[best])

    page = Path(found["page"])
    assert "4 configurations were tried" in page.read_text()
    assert json.loads((page.parent / "sweep.json").read_text())["chosen"] == found["chosen"]
    assert ElementTree.parse(page.parent / "sweep.svg").getroot().tag.endswith("svg")

    again = tiny.run(*CALL, "--over", f"{OVER}=0.05,0.3,0.6", "--json")
    assert again.json == done.json
    assert len(looks(tiny)) == len(before) + 4 + 3  # three more trials, no more tests


def test_a_setting_that_was_tested_before_is_told_of_the_search(tiny: TinyBenchmark) -> None:
    earlier = tiny.run("run", *CALL[1:], "--set", f"{OVER}=0.05", "--set", "steps=6", "--json")
    assert earlier.status == 0, earlier.err
    words = ("--over", f"{OVER}=0.05", "--over", "steps=6,4")
    done = tiny.run(*CALL, *words, "--json")
    assert done.status == 0, done.err
    (found,) = done.json["sweeps"]
    assert len(found["settings"]) == 2
    assert [each["searched"] for each in found["test"]] == [3]
    if found["chosen"]["steps"] == 6:
        attempts = tiny.runs.glob(f"own-quick/voices/*{OVER}*steps=6/*/attempt-*.json")
        assert sorted(path.name for path in attempts) == ["attempt-1.json", "attempt-2.json"]


def test_every_setting_is_trained_at_the_one_budget_of_a_call(tiny: TinyBenchmark) -> None:
    tiny.edit('{ recipe = "short" }', '{ recipe = "short", budgets = [32, 64] }')
    before, words = looks(tiny), ("--over", f"{OVER}=0.05,0.3")
    both = tiny.run(*CALL, *words, "--budget", "all")
    assert (both.status, both.out) == (2, "")
    assert "short at 32 crops" in both.err
    assert "give --budget once" in both.err
    assert looks(tiny) == before
    done = tiny.run(*CALL, *words, "--budget", "32", "--json")
    assert done.status == 0, done.err
    (found,) = done.json["sweeps"]
    (path,) = tiny.runs.glob("own-quick/voices/*32-crops*/seed0-*/record.json")
    record = json.loads(path.read_text())
    assert record["recipe"]["steps"] * record["recipe"]["batch"] == 32
    assert record["recipe"]["schedules"]["margin"]["final_value"] == found["chosen"][OVER]
    assert record["searched"] == 2
    assert found["recipe"] == "short at 32 crops"
    assert "tiny + aam (short at 32 crops) over" in Path(found["page"]).read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over", "steps"], "write KEY=V1,V2"),
        (["--over", "steps=4"], "makes 1 settings; give 2"),
        (["--over", "steps=4,4"], "a value comes twice"),
        (["--over", "steps=4,5", "--over", "steps=6"], "given twice"),
        (["--over", "stepz=4,5"], "stepz"),
        (["--over", "steps=4,-5"], "steps"),
        (["--over", "steps=4,5", "--set", "steps=6"], "--set and by --over"),
    ],
)
def test_wrong_requests_are_refused_before_anything_is_trained(
    tiny: TinyBenchmark, words: list[str], said: str
) -> None:
    before = looks(tiny)
    done = tiny.run(*CALL, *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert looks(tiny) == before


def test_a_failed_setting_is_a_row_and_is_never_chosen(tiny: TinyBenchmark) -> None:
    tiny.edit(
        '[models.tiny]\nadapter = "tiny_models:Tiny"',
        '[models.tiny]\nadapter = "tiny_models:Tiny"\nfault = "nan"',
    )
    words = ("--over", "steps=4,6", "--json")  # the fault strikes at step 5
    done = tiny.run(*CALL, *words)
    assert done.status == 1, done.err
    (found,) = done.json["sweeps"]
    four, six = found["settings"]
    assert (four["state"], six["state"]) == ("done", "failed")
    assert "loss became nan" in six["reason"]
    assert found["chosen"] == {"steps": 4}
    assert found["searched"] == 3


def test_values_are_read_as_toml_and_every_combination_is_made() -> None:
    over = parse_over(["augment.speeds=[0.9, 1.0],[1.0]", "select=best,last"])
    assert over == {"augment.speeds": ([0.9, 1.0], [1.0]), "select": ("best", "last")}
    assert len(grid(over)) == 4
    assert setting_name(grid(over)[1]) == "augment.speeds=[0.9, 1.0], select=last"
