"""`harness compare`, `embed`, `predict` and `export`, on a network that was trained here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.tiny import TinyBenchmark
from tests.use.sounds import RATE, spoken


@pytest.fixture
def run(tiny: TinyBenchmark) -> str:
    """The place of a run below the runs folder."""
    return str(tiny.record_path("tiny", 7).parent.relative_to(tiny.runs))


def voice(tiny: TinyBenchmark, name: str) -> str:
    return str(tiny.folder / "voices" / f"{name}.flac")


def test_a_comparison_is_a_trial_of_the_test(tiny: TinyBenchmark, run: str) -> None:
    record = tiny.record("tiny", 7)
    scores = np.load(tiny.record_path("tiny", 7).with_name("scores.npz"))
    done = tiny.run("compare", voice(tiny, "s00-u0"), voice(tiny, "s00-u1"), "--run", run, "--json")
    assert done.status == 0, done.err
    found = done.json
    scale, offset = scores["calibration"]
    assert found["llr"] == pytest.approx(scale * found["score"] + offset, rel=1e-6)
    assert found["probability"] == pytest.approx(1 / (1 + np.exp(-found["llr"])), rel=1e-6)
    assert found["same"] == (found["score"] >= scores["threshold"])
    assert found["decision"]["threshold"] == record["metrics"]["threshold"]["value"]
    assert found["decision"]["miss"] == record["metrics"]["miss_at_threshold"]
    assert {each["rule"] for sound in found["sounds"] for each in sound["warnings"]} == {"short"}


def test_what_is_wrong_with_a_sound_is_told(tiny: TinyBenchmark, run: str, tmp_path: Path) -> None:
    narrow, stereo = tmp_path / "narrow.wav", tmp_path / "stereo.wav"
    soundfile.write(narrow, spoken(seconds=0.2)[::2] / 32768, RATE // 2)
    two = np.hstack([spoken(seconds=2.0, seed=seed) for seed in (1, 2)])
    soundfile.write(stereo, np.clip(two / 5_000, -1, 1), RATE)
    done = tiny.run("compare", str(narrow), str(stereo), "--run", run, "--json")
    assert done.status == 0, done.err
    first, second = ({each["rule"] for each in sound["warnings"]} for sound in done.json["sounds"])
    assert first >= {"short", "narrow-band", "duration"}
    assert second >= {"clipped", "channels", "duration"}
    read = tiny.run("compare", str(narrow), str(stereo), "--run", run).out.splitlines()
    assert ", less sure than its score by the warnings below: score " in read[0]
    assert len([line for line in read if line.startswith("warning: ")]) == len(
        [each for sound in done.json["sounds"] for each in sound["warnings"]]
    )


def test_silence_is_refused(tiny: TinyBenchmark, run: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    done = tiny.run("compare", voice(tiny, "s00-u0"), str(tmp_path / "silence.wav"), "--run", run)
    assert done.status == 2
    assert "silence.wav: is all zeros" in done.err


def test_embeddings_of_files_are_those_that_the_run_was_judged_by(
    tiny: TinyBenchmark, run: str, tmp_path: Path
) -> None:
    files = sorted(map(str, (tiny.folder / "voices").glob("*.flac")))
    made = tmp_path / "embeddings.npz"
    done = tiny.run("embed", *files, "--run", run, "-o", str(made), "--ids", "stem")
    assert done.status == 0, done.err
    judged = tiny.run(
        "submit", "--suite", "own", "--dataset", "voices", "--name", "again",
        "--embeddings", str(made), "--json",
    )  # fmt: skip
    # Nobody submits what a run was judged by already, which is known by its scores.
    assert judged.status == 2
    assert "these are the scores of tiny + aam, seed 7" in judged.err
    assert "to the last digit" in judged.err


def test_splits_of_the_runs_dataset_are_embedded_as_their_files_are(
    tiny: TinyBenchmark, run: str, tmp_path: Path
) -> None:
    from_lists, from_files = tmp_path / "lists.npz", tmp_path / "files.npz"
    done = tiny.run("embed", "--split", "test", "--run", run, "-o", str(from_lists))
    assert done.status == 0, done.err
    items = np.load(from_lists)
    assert len(items["ids"]) == tiny.record("tiny", 7)["dataset"]["counts"]["test"]["items"]
    files = [voice(tiny, name) for name in items["ids"]]
    done = tiny.run("embed", *files, "--run", run, "-o", str(from_files), "--ids", "stem")
    assert done.status == 0, done.err
    again = np.load(from_files)
    assert (again["ids"] == items["ids"]).all()
    assert (again["embeddings"] == items["embeddings"]).all()


def test_a_network_that_compares_tells_no_classes(tiny: TinyBenchmark, run: str) -> None:
    done = tiny.run("predict", voice(tiny, "s00-u0"), "--run", run)
    assert done.status == 2
    assert "its task tells no classes" in done.err


def test_weights_that_are_not_the_records_are_refused(tiny: TinyBenchmark, run: str) -> None:
    other = tiny.stage(tiny.record("tiny", 0), "train") / "weights.safetensors"
    done = tiny.run(
        "compare", voice(tiny, "s00-u0"), voice(tiny, "s00-u1"), "--run", run,
        "--checkpoint", str(other),
    )  # fmt: skip
    assert done.status == 2
    assert "not the weights that" in done.err


def test_a_network_is_named_once(tiny: TinyBenchmark, run: str) -> None:
    files = voice(tiny, "s00-u0"), voice(tiny, "s00-u1")
    neither = tiny.run("compare", *files)
    both = tiny.run("compare", *files, "--run", run, "--model-dir", run)
    assert neither.status == both.status == 2
    assert "name a network" in neither.err
    assert "name a network" in both.err


@pytest.mark.parametrize("format_", ["onnx", "torchscript"])
def test_an_export_compares_as_its_run_does(
    tiny: TinyBenchmark, run: str, tmp_path: Path, format_: str
) -> None:
    if format_ == "onnx":
        pytest.importorskip("onnxscript")
        pytest.importorskip("onnxruntime")
    folder, files = tmp_path / "export", (voice(tiny, "s00-u0"), voice(tiny, "s05-u1"))
    more = ("--int8",) if format_ == "onnx" else ()
    done = tiny.run("export", run, "--format", format_, *more, "-o", str(folder), "--json")
    assert done.status == 0, done.err
    assert all(file["difference"] < 1e-4 for file in done.json["files"][:1])
    assert len(done.json["files"]) == 1 + len(more)
    assert json.loads((folder / "model.json").read_text()) == done.json
    assert "model-index" in (folder / "README.md").read_text()
    exported = tiny.run("compare", *files, "--model-dir", str(folder), "--json")
    assert exported.status == 0, exported.err
    own = tiny.run("compare", *files, "--run", run, "--json").json
    assert exported.json["score"] == pytest.approx(own["score"], abs=1e-4)
    assert exported.json["decision"] == own["decision"]
    assert exported.json["sounds"] == own["sounds"]


def test_a_folder_of_other_files_is_not_replaced(
    tiny: TinyBenchmark, run: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    done = tiny.run("export", run, "--format", "torchscript", "-o", str(tmp_path))
    assert done.status == 2
    assert "notes.txt" in done.err
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["notes.txt"]


@pytest.mark.parametrize("format_", ["onnx", "torchscript"])
def test_an_exported_file_is_an_entry_on_the_runs_trials(
    tiny: TinyBenchmark, run: str, tmp_path: Path, format_: str
) -> None:
    if format_ == "onnx":
        pytest.importorskip("onnxscript")
        pytest.importorskip("onnxruntime")
    folder, source = tmp_path / "export", tiny.record("tiny", 7)
    more = ("--int8",) if format_ == "onnx" else ()
    call = ("export", run, "--format", format_, *more, "-o", str(folder), "--judge", "--json")
    done = tiny.run(*call)
    assert done.status == 0, done.err
    judged = done.json["judged"]
    assert [each["file"]["name"] for each in judged] == [
        each["name"] for each in done.json["files"]
    ]
    for each in judged:
        path = tiny.runs / each["record"] / "record.json"
        record = json.loads(path.read_text())
        assert (record["track"], record["seed"]) == ("exported", 7)
        assert record["stages"]["evaluate"]["inputs"]["checkpoint"] == each["sha256"]
        assert record["test_looks"] > source["test_looks"]
        assert record["metrics"]["eer"] == each["metrics"]["eer"]
        assert record["resources"]["checkpoint_bytes"] == each["file"]["bytes"]
        cost = next(cost for cost in each["costs"] if cost["metric"] == "eer")
        assert cost["run"] == source["metrics"]["eer"]
        value = each["metrics"]["eer"]["value"] - source["metrics"]["eer"]["value"]
        assert cost["difference"]["value"] == pytest.approx(value)
        assert tiny.run("verify", str(path)).status == 0
    # Float32 gives the run's own scores to 1e-4, so it hardly moves a rate of 200 trials.
    first = json.loads((tiny.runs / judged[0]["record"] / "record.json").read_text())
    assert first["metrics"]["eer"]["value"] == pytest.approx(
        source["metrics"]["eer"]["value"], abs=0.02
    )
    assert "model" in (folder / "after-export.md").read_text()
    assert f"exported as {judged[0]['file']['name']}" in (tiny.runs / "own-quick.md").read_text()
    told = tiny.run("publish", "--suite", "own").err  # which then asks for a work tree of git
    assert f"left out: {len(judged)} exported file" in told
    again = tiny.run(*call)  # a folder with its table is replaced as a whole
    assert again.status == 0, again.err
