"""What a recipe may say of its rates, of values that rise, of fine-tuning and of crops judged."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.config.loader import load, with_settings
from harness.config.recipe_tables import LearningRate, Rise
from harness.config.recipes import FineTune, Recipe
from harness.errors import ConfigError
from harness.records.documents import digest

RATE = {"shape": "warm-restarts", "cycles": 3.0, "growth": 2.0}
RISE = {"initial_value": 30.0, "final_value": 35.0, "stairs": 20}
TUNE = {"share": 0.1, "lr": 1e-4, "crop_seconds": 6.0, "batch": 64, "schedules": {"margin": 0.5}}
CROPS = {"seconds": 4.0, "count": 10}
PLAIN = {
    "track": "matched",
    "optimizer": {
        "name": "adamw", "lr": 0.001, "weight_decay": 0.0, "momentum": 0.9, "nesterov": True
    },
    "learning_rate": {"shape": "cosine", "warmup": 0.05, "final": 0.01},
    "schedules": {"margin": {"initial": 0.0, "shape": "exponential", "start": 0.0, "end": 0.5}},
    "batch": 32, "crop_seconds": None, "epochs": None, "steps": 100,
    "augment": {"frequency_mask": 0, "time_mask": 0},
    "precision": "32-true", "clip_norm": None, "validations": 2, "checkpoints": 10,
    "select": "best", "average_last": 1,
}  # fmt: skip
"""A recipe as trainings are known by it."""


def test_what_is_not_used_is_in_no_key():
    found = Recipe.model_validate({"steps": 100, "schedules": {"margin": {}}})
    assert found.model_dump(mode="json") == PLAIN


@pytest.mark.parametrize(
    "given",
    [
        {"learning_rate": {"shape": "cyclic"}},
        {"learning_rate": {**RATE, "cycles": 1}},
        {"learning_rate": {**RATE, "growth": 1}},
        {"learning_rate": RATE},
        *({"schedules": {"margin": {name: value}}} for name, value in RISE.items()),
        {"schedules": {"margin": 0.5}},
        {"fine_tune": TUNE},
        *({"fine_tune": {**TUNE, name: value}} for name, value in [
            ("share", 0.2), ("lr", 1e-3), ("batch", 32), ("select", "last"), ("augment", {}),
        ]),
        {"test_crops": CROPS},
        {"test_crops": {**CROPS, "count": 5}},
    ],
)  # fmt: skip
def test_what_is_used_is_in_the_key_and_goes_to_a_job_and_back(given):
    whole = {"steps": 100, "fine_tune": TUNE, "test_crops": CROPS}
    recipe = Recipe.model_validate({"steps": 100, **given})
    assert Recipe.model_validate_json(recipe.model_dump_json(), strict=True) == recipe
    dumped = recipe.model_dump(mode="json")
    assert digest(dumped) != digest({**PLAIN, "schedules": {}})
    if Recipe.model_validate(whole) != recipe:
        assert digest(dumped) != digest(Recipe.model_validate(whole).model_dump(mode="json"))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"shape": "cosine", "cycles": 2}, "cycles: of what"),
        ({"shape": "cyclic", "growth": 2}, "growth: of what"),
        ({"shape": "warm-restarts", "cycles": 2.5}, "whole number of cosines"),
        ({"shape": "warm-restarts", "growth": 0.5}, "from 1 to 1,000"),
        ({"shape": "cyclic", "cycles": 0}, "above 0 to 10,000"),
        ({"shape": "triangular"}, "'cyclic'"),
    ],
)
def test_a_rate_that_cannot_be_meant_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        LearningRate.model_validate(given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"initial": 0.5, "initial_value": 3.0}, "either initial"),
        ({"stairs": 0}, "from 1 to"),
        ({"from": 30.0}, "Extra inputs"),
        (True, "dictionary or an instance|valid dictionary|object"),
        ("0.5", "dictionary or an instance|valid dictionary|object"),
    ],
)
def test_a_rise_that_cannot_be_meant_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        Rise.model_validate(given)


def test_a_recipe_without_fine_tuning_is_one_training():
    recipe = Recipe(steps=3)
    assert recipe.phases == (recipe,)


def test_what_is_not_given_is_as_before_but_for_speeds():
    first = Recipe.model_validate(
        {
            "epochs": 20.0, "batch": 128, "micro_batch": 32, "crop_seconds": 2.0, "clip_norm": 5.0,
            "optimizer": {"name": "sgd", "lr": 0.1, "weight_decay": 1e-4}, "select": "average",
            "average_last": 10, "precision": "bf16-mixed", "validations": 7,
            "schedules": {"margin": {"end": 0.3}, "scale": {"initial": 0.5}},
            "augment": {"speeds": [0.9, 1.0, 1.1], "noise": {}, "probability": 0.5},
            "fine_tune": {"share": 0.05, "lr": 1e-4}, "test_crops": CROPS, "track": "recipe",
        }
    )  # fmt: skip
    second = first.phases[1]
    wanted = first.model_dump() | {
        "epochs": 1.0, "schedules": {}, "select": "best", "average_last": 1, "validations": 2,
    }  # fmt: skip
    wanted["optimizer"]["lr"] = 1e-4
    del wanted["fine_tune"], wanted["augment"]["speeds"]
    assert second.model_dump() == wanted


@pytest.mark.parametrize(
    ("length", "main", "wanted"),
    [
        ({"share": 0.1}, {"steps": 1000}, {"steps": 100}),
        ({"share": 0.1}, {"steps": 3}, {"steps": 1}),
        ({"share": 0.1}, {"epochs": 50.0}, {"epochs": 5.0}),
        ({"steps": 7}, {"epochs": 50.0}, {"steps": 7}),
        ({"epochs": 5.0}, {"steps": 1000}, {"epochs": 5.0}),
    ],
)
def test_its_length(length, main, wanted):
    second = Recipe.model_validate({**main, "fine_tune": {**length, "lr": 1e-4}}).phases[1]
    assert {"steps": None, "epochs": None, **wanted} == {
        "steps": second.steps,
        "epochs": second.epochs,
    }


@pytest.mark.parametrize("given", [{}, {"steps": 1, "share": 0.1}, {"steps": 1, "epochs": 1.0}])
def test_it_has_one_length(given):
    with pytest.raises(ValidationError, match="one of share, epochs and steps"):
        FineTune(lr=1e-4, **given)


def test_its_batches():
    """A sampler goes on; a batch alone ends it; another sampler brings its own batch."""
    base = {"steps": 10, "sampler": {"speakers": 4, "utterances": 2}}

    def batch(**given):
        tune = {"share": 1.0, "lr": 1e-4, **given}
        second = Recipe.model_validate({**base, "fine_tune": tune}).phases[1]
        return second.batch, second.sampler and second.sampler.speakers

    assert batch() == (8, 4)
    assert batch(batch=6) == (6, None)
    assert batch(sampler={"speakers": 5, "utterances": 2}) == (10, 5)


SPEEDS = {"augment": {"speeds": [0.9, 1.0, 1.1], "noise": {}}}


@pytest.mark.parametrize(
    ("main", "tune", "told"),
    [
        (SPEEDS, {"augment": {"speeds": [0.8, 1.0]}}, r"classes for \[0.9, 1.0, 1.1\]"),
        ({"augment": {"speeds": [0.9, 1.1]}}, {}, "no class for a voice at its own speed"),
        (SPEEDS, {"augment": {"reverb": {}}}, "augment.reverb: give what"),
        (SPEEDS, {"augment": {"noise": {"source": "musan"}}}, "augment.noise: give the source"),
        (SPEEDS, {"augment": {"noise": {"kinds": ["music"]}}}, "augment.noise: give the source"),
        ({}, {"micro_batch": 40}, r"micro_batch \(40\) must divide batch \(32\)"),
        ({}, {"sampler": {"speakers": 4, "utterances": 2}, "batch": 9}, "is not the sampler's"),
    ],
)
def test_what_cannot_follow_is_refused(main, tune, told):
    document = {"steps": 10, **main, "fine_tune": {"share": 0.1, "lr": 1e-4, **tune}}
    with pytest.raises(ValidationError, match=f"fine_tune: .*{told}"):
        Recipe.model_validate(document)


@pytest.mark.parametrize("tune", [{"augment": {"noise": {"music": [0, 5]}}}, SPEEDS])
def test_other_ratios_and_the_same_speeds_may_follow(tune):
    document = {"steps": 10, **SPEEDS, "fine_tune": {"share": 0.1, "lr": 1e-4, **tune}}
    assert Recipe.model_validate(document).phases[1].augment.noise


def test_settings_reach_in():
    recipe = Recipe.model_validate({"epochs": 20.0, "fine_tune": TUNE})
    shorter = with_settings(recipe, {"steps": 50, "fine_tune.batch": 8}, "--set ")
    assert (shorter.phases[1].steps, shorter.phases[1].batch) == (5, 8)
    held = with_settings(recipe, {"fine_tune.schedules.margin": 0.4}, "--set ")
    assert held.phases[1].schedules["margin"].final_value == 0.4
    with pytest.raises(ConfigError, match=r"fine_tune.bach: unknown key; did you mean 'batch'"):
        with_settings(recipe, {"fine_tune.bach": 8}, "--set ")


def test_a_benchmark_file_may_say_it(tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text(
        "[recipes.lm]\nepochs = 20\ncrop_seconds = 2.0\n"
        "schedules.scale = { initial_value = 30, final_value = 35, stairs = 20, end = 0.5 }\n"
        "learning_rate = { shape = 'cyclic', warmup = 0, final = 1e-5, cycles = 3 }\n"
        "test_crops = { seconds = 4, count = 10 }\n"
        "[recipes.lm.fine_tune]\nshare = 0.05\nlr = 1e-4\nschedules.margin = 0.5\n"
        "learning_rate = { shape = 'exponential', warmup = 0.2, final = 0.25 }\n"
    )
    recipe = load(path).benchmark.recipes["lm"]
    assert recipe.phases[1].epochs == 1.0
    assert recipe.schedules["scale"].initial_value == 30.0
    assert json.loads(recipe.model_dump_json())["test_crops"] == {"seconds": 4.0, "count": 10}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("lr = 1e-4", "", r"recipes.lm.fine_tune.lr: "),
        ("lr = 1e-4", "lr = 1e-4\ncrop_second = 6.0", "did you mean 'crop_seconds'"),
        ("share = 0.05", "share = 0.05\nsteps = 3", "give one of share, epochs and steps"),
    ],
)
def test_the_file_is_told_where_it_is_wrong(tmp_path: Path, old: str, new: str, told: str):
    path = tmp_path / "own.toml"
    text = "[recipes.lm]\nepochs = 20\n[recipes.lm.fine_tune]\nshare = 0.05\nlr = 1e-4\n"
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=told):
        load(path)
