"""A loss that no batch would serve is refused before anything is trained."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from adapters.class_losses import ClassBalancedSoftmax
from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax
from adapters.triplet import AngularTriplet
from harness.adapter import Fbank
from harness.config.recipes import Recipe
from harness.datasets.lengths import Need
from harness.errors import ConfigError
from harness.run.plan.resolved import check_crops, check_needs

PLAIN = Recipe(steps=1, batch=8)
DIVIDED = Recipe(steps=1, batch=8, micro_batch=4)
PK = Recipe(steps=1, sampler={"speakers": 4, "utterances": 2})


@dataclass(frozen=True)
class Asking(AamSoftmax):
    """A loss that asks for something else."""

    needs: ClassVar[frozenset[str]] = frozenset()


@pytest.mark.parametrize("loss", [AamSoftmax(), GhmClassification(), ClassBalancedSoftmax()])
@pytest.mark.parametrize("recipe", [None, PLAIN, DIVIDED, PK])
def test_these_are_served_by_every_recipe(loss, recipe):
    check_needs(loss.needs, "losses.x", recipe)


def test_triplets_are_served_by_a_sampler():
    check_needs(AngularTriplet().needs, "losses.x", PK)


@pytest.mark.parametrize(
    "recipe",
    [None, PLAIN, DIVIDED, Recipe(steps=1, sampler={"speakers": 8, "utterances": 1})],
)
def test_batches_that_are_not_drawn_are_refused_with_the_mend(recipe):
    with pytest.raises(ConfigError, match=r"losses\.x: asks for .*\(pk\); .*sampler = \{"):
        check_needs(AngularTriplet().needs, "losses.x", recipe)


@pytest.mark.parametrize(("need", "told"), [("pairs", "choose another"), ("moon", "'moon'")])
def test_what_nobody_gives_is_refused(need, told, monkeypatch):
    monkeypatch.setattr(Asking, "needs", frozenset({need}))
    with pytest.raises(ConfigError, match=told):
        check_needs(Asking().needs, "losses.x", PK)


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({"crop_seconds": 0.06}, "crop_seconds: 0.06 s are 4 frames"),
        ({"crop_seconds": 1, "test_crops": {"seconds": 0.06, "count": 2}}, "test_crops.seconds"),
        (
            {"crop_seconds": 1, "fine_tune": {"crop_seconds": 0.06, "share": 0.5, "lr": 1e-4}},
            "fine_tune.crop_seconds",
        ),
    ],
)
def test_crops_shorter_than_a_network_takes_are_refused(told, key):
    need = Need("net", Fbank(least_frames=5))
    with pytest.raises(ConfigError, match=rf"recipes\.r\.{key}.* net needs 5 frames \(0\.065 s\)"):
        check_crops(Recipe(steps=10, **told), need, "recipes.r")
    check_crops(Recipe(steps=10, **told), Need("net", Fbank(least_frames=4)), "recipes.r")
    check_crops(PLAIN, need, "recipes.r")
