"""`harness choose`: followed literally, its plan leaves nothing to run."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise

import pytest

from tests.tiny import TinyBenchmark

CALL = ("choose", "--suite", "own", "--dataset", "voices", "--device", "cpu", "--hours", "1")


def test_its_plan_is_run_as_it_stands(tiny: TinyBenchmark) -> None:
    asked = tiny.run(*CALL, "--loss", "aam", "--loss", "softmax", "--most-seeds", "1", "--json")
    assert asked.status == 0, asked.err
    found = asked.json
    entries = {each["loss"]: each for each in found["entries"]}
    # The memory of these networks cannot be predicted, so nothing is said about the card.
    assert {(each["memory"], each["fits"]) for each in entries.values()} == {(None, None)}
    assert entries["softmax"]["seed_seconds"] > 0
    assert (entries["aam"]["seeds_done"], entries["softmax"]["seeds_done"]) == (1, 0)
    # The finished run is compared with the baseline: five speakers tell little apart.
    assert found["power"]["units"] == 5
    # Errors of seeds and units that are added have more degrees of freedom than those of units.
    assert found["power"]["visible"]["1"] > 0.9 * found["power"]["never_below"] > 0
    (line,) = found["commands"]
    words = shlex.split(line)
    assert words[:2] == ["harness", "run"]
    assert ("--loss", "softmax") in pairwise(words)
    assert words.count("--loss") == 1
    ran = tiny.run(*clean(words[1:]))
    assert ran.status == 0, ran.err
    again = tiny.run(*CALL, "--most-seeds", "1", "--json")
    assert again.status == 0, again.err
    assert again.json["commands"] == []
    assert [each["seeds_done"] for each in again.json["entries"]] == [1, 1]
    (pair,) = again.json["pairs"]
    assert {pair["first"], pair["second"]} == {"tiny + aam", "tiny + softmax"}


def test_at_several_budgets_it_speaks_of_the_one_that_is_asked_about(tiny: TinyBenchmark) -> None:
    tiny.edit('{ recipe = "short" }', '{ recipe = "short", budgets = [32, 128] }')
    short, own = tiny.record("tiny", 0)["recipe"], ("--loss", "aam", "--seeds", "0")
    assert short["steps"] * short["batch"] == 96
    found = {}
    for crops in ("32", "128"):
        ran = tiny.run("run", *CALL[1:3], *own, "--device", "cpu", "--budget", crops, "--json")
        assert ran.status == 0, ran.err
        path = next(tiny.runs.glob(f"own-quick/voices/*at-{crops}-crops/seed0-*/record.json"))
        found[crops] = json.loads(path.read_text())["metrics"]["eer"]["value"]
    assert len(set(found.values())) == 2
    for crops, value in found.items():
        asked = tiny.run(*CALL, "--most-seeds", "1", "--budget", crops)
        assert asked.status == 0, asked.err
        (row,) = [line for line in asked.out.splitlines() if line.startswith("tiny + aam")]
        assert f" {100 * value:.2f}" in row
        assert f"--budget {crops}" in asked.out


def clean(words: list[str]) -> list[str]:
    """A command's words without the options that the test's own benchmark adds."""
    kept, skip = [], False
    for word in words:
        if not skip and word not in ("--config", "--runs"):
            kept.append(word)
        skip = word in ("--config", "--runs")
    return kept


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--memory", "lots"), "no size"),
        (("--memory", "1GiB"), "leaves nothing"),
        (("--hours", "0"), "give a number above 0"),
        (("--dataset", "nothing"), "no dataset"),
    ],
)
def test_wrong_requests_are_refused(tiny: TinyBenchmark, words: tuple[str, ...], said: str) -> None:
    done = tiny.run(*CALL, *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
