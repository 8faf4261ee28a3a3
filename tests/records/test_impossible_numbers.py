"""Numbers that no record can hold, by their places."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RequestError
from harness.records.record_files import impossible_numbers, read_record, usable_record
from tests.places import RECORDS

Edited = Callable[..., list[str]]


@pytest.fixture(scope="module")
def edited() -> Edited:
    """What is said of a published record with one value replaced, named by its place."""
    path, *_ = (RECORDS / "speaker/quick/open-26666").glob("campplus-aam-seed0-*[0-9a-f].json")
    record = read_record(path)
    return lambda place, value: impossible_numbers(replaced(record, place, value))


def replaced(content: Any, place: tuple[str, ...], value: Any) -> Any:
    """A copy with another value at a place; no model looks at what it is given."""
    if not place:
        return value
    name, *rest = place
    if isinstance(content, dict):
        return content | {name: replaced(content.get(name), tuple(rest), value)}
    inner = replaced(getattr(content, name), tuple(rest), value)
    return content.model_copy(update={name: inner})


def test_no_published_record_holds_any() -> None:
    files = [path for path in RECORDS.rglob("*.json") if "." not in path.stem]
    assert len(files) > 40
    assert [line for path in files for line in impossible_numbers(read_record(path))] == []


@given(value=st.floats() | st.sampled_from([0.0, 1.0, -0.0, 1.0000001]))
def test_a_rate_is_a_fraction(edited: Edited, value: float) -> None:
    said = edited(("metrics", "eer", "value"), value)
    assert bool(said) is not (0 <= value <= 1)
    assert all(line.startswith("metrics.eer.value is ") for line in said)


@given(value=st.floats())
def test_a_cost_without_a_unit_is_finite_as_is_its_square(edited: Edited, value: float) -> None:
    assert bool(edited(("metrics", "min_dcf", "value"), value)) is not (abs(value) <= 1e18)


@pytest.mark.parametrize("value", [-1, -0.5, math.nan, math.inf, -math.inf, 1e308, 5e-324])
@pytest.mark.parametrize("name", ["training_per_second", "latency_p50"])
def test_what_an_entry_costs_is_finite_and_not_negative(
    edited: Edited, name: str, value: float
) -> None:
    said = edited(("resources", name), value)
    assert [line.split()[0] for line in said] == [f"resources.{name}"]


def test_a_count_beyond_every_float_is_named(edited: Edited) -> None:
    (line,) = edited(("resources", "parameters"), 10**400)
    assert line.startswith("resources.parameters is 1000")
    assert len(line) < 120


def test_the_parts_of_a_cost_are_looked_at_too(edited: Edited) -> None:
    said = edited(("resources", "training_memory", "bytes"), -1)
    assert said == ["resources.training_memory.bytes is -1, and has to be 0, or 1e-18 or more"]


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    "place",
    [
        ("recipe", "batch"),
        ("protocol", "parameters", "p_target"),
        ("stages", "train", "inputs", "seed"),
        ("model", "fields", "new"),
    ],
)
def test_what_is_hashed_is_finite(edited: Edited, place: tuple[str, ...], value: float) -> None:
    assert [line.split()[0] for line in edited(place, value)] == [".".join(place)]
    inner = edited(place, {"a": [1, {"b": value}]})
    assert [line.split()[0] for line in inner] == [f"{'.'.join(place)}.a.1.b"]


def test_values_without_each_unit_are_named_once_with_their_count(edited: Edited) -> None:
    (line,) = edited(("left_one_out", "eer"), {"ann": 0.5, "bob": 1.5, "cy": math.nan})
    assert line.startswith("left_one_out.eer.bob is 1.5,")
    assert "2 of 3 such values" in line


def test_a_refusal_names_the_file_and_every_number(tmp_path: Path) -> None:
    path, *_ = (RECORDS / "speaker/quick/open-26666").glob("campplus-aam-seed0-*[0-9a-f].json")
    record = read_record(path)
    assert usable_record(path, record) is record
    metric = record.metrics["eer"].model_copy(update={"value": 1.25, "high": math.nan})
    wrong = record.model_copy(update={"metrics": {"eer": metric}})
    with pytest.raises(RequestError) as error:
        usable_record(path, wrong)
    lines = str(error.value).splitlines()
    assert [line.split(" is ")[0] for line in lines] == [
        f"{path}: metrics.eer.value",
        f"{path}: metrics.eer.high",
    ]
