"""A loss that no batch would serve is refused before anything is trained."""

import pytest

from adapters.ghm import GhmClassification
from adapters.losses import AamSoftmax
from adapters.triplet import AngularTriplet
from harness.errors import ConfigError
from harness.plan.needs import check_needs


@pytest.mark.parametrize("loss", [AamSoftmax(), GhmClassification()])
def test_whole_batches_are_what_the_loop_draws(loss):
    check_needs(loss, "losses.x")


def test_batches_that_are_not_drawn_are_refused_by_name():
    with pytest.raises(ConfigError, match=r"losses\.x: asks for batches with .*\(pk\)"):
        check_needs(AngularTriplet(), "losses.x")
