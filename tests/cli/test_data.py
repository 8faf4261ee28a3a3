"""`harness data prepare` and `check` from the outside."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from harness.cli import main
from tests.tiny import Finished, TinyBenchmark, make_tiny

Command = Callable[..., Finished]


@pytest.fixture
def fresh(tmp_path: Path) -> TinyBenchmark:
    return make_tiny(tmp_path / "own")


@pytest.fixture
def harness(
    fresh: TinyBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Run a command in this process; what decodes does so, too."""
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 1)

    def run(*words: str) -> Finished:
        monkeypatch.setattr(sys, "argv", ["harness", *fresh.arguments(*words)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Finished(int(ended.value.code or 0), shown.out, shown.err)

    return run


def test_a_dataset_is_prepared_and_then_checked(harness: Command) -> None:
    first = harness("data", "prepare", "voices", "--workers", "1")
    assert first.status == 0, first.err
    assert "items can be used" in first.out
    assert "hours" in first.out
    assert "packed: " in first.out
    assert "lock: pinned now" in first.out
    assert "are to be packed under" in first.err
    assert "items read" in first.err
    again = harness("data", "check", "voices", "--json")
    assert again.status == 0, again.err
    assert "items read" not in again.err, "files that did not change are not read again"
    document = json.loads(again.out)
    assert {"schema", "dataset", "items", "counts", "damaged", "lock"} <= document.keys()
    assert {"hours", "bytes", "duplicates"} <= document.keys()
    assert (document["lock"], document["damaged"]) == ("as locked", [])
    full = harness("data", "check", "voices", "--full")
    assert full.status == 0, full.err
    assert "items read" in full.err


def test_clipped_samples_are_counted_and_noted(fresh: TinyBenchmark, harness: Command) -> None:
    path = fresh.folder / "voices" / "s00-u0.flac"
    sound = soundfile.read(path)[0]
    sound[100:103] = -1.1
    with path.open("wb") as file:
        soundfile.write(file, sound, 16_000, "FLOAT", format="WAV")
    note = f"3 of {len(sound):,} samples were clipped, up to 0.8 dB above full scale"
    for words in (["prepare", "--workers", "1"], ["check"]):
        done = harness("data", *words, "voices")
        assert done.status == 0, done.err
        assert f"note: 1 items were read with a note:\n    {path}: {note}\n" in done.out
    document = json.loads(harness("data", "check", "voices", "--json").out)
    assert document["notes"] == [{"id": "s00-u0", "source": str(path), "line": 2, "note": note}]


def test_damaged_files_are_named_and_end_with_1(fresh: TinyBenchmark, harness: Command) -> None:
    (fresh.folder / "voices" / "s00-u0.flac").write_bytes(b"")
    (fresh.folder / "voices" / "s01-u1.flac").unlink()
    for words in (["prepare", "--workers", "1"], ["check"]):
        done = harness("data", *words, "voices")
        assert done.status == 1
        assert "s00-u0.flac (line 2): the file is empty" in done.err
        assert "s01-u1.flac" in done.err
        assert "not pinned: damaged" in done.out
    left = harness("data", "prepare", "voices", "--workers", "1", "--leave-out-damaged")
    assert left.status == 0
    assert "s01-u1.flac" in left.err


def test_a_changed_file_of_a_locked_dataset_is_named(
    fresh: TinyBenchmark, harness: Command
) -> None:
    assert harness("data", "prepare", "voices").status == 0
    path = fresh.folder / "voices" / "s00-u0.flac"
    samples, rate = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[::-1], rate)
    done = harness("data", "check", "voices")
    assert done.status == 2
    assert "changed since it was packed: 1 of" in done.err
    assert "s00-u0.flac" in done.err
    assert "the decoded content is not the locked one" in done.err


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["check", "voices", "--lists", "--full"], "give one of them"),
        (["prepare", "voicez"], "did you mean 'voices'"),
        (["prepare", "voices", "--archive", "gone.zip"], "gone.zip: no such archive"),
    ],
)
def test_wrong_requests(harness: Command, words: list[str], mend: str) -> None:
    done = harness("data", *words)
    assert done.status == 2
    assert mend in " ".join(done.err.split())


def test_a_prepare_that_is_killed_goes_on(fresh: TinyBenchmark, harness: Command) -> None:
    words = ("data", "prepare", "voices", "--workers", "1")
    cache = fresh.runs / "cache"
    process = fresh.start(*words)
    while process.poll() is None and not list(cache.glob(".*.part/values")):
        time.sleep(0.005)
    process.kill()
    process.communicate()
    done = harness(*words)
    assert done.status == 0, done.err
    assert not [name for name in os.listdir(cache) if name.endswith(".part")]
    cache.rename(fresh.runs / "killed")
    assert harness(*words).status == 0
    for name in ("values", "hashes.npy", "stamps.npy", "shapes.npy", "facts.json"):
        (one,), (two,) = fresh.runs.glob(f"killed/*/{name}"), cache.glob(f"*/{name}")
        assert one.read_bytes() == two.read_bytes()
