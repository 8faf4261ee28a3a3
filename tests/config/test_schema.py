"""The typed objects themselves: frozen, closed, with the rules that types do not tell."""

import pytest
from pydantic import ValidationError

from harness.config.datasets import SplitRule
from harness.config.recipe_tables import Rise
from harness.config.recipes import Recipe
from harness.config.schema import Benchmark
from harness.config.tables import Component


def test_an_empty_benchmark_has_a_budget():
    budget = Benchmark().budget
    assert budget.gpu_memory == "6 GiB"
    # Such a card shows torch 5.6 GiB, of which a context and a display leave less than 5.
    assert budget.usable == 9 * 2**29


def test_tables_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe(steps=1).batch = 3


def test_a_component_keeps_what_belongs_to_its_class():
    component = Component.model_validate({"adapter": "a:B", "channels": 3, "name": "x"})
    assert component.adapter == "a:B"
    assert component.fields == {"channels": 3, "name": "x"}


def test_fields_of_a_component_are_a_copy():
    component = Component.model_validate({"adapter": "a:B", "channels": 3})
    component.fields["channels"] = 4
    assert component.fields == {"channels": 3}


@pytest.mark.parametrize("lengths", [{}, {"steps": 1, "epochs": 1.0}])
def test_a_recipe_has_one_length(lengths):
    with pytest.raises(ValidationError, match="either steps or epochs"):
        Recipe(**lengths)


def test_a_rise_ends_after_it_starts():
    assert Rise(start=0.5, end=0.5).end == 0.5
    with pytest.raises(ValidationError, match="comes before start"):
        Rise(start=0.6, end=0.5)


@pytest.mark.parametrize("name", ["a/b", "..", "", "a b", "-a"])
def test_a_name_that_cannot_be_a_folder(name):
    with pytest.raises(ValidationError, match="match pattern"):
        Benchmark(models={name: Component(adapter="a:B")})


@pytest.mark.parametrize("name", ["open-26666", "efficientnet_b0", "v1.0", "a+b"])
def test_a_name_that_can(name):
    assert name in Benchmark(models={name: Component(adapter="a:B")}).models


def test_a_split_holds_something_out():
    with pytest.raises(ValidationError, match="from 1 to"):
        SplitRule(validation=0, test=3)
