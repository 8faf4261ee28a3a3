"""`harness data freeze`: a list, a table and a lock, once and for all."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.datasets.lock import read_lock

SPEAKERS = 12
EACH = 10

BENCHMARK = """# A comment that stays.
[datasets.voices]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
licence = "CC0-1.0"
path = "voices"
split = { seed = 0, validation = 3, test = 4 }
trials = 300

[datasets.half]
of = "voices"
frozen = "splits/half.tsv"
freeze = { count = 60, seed = 5, validation = 3, test = 4 }
draw_trials = { count = 40, targets = 0.25 }
"""

Freeze = Callable[..., tuple[int, str, str]]


def write_voices(folder: Path, speakers: int = SPEAKERS, each: int = EACH) -> None:
    """A manifest alone: lists are frozen without a look at the sound."""
    lines = ["utt_id\tspeaker\tpath\tduration_s"]
    lines += [
        f"s{s:02}-u{u}\ts{s:02}\ts{s:02}-u{u}.flac\t1.0"
        for s in range(speakers)
        for u in range(each)
    ]
    folder.mkdir(exist_ok=True)
    (folder / "manifest.tsv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a benchmark file, from where commands are given."""
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "benchmark.toml").write_text(BENCHMARK)
    write_voices(tmp_path / "voices")
    return tmp_path


@pytest.fixture
def freeze(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Freeze:
    """Give the command; its exit code, standard output and standard error come back."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", "data", "freeze", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def document(freeze: Freeze, *words: str) -> dict[str, Any]:
    status, out, err = freeze(*words, "--json")
    assert status == 0, err
    return dict(json.loads(out))


NEW = ("small", "--from", "voices", "--count", "50")


def test_a_new_subset_is_listed_declared_and_pinned(freeze: Freeze, here: Path) -> None:
    words = ("--seed", "3", "--speakers", "4", "--test", "2", "--trials", "20")
    found = document(freeze, *NEW, *words)
    assert (found["written"], found["declared"]) == (True, True)
    assert found["lock"] == {"quick": "lists pinned now", "full": "lists pinned now"}
    assert {split: each["units"] for split, each in found["counts"].items()} == {
        "train": 4,
        "validation": 3,
        "test": 2,
    }
    assert sum(each["items"] for each in found["counts"].values()) == 50
    assert found["counts"]["test"]["trials"] == 20

    lines = (here / "splits" / "small.tsv").read_text().splitlines()
    assert len(lines) == 51
    text = (here / "benchmark.toml").read_text()
    assert text == BENCHMARK + "\n" + found["table"]
    assert tomllib.loads(text)["datasets"]["small"] == {
        "of": "voices",
        "frozen": "splits/small.tsv",
        "freeze": {"count": 50, "seed": 3, "validation": 3, "test": 2, "speakers": 4},
        "draw_trials": {"count": 20, "targets": 0.5, "seed": 0},
    }
    assert {"small/quick", "small/full"} <= set(read_lock(here / "benchmark.lock").datasets)


def test_the_subset_is_what_the_benchmark_then_uses(freeze: Freeze, here: Path) -> None:
    found = document(freeze, *NEW)
    listing = list_dataset(load(here / "benchmark.toml"), "small", "quick")
    rows = dict(line.split("\t") for line in (here / found["list"]).read_text().split("\n")[1:-1])
    assert dict(zip(listing.items["id"], listing.items["split"], strict=True)) == rows
    assert listing.config.licence == "CC0-1.0"


def test_the_rule_of_the_corpus_stands_in_for_what_is_not_said(freeze: Freeze) -> None:
    table = tomllib.loads(document(freeze, *NEW)["table"])["datasets"]["small"]
    assert table["freeze"] == {"count": 50, "seed": 0, "validation": 3, "test": 4}
    assert table["trials"] == 300


def test_once_more_changes_nothing(freeze: Freeze, here: Path) -> None:
    document(freeze, *NEW)
    names = ("benchmark.toml", "benchmark.lock", "splits/small.tsv")
    before = [(here / name).read_bytes() for name in names]
    found = document(freeze, *NEW)
    assert (found["written"], found["declared"]) == (False, True)
    assert found["lock"] == {"quick": "lists as locked", "full": "lists as locked"}
    assert [(here / name).read_bytes() for name in names] == before


def test_a_declared_subset_follows_its_rule(freeze: Freeze, here: Path) -> None:
    found = document(freeze, "half")
    assert sum(each["items"] for each in found["counts"].values()) == 60
    assert (found["counts"]["test"]["trials"], found["counts"]["test"]["targets"]) == (40, 10)
    assert (here / "benchmark.toml").read_text() == BENCHMARK
    assert document(freeze, "half", "--from", "voices", "--count", "60")["written"] is False


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (("half", "--count", "61"), "freeze.count: is 60 there, and 61 is asked for; leave"),
        (("half", "--speakers", "3"), "freeze.speakers: is not given there, and 3"),
        (("half", "--from", "other"), "datasets.half.of: is 'voices' there, and 'other'"),
        (("half", "--trials", "41"), "draw_trials.count: is 40 there, and 41"),
        (("voices", "--count", "9"), "datasets.voices: no frozen subset; give the new one another"),
        (("new", "--count", "9"), "name the corpus it is cut from with --from"),
        (("new", "--from", "voice", "--count", "9"), "did you mean 'voices'?"),
        (("new", "--from", "half", "--count", "9"), "stands on 'voices' itself; name that one"),
        (("new", "--from", "voices"), "say how many utterances it has with --count"),
        (("a/b", "--from", "voices", "--count", "50"), "'a/b' cannot name a dataset"),
        (("new", "--from", "voices", "--count", "5000"), "have 120; ask for fewer"),
        ((*NEW, "--trials", "2000"), "validation: 1,000 target trials are asked for"),
        ((*NEW, "--targets", "0.5"), "shares of how many trials? Say it with --trials"),
        (
            (*NEW, "--trials", "9", "--targets", "1.5"),
            "draw_trials.targets: give a number above 0 to below 1",
        ),
        ((*NEW, "--trials", "9", "--same-gender", "0.5"), "the corpus tells no gender; leave"),
        ((*NEW, "--count", "0"), "Invalid value for '--count'"),
    ],
)
def test_a_wrong_request_is_refused_and_leaves_no_trace(
    freeze: Freeze, here: Path, words: tuple[str, ...], mend: str
) -> None:
    status, out, err = freeze(*words)
    assert (status, out) == (2, "")
    assert mend in err
    assert (here / "benchmark.toml").read_text() == BENCHMARK
    assert not (here / "splits").exists()
    assert not (here / "benchmark.lock").exists()


def test_a_list_that_lies_there_is_not_overwritten(freeze: Freeze, here: Path) -> None:
    path = here / "splits" / "small.tsv"
    document(freeze, *NEW)
    before = path.read_bytes()
    write_voices(here / "voices", speakers=SPEAKERS + 5)
    status, _, err = freeze(*NEW)
    assert status == 2
    assert "another subset" in err
    assert path.read_bytes() == before


def test_a_lost_list_comes_back_only_as_it_was(freeze: Freeze, here: Path) -> None:
    path = here / "splits" / "small.tsv"
    document(freeze, *NEW)
    before = path.read_bytes()
    path.unlink()
    document(freeze, *NEW)
    assert path.read_bytes() == before
    path.unlink()
    write_voices(here / "voices", speakers=SPEAKERS + 5)
    status, _, err = freeze(*NEW)
    assert status == 2
    assert "another subset of this name is locked" in err
    assert not path.exists()


def test_a_grown_corpus_gives_the_same_dataset(freeze: Freeze, here: Path) -> None:
    document(freeze, "half")
    before = list_dataset(load(here / "benchmark.toml"), "half", "full")
    write_voices(here / "voices", speakers=SPEAKERS + 8, each=EACH + 3)
    after = list_dataset(load(here / "benchmark.toml"), "half", "full")
    assert after.lock == before.lock
    for split in ("validation", "test"):
        assert after.trial_tables[split].trials.equals(before.trial_tables[split].trials)


def test_a_list_of_the_file_below_is_used_where_it_lies(
    freeze: Freeze, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document(freeze, "half")
    (here / "above").mkdir()
    (here / "above" / "benchmark.toml").write_text('base = "../benchmark.toml"\n')
    monkeypatch.chdir(here / "above")
    monkeypatch.setenv("HARNESS_DATA", str(here))
    found = document(freeze, "half")
    assert (found["written"], found["list"]) == (False, str(here / "splits" / "half.tsv"))
    assert not (here / "above" / "splits").exists()


def test_the_table_can_be_left_to_the_user(freeze: Freeze, here: Path) -> None:
    status, out, err = freeze(*NEW, "--no-write")
    assert status == 0
    assert "50 utterances, listed in" in out
    assert "[datasets.small]" in err
    assert (here / "benchmark.toml").read_text() == BENCHMARK
    assert (here / "splits" / "small.tsv").exists()
    assert not (here / "benchmark.lock").exists()


def test_a_file_that_may_not_be_written_stays(
    freeze: Freeze, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode, **_: mode != os.W_OK)
    status, _, err = freeze(*NEW)
    assert status == 0
    assert "benchmark.toml was not changed; add this table" in err
    assert (here / "benchmark.toml").read_text() == BENCHMARK


def test_a_subset_without_trials_is_told_of(freeze: Freeze, here: Path) -> None:
    text = BENCHMARK.replace("trials = 300\n", "")
    (here / "benchmark.toml").write_text(text)
    assert "small has no trials; have some drawn" in freeze(*NEW)[2]
    assert "no trials" not in freeze("half")[2]


def test_a_subset_of_the_embedded_corpus(freeze: Freeze, here: Path) -> None:
    with (here / "benchmark.toml").open("a") as file:
        file.write(
            '\n[datasets.open]\nlicence = "Apache-2.0"\n'
            'adapter = "harness.data.corpora.open_speech:OpenSpeech"\n'
        )
    words = ("--from", "open", "--count", "3000", "--trials", "800", "--same-gender", "0.6")
    found = document(freeze, "few", *words, "--cross-session", "1.0")
    assert found["lock"] == {"full": "lists pinned now"}
    assert {split: each["units"] for split, each in found["counts"].items()} == {
        "train": 350,
        "validation": 50,
        "test": 100,
    }
    kinds = list_dataset(load(here / "benchmark.toml"), "few", "full").trial_tables["test"].trials
    assert kinds["kind"].value_counts().to_dict() == {
        "target cross-session": 400,
        "nontarget same-gender": 240,
        "nontarget cross-gender": 160,
    }


def test_without_a_benchmark_file_of_ones_own_nothing_is_frozen(
    freeze: Freeze, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    status, _, err = freeze(*NEW)
    assert status == 2
    assert "benchmark.toml: no such file" in err


def test_a_file_without_a_last_line_end_and_a_name_with_a_dot(freeze: Freeze, here: Path) -> None:
    (here / "benchmark.toml").write_text(BENCHMARK.rstrip("\n"))
    document(freeze, "v1.0", *NEW[1:])
    text = (here / "benchmark.toml").read_text()
    assert text.startswith(BENCHMARK)
    assert list(tomllib.loads(text)["datasets"]) == ["voices", "half", "v1.0"]


def test_datasets_in_a_form_that_cannot_be_added_to(freeze: Freeze, here: Path) -> None:
    inline = json.dumps(tomllib.loads(BENCHMARK)["datasets"]["voices"])
    text = "datasets = { voices = " + inline.replace('": ', '" = ') + " }\n"
    (here / "benchmark.toml").write_text(text)
    status, _, err = freeze(*NEW)
    assert status == 2
    assert "put it in by hand" in err
    assert "[datasets.small]" in err
    assert (here / "benchmark.toml").read_text() == text
