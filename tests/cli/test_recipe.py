"""`harness recipe`: another project's recipe as tables of a benchmark file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from typer.testing import CliRunner

from harness.cli.app import app
from harness.config.loader import load
from harness.errors import ConfigError
from harness.recipes.converted import as_toml
from harness.recipes.foreign_recipe import read_recipe
from tests.recipes.recipes import WESPEAKER, replaced


def test_what_is_printed_is_a_benchmark_file(tmp_path: Path) -> None:
    source = tmp_path / "campplus.yaml"
    source.write_text(WESPEAKER)
    done = CliRunner().invoke(app, ["recipe", str(source), "--name", "mine"])
    assert done.exit_code == 0, done.output
    path = tmp_path / "benchmark.toml"
    path.write_text(done.stdout)
    benchmark = load(path).benchmark
    assert benchmark.recipes["mine"].epochs == 50
    assert benchmark.models["mine"].adapter == "adapters.wespeaker:CamPlusPlus"
    assert benchmark.losses["mine"].fields["scale"] == 30.0
    assert "#   seed = 1: seeds are a suite's" in done.stdout


def test_one_document(tmp_path: Path) -> None:
    source = tmp_path / "campplus.yaml"
    source.write_text(WESPEAKER)
    runner = CliRunner()
    found = json.loads(runner.invoke(app, ["recipe", str(source), "--json"]).stdout)
    text = runner.invoke(app, ["recipe", str(source)]).stdout
    tables = {key: found[key] for key in ("recipes", "models", "losses")}
    assert tables == tomllib.loads(text)
    assert found["no_place"][1].items() >= {"key": "seed", "value": 1}.items()


def test_text_is_printed_as_it_is(tmp_path: Path) -> None:
    source = tmp_path / "campplus.yaml"
    source.write_text(replaced(WESPEAKER, {"exp/any": '"[red]:fire:\\t\\e[31m\\L"', "64": "6.4e1"}))
    done = CliRunner().invoke(app, ["recipe", str(source)])
    assert done.stdout == as_toml(read_recipe(source)) + "\n"
    assert r"""#   exp_dir = "[red]:fire:\u0009\u001b[31m\u2028": where""" in done.stdout


def test_a_key_that_would_be_a_table_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "campplus.yaml"
    source.write_text(WESPEAKER + '"harmless\\n[models.evil]\\nadapter = 1\\n#": 1\n')
    done = CliRunner().invoke(app, ["recipe", str(source)])
    assert isinstance(done.exception, ConfigError)
    assert done.stdout == ""


def test_a_file_that_is_none_is_a_wrong_request(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["recipe", str(tmp_path / "absent.yaml")])
    assert isinstance(done.exception, ConfigError)
