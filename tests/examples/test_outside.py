"""The examples of docs/extending.md, run from outside the package through the command line."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator

import pytest
import soundfile

from harness.testing import check_loss, check_model
from tests.places import EXAMPLES
from tests.tiny import TinyBenchmark, make_tiny

PAGE = EXAMPLES.parent / "extending.md"


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    """The examples in a folder of their own, with a dozen voices in their layout."""
    folder = tmp_path_factory.mktemp("outside") / "own"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "my-voices").mkdir()
    voices = make_tiny(folder.parent / "tiny").folder / "voices"
    for path in voices.glob("*.flac"):
        speaker, take = path.stem.split("-u")
        samples, rate = soundfile.read(path, dtype="int16")
        name = f"{speaker}_day{int(take) % 2}_{take}.wav"
        soundfile.write(folder / "my-voices" / name, samples, rate)
    return TinyBenchmark(folder)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The examples' modules can be imported; other tests have modules of the same names."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield
    for name in ("my_models", "my_losses", "my_corpora"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("modules")
def test_the_network_and_the_loss_keep_the_promises_of_the_interface():
    from my_losses import CosineSoftmax
    from my_models import StatisticsPooling

    check_model(StatisticsPooling(), frames=60)
    check_loss(CosineSoftmax())


def test_a_network_a_loss_and_a_layout_of_ones_own_are_run_and_ranked(outside: TinyBenchmark):
    done = outside.run("run", "--suite", "mine", "--device", "cpu", "--json")
    assert done.status == 0, done.err
    (table,) = done.json["tables"]
    rows = {(row["model"], row["loss"]): row for row in table["rows"]}
    assert ("statistics-pooling", "cosine-softmax") in rows
    assert len(rows) == 2
    assert {row["state"] for row in rows.values()} == {"done"}


@pytest.mark.long
def test_an_executor_of_ones_own_runs_the_jobs(outside: TinyBenchmark):
    (words,) = re.findall(r"^harness (run .* --executor .*)$", PAGE.read_text(), re.MULTILINE)
    asked = words.replace("--config benchmark.toml ", "").split()
    done = outside.run(*asked, "--device", "cpu", "--seeds", "3", "--json")
    assert done.status == 0, done.err
    (table,) = done.json["tables"]
    assert {row["state"] for row in table["rows"]} == {"done"}


def test_the_reason_of_an_executor_of_ones_own_is_the_rows(outside: TinyBenchmark):
    outside.edit('prefix = ["nice", "-n", "19"]', 'prefix = ["false"]')
    try:
        words = ("--suite", "mine", "--device", "cpu", "--seeds", "4", "--json")
        done = outside.run("run", *words, "--executor", "gently")
    finally:
        outside.edit('prefix = ["false"]', 'prefix = ["nice", "-n", "19"]')
    assert done.status == 1, done.err
    (table,) = done.json["tables"]
    (row,) = [row for row in table["rows"] if row["state"] != "done"]
    assert (row["state"], row["reason"]) == ("failed", "false ended with 1")


def test_a_safe_call_runs_nothing_that_lies_beside_the_file(outside: TinyBenchmark):
    refused = outside.run("--safe", "plan", "--suite", "mine", "--device", "cpu")
    assert refused.status == 2
    assert "my_corpora' is of no trusted package, and this call is --safe" in refused.err
    absent = outside.run("--safe", "--trust", "my_corpora", "plan", "--suite", "mine")
    assert absent.status == 2
    assert "cannot import 'my_corpora'" in absent.err


def test_a_name_that_tells_no_speaker_is_refused_with_its_path(outside: TinyBenchmark):
    wrong = outside.folder / "my-voices" / "nobody.wav"
    shutil.copyfile(next(outside.folder.glob("my-voices/*.wav")), wrong)
    try:
        checked = outside.run("data", "check", "my-voices", "--lists")
    finally:
        wrong.unlink()
    assert checked.status == 2
    assert f"{wrong}: name files SPEAKER_SESSION_NUMBER.wav" in checked.err
