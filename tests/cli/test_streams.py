"""What a command leaves on streams that are full, closed, or know few characters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tiny import TinyBenchmark, finished_tiny, plain_environment

COMMAND = [sys.executable, "-c", "from harness.cli import main; main()"]

SCORES = "a b 2.5 target\na c -1.5 nontarget\nd e 1.5 target\nd f -2.5 nontarget\n"

NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

ENCODINGS = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "utf-8:strict"},
    NO_UTF8,
]


def harness(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        check=False,
        env={**plain_environment(), **environment},
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    return finished_tiny(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("streams") / "own")


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A score file whose name is no text, with letters and an arrow that few encodings know."""
    name = "r\u00e9sultat\u2192".encode() + b"\xff.txt"
    path = tmp_path_factory.mktemp("scores") / os.fsdecode(name)
    path.write_text(SCORES)
    return path


def test_the_table_of_a_run_is_shown_in_ascii(base: TinyBenchmark) -> None:
    words = ("run", "--suite", "own", "--loss", "aam", "--seeds", "0,7", "--device", "cpu")
    done = harness(*base.arguments(*words), PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    table = done.stdout.decode("ascii")
    assert "EER % v" in table
    assert "MFCC" in table
    assert "tiny + aam" in table


@pytest.mark.parametrize("environment", ENCODINGS)
def test_names_that_no_encoding_knows_are_shown_and_columns_stay(
    scores: Path, environment: dict[str, str]
) -> None:
    done = harness("score", "--scores", scores, **environment)
    assert done.returncode == 0, done.stderr
    encoding = "utf-8" if "utf-8:strict" in environment.values() else "latin-1"
    lines = done.stdout.decode(encoding).splitlines()
    (row,) = [line for line in lines if line.startswith("r") and "sultat" in line]
    assert "\\xff" in row
    assert "0.00" in row


@pytest.mark.parametrize("environment", ENCODINGS)
def test_json_is_whole_in_any_encoding(scores: Path, environment: dict[str, str]) -> None:
    done = harness("score", "--scores", scores, "--json", **environment)
    assert done.returncode == 0, done.stderr
    system = json.loads(done.stdout)["system"]
    assert system.encode("utf-8", "surrogateescape") == os.fsencode(scores.stem)


def test_help_and_messages_are_shown_where_few_characters_are_known(scores: Path) -> None:
    done = harness("score", "--help", **NO_UTF8)
    assert done.returncode == 0, done.stderr
    assert b"--calibration-trials" in done.stdout
    missing = harness("score", "--scores", scores.with_suffix(".gone"), **NO_UTF8)
    assert missing.returncode == 2
    assert missing.stderr.startswith(b"harness: ")
    assert missing.stderr.count(b"\n") == 1


def ended_in_shell(scores: Path, redirection: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose streams a shell directs."""
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$@" {redirection}', "bash", *COMMAND, *words_of(scores)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=plain_environment(),
    )


def words_of(scores: Path) -> list[str]:
    return ["score", "--scores", str(scores)]


@pytest.mark.parametrize("redirection", ["> /dev/full", "--json > /dev/full", ">&-"])
def test_an_output_that_takes_nothing_is_one_line_and_a_failure(
    scores: Path, redirection: str
) -> None:
    done = ended_in_shell(scores, redirection)
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("harness: ")]
    assert len(told) == 1
    assert "standard output" in told[0]
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_reader_who_has_enough_is_no_error_to_tell(scores: Path) -> None:
    done = ended_in_shell(scores, "| true")
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert "harness: " not in done.stderr


@pytest.mark.parametrize("redirection", ["2> /dev/full", "2>&-"])
def test_messages_that_nobody_takes_lose_no_result(scores: Path, redirection: str) -> None:
    done = ended_in_shell(scores, redirection)
    assert done.returncode == 0
    assert "EER %" in done.stdout
