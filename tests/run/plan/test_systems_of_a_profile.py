"""Systems that a call selects of a suite: by profile, model and recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.config.loader import load
from harness.config.merging import builtin_benchmark
from harness.errors import ConfigError
from harness.run.plan.request import RunRequest, SuiteEntry, suite_ensembles, suite_entries

LOADED = load(builtin_benchmark())


def request_of(suite: str, **chosen: Any) -> RunRequest:
    where = {"runs": Path("runs"), "device": "cpu", "threads": 1}
    return RunRequest(suite=suite, **{"profile": "quick", **where, **chosen})


def models(profile: str, *asked: str) -> set[str]:
    request = request_of("image", profile=profile, models=asked)
    entries = suite_entries(LOADED.suite("image"), request, "open-characters")
    return {each.model for each in entries}


def letters(**chosen: Any) -> list[SuiteEntry]:
    request = request_of("letters", **chosen)
    return [*suite_entries(LOADED.suite("letters"), request, "omniglot-folds.1of4")]


def test_the_full_profile_has_native_sizes_and_further_networks():
    small = {"efficientnet-b0", "efficientnet-b1", "efficientnet-b2"}
    assert models("quick") == small
    assert models("full") == small | {
        "efficientnet-b0-224",
        "efficientnet-b1-240",
        "efficientnet-b2-260",
        "resnet18",
        "mobilenetv3-large",
        "convnext-nano",
    }


def test_one_that_is_asked_for_in_the_other_profile_is_refused_with_the_mend():
    assert models("full", "resnet18") == {"resnet18"}
    with pytest.raises(ConfigError, match="its full profile alone; add --profile full"):
        models("quick", "resnet18")


def test_a_key_that_says_nothing_is_left_out_of_the_written_table():
    systems = LOADED.benchmark.suites["image"].systems
    assert "profile" not in systems[0].model_dump()
    assert systems[-1].model_dump()["profile"] == "full"


def test_a_recipe_selects_the_entries_that_it_trains():
    every = letters()
    small = letters(recipes=("letters-eight",))
    assert {each.recipe for each in small} == {"letters-eight"}
    assert small == [each for each in every if each.recipe == "letters-eight"]
    assert len({each.model for each in small}) == 2


def test_a_combination_that_the_suite_has_not_is_refused_with_those_it_has():
    refusal = (
        r"no such combination of model, loss and recipe; .*resnet18 \+ label-smoothing \(letters\)"
    )
    with pytest.raises(ConfigError, match=refusal):
        letters(recipes=("letters-long",), models=("resnet18",))


def test_the_profile_s_recipe_is_one_that_can_be_asked_for():
    request = request_of("image", recipes=("image-quick",))
    entries = [*suite_entries(LOADED.suite("image"), request, "digits")]
    assert len(entries) == 3


def test_a_recipe_that_the_suite_has_not_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"has no recipe 'letter-long'.*letters-long"):
        letters(recipes=("letter-long",))


def test_an_ensemble_is_left_out_where_recipes_are_asked_for():
    suite, fold = LOADED.suite("letters"), "omniglot-folds.1of4"
    assert [*suite_ensembles(suite, request_of("letters"), fold)]
    assert not [*suite_ensembles(suite, request_of("letters", recipes=("letters",)), fold)]


def test_an_ensemble_that_is_asked_for_with_a_recipe_is_refused():
    assert letters(models=("efficientnet-b0-b1-b2",)) == []
    with pytest.raises(ConfigError, match="no such combination"):
        letters(models=("efficientnet-b0-b1-b2",), recipes=("letters",))
