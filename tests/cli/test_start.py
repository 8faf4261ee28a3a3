"""Commands import what they use: help and lists almost nothing, what only reads no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from harness.cli.app import app
from tests.tiny import TinyBenchmark, finished_tiny, plain_environment

TORCH = {"torch", "lightning_fabric", "torchaudio", "torchvision", "speechbrain", "timm"}
ARRAYS = {"numpy", "pandas", "scipy", "sklearn", "pyarrow", "matplotlib", "seaborn", "PIL"}
OTHERS = {"jinja2", "yaml", "soundfile", "tabulate", "safetensors", "psutil"}

EVERY_HELP = """
from typer.main import get_command
from harness.cli.app import app

group = get_command(app)
for name, command in group.commands.items():
    for inner in getattr(command, "commands", [""]):
        words = [name, inner, "--help"] if inner else [name, "--help"]
        group.main(words, prog_name="harness", standalone_mode=False)
"""
"""Asks every command for its help, in one process."""

COMMAND = """
import sys
from harness.cli import main
try:
    main()
except SystemExit as ended:
    assert ended.code in (0, 1, None), ended.code
"""

IMPORTED = """
import json, sys
json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stderr)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    return finished_tiny(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("start") / "own")


def imported(program: str, *words: str) -> set[str]:
    """Libraries that a program has imported when it ends; it must print something."""
    done = subprocess.run(
        [sys.executable, "-c", program + IMPORTED, *words],
        capture_output=True,
        text=True,
        check=False,
        env=plain_environment(),
    )
    assert done.returncode == 0, done.stderr
    messages, _, libraries = done.stderr.rpartition("\n")
    assert done.stdout + messages != ""
    return set(json.loads(libraries))


@pytest.mark.parametrize("words", ["--help", "data --help", "board --help", "history --help"])
def test_a_list_of_commands_imports_none_of_their_libraries(words: str) -> None:
    assert imported(COMMAND, *words.split()) & (TORCH | ARRAYS | OTHERS) == set()


def test_no_command_needs_its_libraries_to_show_its_help() -> None:
    assert imported(EVERY_HELP) & (TORCH | ARRAYS | OTHERS) == set()


@pytest.mark.parametrize("words", ["runs list", "runs list --json", "runs watch --once"])
def test_stored_runs_are_read_without_arrays(base: TinyBenchmark, words: str) -> None:
    found = imported(COMMAND, *words.split(), "--runs", str(base.runs))
    assert found & (TORCH | ARRAYS | OTHERS) == set()


@pytest.mark.parametrize(
    "words",
    [
        "board check --folder {empty}",
        "data list --config {config}",
        "runs gc --config {config} --runs {runs}",
        "plan --suite own --loss aam --seeds 0 --device cpu --config {config} --runs {runs}",
    ],
)
def test_no_torch_is_imported(base: TinyBenchmark, tmp_path: Path, words: str) -> None:
    places = {"config": base.config, "runs": base.runs, "empty": tmp_path}
    assert imported(COMMAND, *words.format(**places).split(" ")) & TORCH == set()


def every_command() -> list[Any]:
    commands = get_command(app).commands.values()
    return [inner for each in commands for inner in getattr(each, "commands", {"": each}).values()]


def test_lists_show_each_command_with_the_first_paragraph_of_its_own_help() -> None:
    commands = every_command()
    assert {"run", "plan", "verify"} <= {command.name for command in commands}
    for command in commands:
        loaded = command.make_context(command.name, [], resilient_parsing=True).command
        assert loaded is not command
        assert command.help == loaded.help
        assert command.get_short_help_str() == loaded.get_short_help_str()


def test_a_mistyped_command_is_answered_with_the_nearest_one() -> None:
    done = CliRunner().invoke(app, ["pln"])
    assert done.exit_code == 2
    assert "Did you mean 'plan'?" in done.output
    assert "Did you mean 'list'?" in CliRunner().invoke(app, ["runs", "lst"]).output
