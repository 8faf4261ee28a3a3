"""Every number of a benchmark file has a range, and what lies outside is refused by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from harness.cli import options
from harness.config.loader import load, with_settings
from harness.config.numbers import LARGEST_SEED
from harness.config.recipes import Recipe
from harness.config.schema import Benchmark, Budget
from harness.config.tables import ConfigTable
from harness.errors import ConfigError
from harness.recipes.converted import Converted
from tests.config.conftest import GOOD

Node = dict[str, Any]

LEAST = 25
"""Fields with numbers; a walk that finds fewer has lost its way."""


def tables(kind: type = ConfigTable) -> Iterator[type[BaseModel]]:
    for each in kind.__subclasses__():
        yield each
        yield from tables(each)


def schema_of(field: FieldInfo) -> Node:
    return dict(adapter_of(field).json_schema())


def adapter_of(field: FieldInfo) -> TypeAdapter[Any]:
    whole: Any = field.annotation
    return TypeAdapter(Annotated[whole, *field.metadata] if field.metadata else whole)


def leaves(node: Node) -> Iterator[Node]:
    """The numbers that a schema allows; tables of their own are walked by themselves."""
    if node.get("type") in ("integer", "number"):
        yield node
    for part in (*node.get("anyOf", ()), *node.get("prefixItems", ())):
        yield from leaves(part)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from leaves(node[key])


def filled(node: Node, value: Any) -> Any:
    """A document of a schema's shape, with a value in the place of each number."""
    if node.get("type") == "array":
        items = node.get("prefixItems", [node.get("items", {})])
        return [filled(each, value) for each in items]
    if node.get("type") == "object":
        key = node.get("propertyNames", {}).get("enum", ["name"])[0]
        return {key: filled(node["additionalProperties"], value)}
    for part in node.get("anyOf", ()):
        if any(leaves(part)):
            return filled(part, value)
    return value


def ends(node: Node) -> tuple[float, float]:
    low = node.get("minimum", node.get("exclusiveMinimum", -math.inf))
    high = node.get("maximum", node.get("exclusiveMaximum", math.inf))
    return low, high


NUMBERS = {
    f"{table.__name__}.{name}": field
    for table in {Benchmark, *tables()}
    for name, field in table.model_fields.items()
    if any(leaves(schema_of(field)))
}


def test_the_walk_finds_the_numbers() -> None:
    assert len(NUMBERS) > LEAST
    assert {"Optimizer.lr", "Noise.noise", "Published.counts", "FineTune.share"} <= NUMBERS.keys()
    assert {"Suite.protocol", "ProfilePlan.seeds_on", "Augment.speeds"} <= NUMBERS.keys()


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_every_number_has_two_finite_ends(name: str) -> None:
    for leaf in leaves(schema_of(NUMBERS[name])):
        low, high = ends(leaf)
        assert math.isfinite(low), leaf
        assert math.isfinite(high), leaf
        assert low < high


@given(data=st.data())
@settings(max_examples=12, deadline=None)
@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_what_lies_outside_is_refused_and_both_ends_are_told(name: str, data: Any) -> None:
    node = schema_of(NUMBERS[name])
    (leaf, *_) = leaves(node)
    low, high = ends(leaf)
    if leaf["type"] == "integer":
        outside = st.integers(max_value=int(low) - 1) | st.integers(min_value=int(high) + 1)
        extreme = st.sampled_from([-(10**23), 10**23, *([-1] if low >= 0 else [])])
        inside: Any = st.integers(int(low), int(high))
    else:
        beyond = math.nextafter(high, math.inf)
        outside = st.floats(max_value=math.nextafter(low, -math.inf)) | st.floats(min_value=beyond)
        extreme = st.sampled_from([math.inf, -math.inf, math.nan, 1e30, -1e30])
        inside = st.floats(low, high, exclude_min=True, exclude_max=True)
    adapter = adapter_of(NUMBERS[name])
    adapter.validate_json(json.dumps(filled(node, data.draw(inside))), strict=True)
    document = json.dumps(filled(node, data.draw(extreme | outside)))
    with pytest.raises(ValidationError) as refused:
        adapter.validate_json(document, strict=True)
    assert f"{high:,}" in str(refused.value)
    assert f"{low:,}" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "key", "told"),
    [
        ("steps = 10", f"steps = {10**22}", "recipes.short.steps", "from 1 to 1,000,000,000"),
        ("batch = 8", "batch = -1", "recipes.short.batch", "from 1 to 1,048,576"),
        ("batch = 8", "optimizer.lr = 1e300", "optimizer.lr", "above 0 to 1,000"),
        ("batch = 8", "optimizer.lr = inf", "optimizer.lr", "inf is no finite number"),
        ("batch = 8", "schedules.margin = 1e9", "schedules.margin", "from -1,000,000 to 1,000,000"),
        ("seed = 0", "seed = -1", "datasets.digits.split.seed", "from 0 to 4,294,967,295"),
        ("profiles", "protocol = 0\nprofiles", "suites.small.protocol", "from 1 to 1,000,000"),
        (
            '{ recipe = "short" }', '{ recipe = "short", seeds = [4294967296] }',
            "suites.small.profiles.quick.seeds.0", "from 0 to 4,294,967,295",
        ),
    ],
)  # fmt: skip
def test_a_file_is_refused_by_key_value_and_range(
    tmp_path: Path, old: str, new: str, key: str, told: str
) -> None:
    path = tmp_path / "benchmark.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        load(path)
    (line,) = str(refused.value).splitlines()
    assert f"{key}" in line
    assert told in line
    value = new.rstrip("}] ").rpartition("= ")[2].lstrip("[").removesuffix("\nprofiles")
    assert str(json.loads(value)) in line if value != "inf" and "profiles" not in new else True


@pytest.mark.parametrize("value", [math.inf, math.nan, -1, 1e30, 10**23, 10**400])
@pytest.mark.parametrize("key", ["steps", "batch", "optimizer.lr", "crop_seconds", "clip_norm"])
def test_a_setting_has_the_same_range(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"^--set {key}: "):
        with_settings(Recipe(steps=1), {key: value}, "--set ")


@pytest.mark.parametrize("table", [{"lr": math.inf}, {"lr": 1e9}, {"lr": -0.1}, {"momentum": 1}])
def test_a_converted_recipe_has_the_same_range(table: dict[str, float]) -> None:
    recipe = {"epochs": 1, "optimizer": {"name": "sgd", "lr": 0.1, **table}}
    (name,) = table
    with pytest.raises(ConfigError, match=rf"optimizer\.{name}: "):
        Converted("theirs", "x", recipe, None, None, (), (), ()).check()


def test_seeds_have_one_range() -> None:
    assert options.LARGEST_SEED == LARGEST_SEED


def test_a_sampler_whose_batch_is_too_large() -> None:
    with pytest.raises(ValidationError, match="are 1,048,576,000; give 1,048,576 at most"):
        Recipe(steps=1, sampler={"speakers": 2**20, "utterances": 1000})  # type: ignore[arg-type]


def test_a_card_of_no_size() -> None:
    with pytest.raises(ValidationError, match="1 PiB at most"):
        Budget(gpu_memory=f"{10**23} GiB")
