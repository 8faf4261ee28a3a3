"""`harness submit` on a user's own benchmark, beside what was run there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from harness.cli.submit import submit
from harness.errors import RequestError
from tests.tiny import TinyBenchmark

APP = typer.Typer()
APP.command()(submit)


def called(tiny: TinyBenchmark, *words: str, piped: bytes | None = None) -> Result:
    given = [*words, "--suite", "own", "--dataset", "voices"]
    line = [*given, "--config", str(tiny.config), "--runs", str(tiny.runs)]
    return CliRunner().invoke(APP, line, input=piped)


def listed(tiny: TinyBenchmark, folder: Path) -> list[list[str]]:
    """The locked test trials, as the command writes them."""
    done = called(tiny, "--lists", str(folder), "--json")
    assert done.exit_code == 0, done.output
    names = [Path(path).name for path in json.loads(done.stdout)["written"]]
    lists = ["items.tsv", "validation-trials.tsv", "test-trials.tsv"]
    assert names == [*lists, "spk2id.json"]
    return [line.split("\t") for line in (folder / "test-trials.tsv").read_text().splitlines()]


def scored(tiny: TinyBenchmark, folder: Path) -> Path:
    """Scores of a system that hears a little."""
    noise = np.random.default_rng(5).normal(size=10_000)
    lines = [
        f"{enrol} {test} {score + 2 * (label == 'target'):.5f}"
        for (enrol, test, label), score in zip(listed(tiny, folder), noise, strict=False)
    ]
    path = folder / "scores.txt"
    path.write_text("\n".join(lines))
    return path


def test_scores_join_the_table_of_what_was_run(tiny: TinyBenchmark, tmp_path: Path) -> None:
    scores = scored(tiny, tmp_path)
    done = called(tiny, "--name", "theirs", "--scores", str(scores), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert Path(told["record"]).is_file()
    (table,) = json.loads((tiny.runs / "own-quick.json").read_text())["tables"]
    rows = {row["model"]: row["trust"] for row in table["rows"]}
    assert rows == {"MFCC statistics": "measured", "tiny": "measured", "theirs": "rescored"}
    assert told["tables"][0]["protocol"]["digest"] == table["protocol"]["digest"]


def test_a_check_shows_the_row_and_leaves_no_file(tiny: TinyBenchmark, tmp_path: Path) -> None:
    scores = scored(tiny, tmp_path)
    before = sorted(tiny.folder.rglob("*"))
    done = called(tiny, "--name", "theirs", "--scores", str(scores), "--check")
    assert done.exit_code == 0, done.output
    assert "theirs" in done.stdout
    assert "checked; nothing was written" in done.stderr
    assert "were made elsewhere" in done.stderr
    assert sorted(tiny.folder.rglob("*")) == before


def test_scores_and_embeddings_come_from_standard_input(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    scores = scored(tiny, tmp_path)
    items = [line.split("\t")[0] for line in (tmp_path / "items.tsv").read_text().splitlines()]
    values = np.random.default_rng(0).normal(size=(len(items) - 1, 4))
    np.savez(tmp_path / "given.npz", ids=np.array(items[1:], dtype=str), embeddings=values)
    for option, file in (("--scores", scores), ("--embeddings", tmp_path / "given.npz")):
        words = ("--name", "theirs", "--check", "--json", option)
        whole = called(tiny, *words, str(file))
        piped = called(tiny, *words, "-", piped=file.read_bytes())
        assert piped.exit_code == 0, piped.exception
        row, same = (json.loads(done.stdout)["tables"][0]["rows"][0] for done in (piped, whole))
        assert row["metrics"] == same["metrics"]
    both = called(tiny, "--name", "theirs", "--scores", "-", "--validation-scores", "-", piped=b"")
    assert "standard input can be one" in str(both.exception)


def test_the_scores_of_a_run_are_refused_by_its_name(tiny: TinyBenchmark, tmp_path: Path) -> None:
    trials = listed(tiny, tmp_path)
    run = tiny.record_path("tiny", 7)
    with np.load(run.with_name("scores.npz")) as arrays:
        pairs = zip(trials, arrays["scores"].tolist(), strict=True)
        lines = [f"{enrol} {test} {3 * score - 1:.6f}" for (enrol, test, _), score in pairs]
    (tmp_path / "copied.txt").write_text("\n".join(lines))
    done = called(tiny, "--name", "mine", "--scores", str(tmp_path / "copied.txt"))
    assert isinstance(done.exception, RequestError)
    assert f"the scores of tiny + aam, seed 7 ({run}) but for scale" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--name", "x"), "give one of --scores, --embeddings and --claim"),
        (("--lists", "somewhere", "--claim", "eer=0.1"), "--lists writes what is to be scored"),
        (("--name", "x", "--claim", "eer=0.1"), "a claim needs --source"),
    ],
)
def test_options_that_do_not_go_together(
    tiny: TinyBenchmark, words: tuple[str, ...], message: str
) -> None:
    done = called(tiny, *words)
    assert isinstance(done.exception, RequestError)
    assert message in str(done.exception)
