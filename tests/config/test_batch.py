"""How a recipe says what makes a batch, and that what it does not say changes no key."""

import pytest
from pydantic import ValidationError

from harness.config.loader import with_settings
from harness.config.recipe_tables import Sampler
from harness.config.recipes import Recipe
from harness.errors import ConfigError
from harness.records.documents import digest

PK = {"speakers": 8, "utterances": 4}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sampler": PK},
        {"sampler": PK, "batch": 32, "micro_batch": 16},
        {"micro_batch": 8},
        {"micro_batch": 8, "batch_norm": "full"},
    ],
)
def test_a_recipe_goes_to_a_job_and_back(given):
    recipe = Recipe.model_validate({"steps": 1, **given})
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_sampler_gives_the_batch():
    assert Recipe(steps=1, sampler={"speakers": 5, "utterances": 3}).batch == 15
    assert Recipe(steps=1).batch == 32


def test_what_is_not_asked_for_is_in_no_key():
    """A recipe as it was known before batches could be drawn or divided in other ways."""
    plain = Recipe(steps=7, batch=16).model_dump(mode="json")
    assert not {"sampler", "micro_batch", "batch_norm"} & set(plain)
    assert digest(plain) == PLAIN


def test_what_is_asked_for_is_in_the_key():
    dumps = [
        Recipe.model_validate({"steps": 7, "batch": 32, **given}).model_dump(mode="json")
        for given in (
            {}, {"sampler": PK}, {"micro_batch": 16}, {"micro_batch": 8}, {"batch_norm": "full"},
        )
    ]  # fmt: skip
    assert len({digest(dump) for dump in dumps}) == 5


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"sampler": PK, "batch": 64}, r"batch \(64\) is not .* 8 speakers x 4 .* \(32\); leave"),
        ({"sampler": {"speakers": 1, "utterances": 4}}, "from 2 to"),
        ({"sampler": {"speakers": 4, "utterances": 0}}, "from 1 to"),
        ({"sampler": {"speakers": 4}}, "utterances"),
        ({"sampler": {**PK, "hrad": 0.5}}, "Extra inputs"),
        ({"sampler": {**PK, "hard": 1.0}}, "from 0 to below 1"),
        ({"sampler": {**PK, "hard": 0.01}}, r"hard \(0.01\) of 8 speakers is none"),
        (
            {"batch": 32, "micro_batch": 32},
            r"\(32\) must divide batch \(32\) into two parts or more",
        ),
        ({"sampler": PK, "micro_batch": 64}, r"must divide batch \(32\)"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        Recipe.model_validate({"steps": 1, **given})


@pytest.mark.parametrize(
    ("speakers", "hard", "anchors"), [(8, 0.0, 8), (8, 0.5, 4), (8, 0.9, 1), (5, 0.5, 3)]
)
def test_so_many_labels_come_in_turn(speakers, hard, anchors):
    sampler = Sampler(speakers=speakers, utterances=2, hard=hard)
    assert sampler.anchors == anchors
    assert ("hard" in sampler.model_dump()) == (hard > 0)


def test_one_call_may_change_both():
    recipe = Recipe(steps=1, sampler=PK)
    changed = with_settings(recipe, {"sampler.speakers": 4, "batch": 16}, "--set ")
    assert (changed.sampler.speakers, changed.batch) == (4, 16)
    with pytest.raises(ConfigError, match="or change both"):
        with_settings(recipe, {"sampler.speakers": 4}, "--set ")


PLAIN = "0858af7c972cdf149327b66c1836581bceba5c0029b3a05edddeb9c8d88a7579"
