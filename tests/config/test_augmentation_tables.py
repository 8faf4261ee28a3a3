"""What a recipe may say of augmentation, and that what it does not say changes no key."""

import json

import pytest
from pydantic import ValidationError

from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.records.documents import digest

EVERYTHING = {
    "speeds": [0.9, 1.0, 1.1],
    "probability": 0.8,
    "both": True,
    "noise": {"source": "musan", "kinds": ["noise"], "noise": [0, 15]},
    "reverb": {"source": "RIRS_NOISES"},
    "frequency_mask": 10,
}


@pytest.mark.parametrize("given", [{}, {"time_mask": 3}, {"noise": {}}, EVERYTHING])
def test_a_recipe_goes_to_a_job_and_back(given):
    recipe = Recipe.model_validate({"steps": 1, "augment": given})
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize("given", [{}, {"frequency_mask": 10}])
def test_what_is_not_used_is_in_no_key(given):
    """As trainings were known before sound could be changed."""
    plain = {"frequency_mask": 0, "time_mask": 0, **given}
    assert Augment.model_validate(given).model_dump() == plain
    assert digest(Recipe(steps=1, augment=Augment(**given)).model_dump(mode="json")["augment"]) == (
        digest(plain)
    )


@pytest.mark.parametrize("key", EVERYTHING)
def test_what_is_used_is_in_the_key(key):
    whole = Augment.model_validate(EVERYTHING)
    assert key in json.loads(whole.model_dump_json())
    if key in ("noise", "reverb"):
        return  # both asks for the two of them
    without = {name: value for name, value in EVERYTHING.items() if name != key}
    assert digest(Augment.model_validate(without).model_dump(mode="json")) != digest(
        whole.model_dump(mode="json")
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"speeds": [1.0, 1.0]}, "one comes twice"),
        ({"speeds": [0.1]}, "from 0.5 to 2"),
        ({"probability": 0.5}, "give noise or reverb"),
        ({"both": True, "noise": {}}, "give reverb and noise"),
        ({"noise": {"music": [5, 1]}}, "music: the highest ratio"),
        ({"noise": {"kinds": []}}, "name at least one"),
        ({"noise": {"kinds": ["babble"]}}, "'noise', 'speech' or 'music'"),
        ({"noise": {"sorce": "musan"}}, "Extra inputs"),
        ({"probability": 1.5, "noise": {}}, "from 0 to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(given, told):
    with pytest.raises(ValidationError, match=told):
        Augment.model_validate(given)
