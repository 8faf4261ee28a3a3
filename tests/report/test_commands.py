"""Commands that a report tells, read back as a call would read them."""

from __future__ import annotations

import shlex

import pytest

from harness.cli.options import parse_settings
from harness.report.commands import longer, own_settings, run_command

RUN = "speaker/quick/open-26666/campplus-aam"


def options(command: str, name: str) -> list[str]:
    """What a command gives for an option, each time it is given."""
    words = shlex.split(command)
    return [words[place + 1] for place, word in enumerate(words) if word == name]


@pytest.mark.parametrize(
    ("settings", "read"),
    [
        ("steps=240", {"steps": 240}),
        ("precision=bf16-mixed, steps=240", {"precision": "bf16-mixed", "steps": 240}),
        ("loader.crops=[1, 2], optimizer.lr=0.01", {"loader.crops": [1, 2], "optimizer.lr": 0.01}),
        ("shuffle=True, title=two words", {"shuffle": True, "title": "two words"}),
    ],
)
def test_a_command_gives_what_the_run_was_called_with(published, settings: str, read):
    record = published(RUN)[1].model_copy(update={"recipe_name": f"speaker-quick with {settings}"})
    command = run_command(record)
    assert parse_settings(options(command, "--set")) == read
    assert options(command, "--model") == [record.model.name]
    assert options(command, "--budget") == []


@pytest.mark.parametrize(
    ("length", "twice"),
    [
        ({"steps": 240, "epochs": None}, {"steps": 480}),
        ({"steps": None, "epochs": 1.0}, {"epochs": 2}),
        ({"steps": None, "epochs": 0.25}, {"epochs": 0.5}),
    ],
)
def test_longer_training_sets_the_length_once(published, length, twice):
    record = published(RUN)[1]
    (key, value), *_ = [(key, value) for key, value in length.items() if value]
    record = record.model_copy(
        update={
            "recipe_name": f"speaker-quick with precision=bf16-mixed, {key}={value}",
            "recipe": {**(record.recipe or {}), **length},
        }
    )
    command = run_command(record, longer(record))
    assert parse_settings(options(command, "--set")) == {"precision": "bf16-mixed", **twice}


def test_a_command_selects_the_recipe_among_those_of_one_pair(published):
    record = published(RUN)[1].model_copy(update={"recipe_name": "letters-long with steps=9"})
    assert options(run_command(record), "--recipe") == ["letters-long"]


def test_a_budget_is_given_unless_a_length_is(published):
    record = published(RUN)[1].model_copy(update={"recipe_name": "plain at 12,800 crops"})
    assert options(run_command(record), "--budget") == ["12800"]
    assert options(run_command(record, {"steps": "9"}), "--budget") == []


@pytest.mark.parametrize("name", ["speaker-quick extended by 40 steps", "greedy averaged"])
def test_what_another_command_made_has_none(published, name: str):
    record = published(RUN)[1].model_copy(update={"recipe_name": name})
    assert run_command(record) == ""
    assert own_settings(record) == {}
