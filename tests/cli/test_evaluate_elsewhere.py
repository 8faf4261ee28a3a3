"""`harness evaluate`: checkpoints of other projects, and what they were trained on."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from tests.tiny import TinyBenchmark


class Malicious:
    """Writes a file when it is unpickled by a reader that trusts it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.place,)


def evaluate(tiny: TinyBenchmark, checkpoint: Path, *words: str):  # type: ignore[no-untyped-def]
    given = ("--checkpoint", str(checkpoint), "--dataset", "voices", "--suite", "own", "--json")
    return tiny.run("evaluate", *given, *words)


def saved(tiny: TinyBenchmark, folder: Path) -> Path:
    """A folder as another project leaves it: the network of seed 7 beside its classifier."""
    trained = load_file(tiny.stage(tiny.record("tiny", 7), "train") / "weights.safetensors")
    own = {name.removeprefix("trunk."): value for name, value in trained.items() if "trunk" in name}
    (folder / "models").mkdir(parents=True)
    weights = {**own, "projection.weight": torch.zeros(9, 8)}
    torch.save(weights, folder / "models" / "avg_model.pt")
    torch.save(weights, folder / "models" / "model_3.pt")
    return folder


def test_a_folder_of_another_project(tiny: TinyBenchmark, tmp_path: Path) -> None:
    folder = saved(tiny, tmp_path / "run")
    plain = evaluate(tiny, folder, "--model", "tiny")
    assert plain.status == 0, plain.err
    assert "does not use: projection (1)" in plain.err
    assert "trained on: not told" in _table(tiny)

    told = evaluate(tiny, folder, "--model", "tiny", "--trained-on", "VoxCeleb2 dev, MUSAN")
    assert told.status == 0, told.err
    assert told.json["ran"] == 0
    assert "trained on: VoxCeleb2 dev, MUSAN" in _table(tiny)
    assert "was not checked" in told.err

    (row,) = (row for row in told.json["tables"][0]["rows"] if row["track"] == "checkpoint")
    own = tiny.record("tiny", 7)["metrics"]["eer"]["value"]
    assert row["metrics"]["eer"]["value"] == own

    (folder / "models" / "hyperparams.yaml").touch()
    known = evaluate(tiny, folder, "--model", "tiny", "--trained-on", "voices")
    assert known.status == 0, known.err
    assert "no speaker that voices trains on is tested" in known.err
    assert "was not checked" not in known.err
    assert "SpeechBrain trained it on filterbanks of its own" in known.err


def test_weights_that_have_seen_the_test_are_refused(tiny: TinyBenchmark, tmp_path: Path) -> None:
    tiny.edit(
        "[datasets.elsewhere]",
        '[datasets.recut]\nof = "voices"\ntrials = 200\n'
        "split = { seed = 1, validation = 2, test = 2 }\n\n[datasets.elsewhere]",
    )
    done = evaluate(tiny, saved(tiny, tmp_path / "run"), "--model", "tiny", "--trained-on", "recut")
    assert done.status == 2
    assert "of its 5 test speakers are among those that recut trains on" in done.err
    assert not list(tiny.runs.glob("*/voices/tiny+checkpoint*"))


def test_a_malicious_checkpoint_is_refused_and_not_executed(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    path, trace = tmp_path / "w.pt", tmp_path / "executed"
    torch.save({"layer.weight": Malicious(trace)}, path)
    done = evaluate(tiny, path, "--model", "tiny")
    assert done.status == 2
    assert "not a checkpoint of tensors alone" in done.err
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists(), "the file would have done it"


def test_no_model_is_said(tiny: TinyBenchmark, tmp_path: Path) -> None:
    done = evaluate(tiny, saved(tiny, tmp_path / "run"))
    assert done.status == 2
    assert "say with --model of which model it is" in done.err
    assert "tiny" in done.err


def _table(tiny: TinyBenchmark) -> str:
    return "\n".join(path.read_text() for path in sorted(tiny.runs.rglob("*.md")))
