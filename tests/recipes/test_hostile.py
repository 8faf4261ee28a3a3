"""Recipes that somebody wrote to do harm, or by mistake: exactly their tables, or our error."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.recipes.converted import Converted, as_document, as_toml
from harness.recipes.foreign_recipe import read_recipe
from harness.records.documents import readable_json
from tests.recipes.recipes import THREED_SPEAKER, WESPEAKER, replaced

EVIL = '\n[models.evil]\nadapter = "evil_module:Evil"\n#'
BREAKS = ("\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")
TEXTS = st.sampled_from(
    ["", EVIL, '"', "'", '"""', "'''", "\\", "#", "]", "=", "a.b", "\x1b[31m", "\x7f", "\u202e",
     "\x00", "\ufeff", "<lr>", "<model>", "[0, 1]", "1e-4", "null", ":fire:", "[bold]", "\t",
     *BREAKS]
) | st.text(max_size=6)  # fmt: skip
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.integers(-(2**70), 2**70)
)
KEYS = st.text("ab-_1é", min_size=1, max_size=3) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
DOCUMENTS = [yaml.safe_load(text) for text in (WESPEAKER, THREED_SPEAKER)]


def places(table: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [above] if above else []
    for key, value in table.items() if isinstance(table, dict) else ():
        found += places(value, (*above, key))
    return found


@st.composite
def recipes(draw: st.DrawFn) -> str:
    """A recipe of which some values are others, some keys are more, and some signs are wrong."""
    kept = draw(st.sampled_from(DOCUMENTS))
    copy: dict[str, Any] = yaml.safe_load(yaml.safe_dump(kept))
    for *parents, last in draw(st.lists(st.sampled_from(places(kept)), max_size=2)):
        table = copy
        for key in parents:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                break
        else:
            table[draw(st.sampled_from([last, "more", "more"]))] = draw(VALUES)
    text: str = yaml.safe_dump(copy, sort_keys=False, allow_unicode=draw(st.booleans()))
    if draw(st.integers(0, 3)):
        return text
    place = draw(st.integers(0, len(text)))
    signs = st.sampled_from([*"-:{}[]&*!|>%@`,?#'\"\n\t ", "<<: ", "&a ", "*a", "!!set ", "1e5"])
    return text[:place] + draw(signs | TEXTS) + text[place + draw(st.integers(0, 3)) :]


def read_or_refusal(path: Path) -> Converted | str:
    try:
        return read_recipe(path)
    except ConfigError as error:
        return str(error)


def check_output(path: Path) -> None:
    """What is printed has the tables that were read, and nothing before them but comments."""
    found = read_or_refusal(path)
    if isinstance(found, str):
        assert found.replace("\n", "").isprintable()
        return
    text = as_toml(found)
    assert tomllib.loads(text) == found.tables
    assert text.replace("\n", "").isprintable()
    comments, _, _ = text.partition("\n[")
    assert all(line.startswith("#") or not line for line in comments.splitlines())
    readable_json(as_document(found))


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(recipes())
def test_whatever_a_recipe_holds(tmp_path: Path, text: str) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    check_output(path)


@pytest.mark.parametrize(
    "name", [f"a{EVIL}b", *(f"a{sign}[b]" for sign in BREAKS), "\x1b[31m", "é"]
)
def test_a_hostile_name_of_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.yaml".replace("/", "")
    path.write_text(WESPEAKER)
    check_output(path)
    assert len(read_recipe(path).tables["models"]) == 1


@pytest.mark.parametrize("sign", [EVIL, *BREAKS, '"', "'", "#", "\x7f", "\x1b[31m", "a.b", "", " "])
def test_a_key_that_is_no_plain_name_is_refused(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "some.yaml"
    for at_top in (True, False):
        more = {f"a{sign}b" if sign != "" else "": 1}
        path.write_text(WESPEAKER + yaml.safe_dump(more if at_top else {"more": {"x": [more]}}))
        with pytest.raises(ConfigError, match=r"the key .* is no plain name") as error:
            read_recipe(path)
        assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "sign", [EVIL, *BREAKS, '"', '"""', "'''", "#", "\x7f", "\x1b[31m", ":fire:"]
)
def test_a_hostile_value_stays_where_it_is(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "some.yaml"
    value = f"a{sign}b"
    more = yaml.safe_dump({"more": [value, {"inner": value}], "noise_data": value})
    text = replaced(WESPEAKER, {"feat_dim: 64": f"feat_dim: 64\n  extra: {_quoted(value)}"})
    path.write_text(text + more)
    check_output(path)
    found = read_recipe(path)
    assert found.tables["models"][found.name]["arguments"]["extra"] == value
    path.write_text(replaced(WESPEAKER, {"model: CAMPPlus": f"model: {_quoted(value)}"}))
    with pytest.raises(ConfigError, match="model: a plain name must be given"):
        read_recipe(path)


def _quoted(value: str) -> str:
    return yaml.safe_dump(value, default_style='"').strip()


def bomb(line: str, count: int = 60) -> str:
    """A line whose `a`s name the line before, so many times over."""
    lines = [line.replace("b", f"x{i + 1}").replace("a", f"x{i}") for i in range(count)]
    return "\n".join(["x0: &x0 {k: 1}", *lines])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb("b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]"), "more than 5,000 values"),
        (bomb("b: &b {<<: [*a, *a]}"), "more than 5,000 values"),
        (bomb("b: &b {l: *a, r: *a}"), "more than 5,000 values"),
        (bomb("b: &b [*a]"), "more than 32 tables and lists within each other"),
        ("a: [" + "1," * 40_000 + "]", "more than 5,000 values"),
        ("a: " + "[" * 60_000, "more than 32 tables and lists"),
        ("{a: " * 30_000, "more than 32 tables and lists"),
        ("- " * 30_000, "more than 32 tables and lists"),
        ("\n".join(" " * depth + "a:" for depth in range(300)), "more than 32 tables and lists"),
        ("a: " + "b" * 100_000, "a text of 100,000 characters"),
        ("a: b\n" * 100_000, "longer than 131,072 bytes"),
        ("a: &a [*a]", "a value that holds itself"),
        ("a: &a {<<: *a}", "a value that holds itself"),
        ("a: *b", "undefined alias"),
        ("a: {<<: 1}", "for merging"),
        ("a: " + "9" * 4_000, "does not fit 64 bits"),
        ("a: 0x8000000000000000", "does not fit 64 bits"),
        ("a: 1\nb: 2\na: 3", "line 3: .*the key a is given twice"),
        ("1: a\n'1': b", "the key 1 is given twice"),
        ("a: [1]\na: [1]", "the key a is given twice"),
        ("a: 1\na: '1'", "the key a is given twice"),
        ("? [a]\n: 1", "a key that is a table"),
        ("a: !new:torch.nn.Linear [1]", "the tag '!new:torch.nn.Linear' makes an object"),
        ("a: !ref <b>", "HyperPyYAML"),
        ("a: !!binary aGk=", "makes an object"),
        ("a: !!int x", "'x' is no integer"),
        ("a: !!float x", "'x' is no number"),
        ("a: !!bool x", "'x' is neither true nor false"),
        ('a: "\\ud800"', "surrogate"),
        ("a: 1\n--- \nb: 2", "another document"),
        ("a: \x1b", "special characters"),
        ("", "holds no table"),
    ],
)
def test_a_file_beyond_bounds_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as error:
        read_recipe(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < len(str(path)) + 400


@pytest.mark.parametrize("content", [b"\x80\x04\x95", b"\xff\xfe\x00", bytes(99), b"PK\3\4\0\xff"])
def test_a_file_of_bytes_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not plain YAML"):
        read_recipe(path)
    with pytest.raises(ConfigError, match="is a folder; name the YAML file"):
        read_recipe(tmp_path)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_coding_of_yaml_is_read(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes(WESPEAKER.encode(coding))
    assert read_recipe(path).check().epochs == 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_epochs: 50": "num_epochs: 0"}, "num_epochs: a number above 0"),
        ({"num_epochs: 50": "num_epochs: .nan"}, "num_epochs: nan is too large"),
        ({"num_epochs: 50": "num_epochs: '50'"}, "num_epochs: a number must be given"),
        ({"initial_lr: 0.1": "initial_lr: 0"}, "initial_lr: a number above 0"),
        ({"batch_size: 96": "batch_size: 9.5"}, "batch_size: a whole number"),
        ({"batch_size: 96": "batch_size: 1e300"}, "batch_size: 1e.300 is too large"),
        ({"speed_perturb: True": "speed_perturb: 'False'"}, "speed_perturb: true or false"),
        ({'gpus: "[0,1]"': 'gpus: "[[[["'}, "gpus: a list of numbers"),
        ({"optimizer: SGD": "optimizer: [SGD]"}, "optimizer: a plain name"),
        ({"scheduler: Exp": "scheduler: 1 #"}, "scheduler: a plain name"),
        ({"scale: 30.0": "scale: a"}, "scale: a number"),
        ({"feat_dim: 64": "feat_dim: a"}, r"models.*bins: .* \(found 'a'\)"),
        ({"embed_dim: 256": "embed_dim: [1]"}, r"models.*embedding_size: .*integer"),
        ({"momentum: 0.9": "momentum: 9"}, r"optimizer.momentum: .* below 1"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(replaced(WESPEAKER, change))
    with pytest.raises(ConfigError, match=f"some.yaml: .*{said}"):
        read_recipe(path)
