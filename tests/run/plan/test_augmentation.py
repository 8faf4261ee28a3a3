"""Augmentation that cannot be meant is refused before anything runs."""

import pytest

from harness.config.recipe_tables import Augment
from harness.config.recipes import Recipe
from harness.errors import ConfigError, CorpusAbsent
from harness.run.plan.resolved import check_augment, disturbances
from harness.tasks.classification import Classification
from harness.tasks.verification import Verification


def recipe(crop_seconds=1.0, **augment):
    return Recipe(steps=1, crop_seconds=crop_seconds, augment=Augment(**augment))


@pytest.mark.parametrize(
    ("made", "task", "kind", "told"),
    [
        (recipe(noise={}), Verification(), "image", "this dataset has none"),
        (recipe(None, speeds=(0.9, 1.0)), Verification(), "audio", "give crop_seconds"),
        (recipe(speeds=(0.9, 1.0)), Classification(), "audio", "judges the classes"),
    ],
)
def test_refusals(made, task, kind, told):
    with pytest.raises(ConfigError, match=f"here.augment.*{told}"):
        check_augment(made, task, kind, "here")


@pytest.mark.parametrize(
    ("made", "task", "kind"),
    [
        (recipe(speeds=(0.9, 1.0), noise={}, reverb={}), Verification(), "audio"),
        (recipe(noise={}), Classification(), "audio"),
        (recipe(None, frequency_mask=3), Classification(), "image"),
    ],
)
def test_what_is_let_be(made, task, kind):
    check_augment(made, task, kind, "here")


def test_what_is_drawn_from_is_known_by_its_content(tmp_path):
    made = recipe(noise={})
    assert disturbances(made.augment, tmp_path, tmp_path, decode=False) == {"noise": ""}
    known = disturbances(made.augment, tmp_path, tmp_path, decode=True)
    assert len(known["noise"]) == 64
    assert disturbances(made.augment, tmp_path, tmp_path, decode=False) == known
    assert disturbances(Augment(frequency_mask=3), tmp_path, tmp_path, decode=True) == {}


def test_a_folder_that_is_absent_is_told_before_anything_is_decoded(tmp_path):
    with pytest.raises(CorpusAbsent, match="musan"):
        disturbances(Augment(noise={"source": "musan"}), tmp_path, tmp_path, decode=False)


def test_kinds_that_no_noise_is_of(tmp_path):
    with pytest.raises(ConfigError, match="there is noise"):
        disturbances(Augment(noise={"kinds": ("music",)}), tmp_path, tmp_path, decode=True)
