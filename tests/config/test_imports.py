"""From an import path to an object: what is wrong with the path or the fields is said."""

import subprocess
import sys

import pytest

from harness.config.imports import construct, load_class
from harness.errors import ConfigError

CONSTRUCT_ALL = """
import sys
from harness.config.imports import construct
from harness.config.loader import load; from harness.config.merging import builtin_benchmark

benchmark = load(builtin_benchmark()).benchmark
made = [
    construct(table.adapter, table.fields, name)
    for section in (benchmark.datasets, benchmark.models, benchmark.losses)
    for name, table in section.items()
]
made += [construct(suite.task, {}, name) for name, suite in benchmark.suites.items()]
sys.exit(f"{len(made)} {'torch' in sys.modules}")
"""


def test_all_that_our_benchmark_names_can_be_made_without_torch():
    done = subprocess.run(
        [sys.executable, "-c", CONSTRUCT_ALL], capture_output=True, text=True, check=False
    )
    count, torch = done.stderr.split()[-2:]
    assert torch == "False", done.stderr
    assert int(count) > 20


@pytest.mark.parametrize(
    "path",
    [
        "Ecapa",
        "adapters.losses",
        "adapters.losses:",
        ":Softmax",
        ".losses:Softmax",
        "a b:C",
        "a:b c",
    ],
)
def test_not_an_import_path(path):
    with pytest.raises(ConfigError, match=r"losses\.x: .* write 'package\.module:Class'"):
        load_class(path, "losses.x")


def test_an_unknown_module():
    with pytest.raises(
        ConfigError, match=r"losses\.x: .*no module named 'adapters\.lozzes'.*beside"
    ):
        load_class("adapters.lozzes:Softmax", "losses.x")


def test_a_module_whose_own_library_is_missing(tmp_path, monkeypatch):
    (tmp_path / "wants_library.py").write_text("import library_that_is_not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match="no module named 'library_that_is_not_there'"):
        load_class("wants_library:Anything", "models.x")


@pytest.mark.parametrize("text", ["def broken(:\n", "from json import nothing_of_the_kind\n"])
def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch, text):
    name = f"broken_module_{len(text)}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=rf"models\.x: importing '{name}' failed"):
        load_class(f"{name}:Anything", "models.x")


def test_an_unknown_class_and_the_nearest_of_that_module():
    with pytest.raises(ConfigError, match=r"no class 'Softmaxx'; did you mean 'Softmax'"):
        load_class("adapters.losses:Softmaxx", "losses.x")


def test_classes_that_a_module_only_imports_are_not_suggested():
    with pytest.raises(ConfigError) as caught:
        load_class("harness.data.corpora.digits:Zzzz", "datasets.x")
    assert str(caught.value).endswith("known: Digits")


def test_a_function_is_not_a_class():
    with pytest.raises(ConfigError, match="has no class 'load'"):
        load_class("harness.config.loader:load", "models.x")


def test_a_class_without_fields():
    with pytest.raises(ConfigError, match="is not a dataclass"):
        construct("pathlib:PurePath", {}, "models.x")


def test_fields_take_their_values_and_defaults():
    made = construct("harness.adapter:Fbank", {"bins": 40, "window": "povey"}, "models.x")
    assert (made.bins, made.window, made.scale) == (40, "povey", 32768.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bin": 40}, r"models\.x\.bin: unknown key; did you mean 'bins'"),
        ({"kind": "image"}, r"models\.x\.kind: unknown key"),
        ({"bins": "40"}, r"models\.x\.bins: .*integer.*found '40'"),
        ({"bins": 40.5}, r"models\.x\.bins: .*integer"),
        ({"subtract_mean": 1}, r"models\.x\.subtract_mean: .*boolean"),
        ({"window": "hamm"}, r"models\.x\.window: .*'hamming'"),
    ],
)
def test_a_wrong_field(given, message):
    with pytest.raises(ConfigError, match=message):
        construct("harness.adapter:Fbank", given, "models.x")


def test_a_field_that_must_be_given():
    with pytest.raises(ConfigError, match=r"models\.x\.size: missing"):
        construct("harness.adapter:Vector", {}, "models.x")


def test_a_misspelt_key_of_the_table_is_known_for_what_it_is():
    with pytest.raises(ConfigError, match=r"datasets\.x\.spilt: unknown key; did you mean 'split'"):
        construct(
            "harness.data.corpora.digits:Digits", {"spilt": 1}, "datasets.x", ("split", "path")
        )


def test_what_a_class_itself_refuses(tmp_path, monkeypatch):
    (tmp_path / "picky_adapter.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Picky:\n"
        "    low: int = 0\n\n    def __post_init__(self):\n"
        "        if self.low < 0:\n            raise ValueError('low must not be negative')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"^models\.x: low must not be negative$"):
        construct("picky_adapter:Picky", {"low": -1}, "models.x")
