"""Requests that are wrong: exit code 2, and the mend on standard error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.tiny import TinyBenchmark, make_tiny


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    return make_tiny(tmp_path_factory.mktemp("refused") / "own")


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["--suite", "owm"], "did you mean 'own'?"),
        (["--suite", "own", "--model", "tinyy"], "did you mean 'tiny'?"),
        (["--suite", "own", "--dataset", "voice"], "did you mean 'voices'?"),
        (["--suite", "own", "--loss", "softmx"], "did you mean 'softmax'?"),
        (["--suite", "own", "--profile", "full"], "known: quick"),
        (["--suite", "own", "--set", "steps"], "write KEY=VALUE"),
        (["--suite", "own", "--set", "stps=5"], "did you mean 'steps'?"),
        (["--suite", "own", "--set", "steps=many"], "steps"),
        (["--suite", "own", "--set", "steps=0"], "from 1 to 1,000,000,000"),
        (["--suite", "own", "--set", "steps=2020-01-01"], "steps"),
        (["--suite", "own", "--seeds", "one"], "write whole numbers"),
        (["--suite", "own", "--seeds=-1"], "from 0 to"),
        (["--suite", "own", "--seeds", "3,3"], "each once"),
        (["--suite", "own", "--seeds", str(2**64)], "from 0 to"),
        (["--suite", "faulty", "--dataset", "elsewhere"], "https://example.org/elsewhere"),
        (["--suite", "own", "--device", "tpu"], "Invalid value for '--device'"),
        (["--suite", "own", "--workers", "0"], "Invalid value for '--workers'"),
    ],
)
def test_a_wrong_request_is_refused(
    untouched: TinyBenchmark,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    words: list[str],
    mend: str,
) -> None:
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["harness", *untouched.arguments(command, *words)])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr()
    assert ended.value.code == 2, shown.err
    assert mend in " ".join(shown.err.split())
    assert shown.out == ""
    assert not untouched.runs.exists(), "a refused request leaves nothing"


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["runs", "list", "--runs", "nowhere"], "no such folder"),
        (["runs", "gc", "--runs", "nowhere"], "no such folder"),
        (["runs", "show", "a/b"], "no such run"),
        (["plan", "--suite", "own", "--config", "nowhere.toml"], "no such file"),
        (["evaluate", "--checkpoint", "no.pt", "--model", "tiny", "--dataset", "voices"], "suite"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    mend: str,
) -> None:
    monkeypatch.chdir(make_tiny(tmp_path / "own").folder)
    monkeypatch.setattr(sys, "argv", ["harness", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert mend in capsys.readouterr().err
