"""Parameters of a foreign recipe: each is taken or left, none twice, none lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.recipes.parameters import UNKNOWN, Parameters

NAMES = st.text("abc", min_size=1, max_size=2)
VALUES = st.none() | st.integers() | st.text("<>ab", max_size=4) | st.lists(st.integers())
DOCUMENTS = st.recursive(
    st.dictionaries(NAMES, VALUES, max_size=4),
    lambda inner: st.dictionaries(NAMES, VALUES | inner, max_size=4),
    max_leaves=8,
)


def leaves(document: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict) and value:
            found |= leaves(value, f"{where}{key}.")
        else:
            found[f"{where}{key}"] = value
    return found


@given(DOCUMENTS, st.data())
def test_nothing_is_lost_whatever_is_done(document: dict[str, Any], data: st.DataObject) -> None:
    wanted = leaves(document)
    parameters = Parameters(document)
    keys = [*wanted, "not there"]
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=6)):
        match data.draw(st.sampled_from(["take", "leave", "refuse", "table"])):
            case "take":
                parameters.take(key)
            case "leave":
                parameters.leave(f"{key[0]}*", "a reason")
            case "refuse":
                parameters.refuse(key, "a reason")
            case _:
                parameters.table(key[0])
    named = {each.key: each.value for each in parameters.left}
    assert not set(parameters.keys_taken) & set(named)
    assert {*parameters.keys_taken, *named} == set(wanted)
    assert all(named[key] == wanted[key] for key in named)


def test_a_reference_takes_what_it_stands_for() -> None:
    parameters = Parameters({"rate": 3, "part": {"rate": "<rate>", "other": "<absent>"}})
    assert parameters.take("part.rate") == 3
    assert parameters.take("part.other") == "<absent>"
    assert parameters.take("nothing", 7) == 7
    assert parameters.keys_taken == ("rate", "part.rate", "part.other")
    assert parameters.left == ()


def test_references_in_a_circle_come_to_an_end() -> None:
    parameters = Parameters({"a": "<b>", "b": "<a>", "c": "<c>"})
    assert parameters.take("a") == "<a>"
    assert parameters.take("c") == "<c>"
    assert parameters.keys_taken == ("a", "b", "c")


def test_what_nobody_spoke_of_is_unknown() -> None:
    parameters = Parameters({"a": {"b": 1, "c": 2}, "d": {}})
    parameters.leave("a.b", "for a reason")
    assert [(each.key, each.why) for each in parameters.left] == [
        ("a.b", "for a reason"), ("a.c", UNKNOWN), ("d", UNKNOWN),
    ]  # fmt: skip
