"""Checkpoints made elsewhere: found in folders and on the hub, and told of which model they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from adapters.wespeaker import XVector
from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.errors import RequestError
from harness.run.plan.checkpoints import check_weights, find_checkpoint, model_of
from harness.run.plan.jobs import plan_checkpoint
from harness.run.plan.request import CheckpointEntry, RunRequest, listing_state
from tests.recipes.recipes import WESPEAKER, replaced

BENCHMARK = """
[models.small]
adapter = "adapters.wespeaker:XVector"
embedding_size = 256
bins = 64

[models.wide]
adapter = "adapters.wespeaker:XVector"
bins = 64
"""

SUITE = """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }

[losses.softmax]
adapter = "adapters.losses:Softmax"

[recipes.short]
steps = 2

[suites.s]
title = "S"
task = "harness.tasks.classification:Classification"
datasets = ["digits"]
models = ["wide"]
losses = ["softmax"]
profiles.quick = { recipe = "short" }
"""

NAME, OTHER = "owner/name", "owner/several"
FILES = {NAME: ["README.md", "avg_model.pt"], OTHER: ["a/one.pt", "a/two.pt"]}
CONTENT = b"weights" * 100


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["any.pt"], "any.pt"),
        (["config.yaml", "models/avg_model.pt", "models/model_9.pt"], "models/avg_model.pt"),
        (["models/model_9.pt", "models/init.zip"], "models/model_9.pt"),
        (
            [f"CAMPPlus_Fbank/{kind}_model/{name}.pth"
             for kind in ("best", "last") for name in ("model", "optimizer")],
            "CAMPPlus_Fbank/best_model/model.pth",
        ),
        (
            ["hyperparams.yaml", "embedding_model.ckpt", "classifier.ckpt", "normalizer.ckpt"],
            "embedding_model.ckpt",
        ),
        (
            [f"models/CKPT-EPOCH-70-00/{name}.ckpt" for name in ("embedding_model", "classifier")],
            "models/CKPT-EPOCH-70-00/embedding_model.ckpt",
        ),
    ],
)  # fmt: skip
def test_the_one_checkpoint_of_a_folder(tmp_path: Path, names: list[str], found: str) -> None:
    folder = touched(tmp_path / "run", *names)
    assert find_checkpoint(str(folder)) == folder / found
    assert find_checkpoint(str(folder / found)) == folder / found


def test_a_link_to_a_checkpoint_is_no_other_one(tmp_path: Path) -> None:
    folder = touched(tmp_path, "model_5.pt")
    (folder / "final_model.pt").symlink_to("model_5.pt")
    assert find_checkpoint(str(folder)).name == "model_5.pt"


def test_several_are_named_and_none_is_said(tmp_path: Path) -> None:
    several = touched(tmp_path / "several", "models/model_5.pt", "models/model_10.pt")
    with pytest.raises(RequestError, match=r"name one of models/model_10.pt, models/model_5.pt"):
        find_checkpoint(str(several))
    epochs = [f"models/CKPT-EPOCH-{n}-00/embedding_model.ckpt" for n in (65, 70)]
    with pytest.raises(RequestError, match=r"EPOCH-65.*EPOCH-70"):
        find_checkpoint(str(touched(tmp_path / "epochs", *epochs)))
    with pytest.raises(RequestError, match="holds no checkpoint"):
        find_checkpoint(str(touched(tmp_path / "none", "optimizer.pth", "a.txt")))
    with pytest.raises(RequestError, match="no such checkpoint"):
        find_checkpoint(str(tmp_path / "absent.pt"))
    (tmp_path / "annexed.pt").symlink_to("../.git/annex/objects/key")
    with pytest.raises(RequestError, match=r"links to '../.git/annex/objects/key', which is not"):
        find_checkpoint(str(tmp_path / "annexed.pt"))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match="is no regular file"):
        find_checkpoint(str(tmp_path / "pipe"))


@pytest.fixture
def hub() -> Iterator[str]:
    """A hub of two repositories; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_of_the_hub(hub: str, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    path, said = _from_hub(f"hf://{NAME}/avg_model.pt", hub, tmp_path)
    assert (Path(path).name, Path(path).read_bytes()) == ("avg_model.pt", CONTENT), said
    assert _from_hub(f"hf://{NAME}", hub, tmp_path)[0] == path
    assert "name one of a/one.pt, a/two.pt" in _from_hub(f"hf://{OTHER}", hub, tmp_path)[1]
    assert "cannot be had from the hub" in _from_hub(f"hf://{NAME}/no.pt", hub, tmp_path)[1]
    assert "write hf://owner/name" in _from_hub("hf://owner", hub, tmp_path)[1]


def test_the_model_that_a_run_folder_describes(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text(BENCHMARK)
    loaded = load(tmp_path / "benchmark.toml")
    run = touched(tmp_path / "run", "models/avg_model.pt")
    text = replaced(WESPEAKER, {"model: CAMPPlus": "model: XVEC"})
    (run / "config.yaml").write_text(text)
    assert model_of(loaded, run / "models" / "avg_model.pt") == "small"
    (run / "config.yaml").write_text(replaced(text, {"embed_dim: 256": "embed_dim: 128"}))
    with pytest.raises(RequestError, match=r"embedding_size = 128.*or name one with --model"):
        model_of(loaded, run / "models" / "avg_model.pt")


def test_checkpoints_of_one_name_are_two_entries(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text(BENCHMARK + SUITE)
    loaded = load(tmp_path / "benchmark.toml")
    request = RunRequest(suite="s", profile="quick", runs=tmp_path, device="cpu", threads=1)
    here = {"digits": listing_state(loaded, list_dataset(loaded, "digits", "quick"))}
    jobs = []
    for name in ("one", "two"):
        path = touched(tmp_path / name, "avg_model.pt") / "avg_model.pt"
        path.write_text(name)
        entry = CheckpointEntry(path, "wide", "softmax")
        jobs.append(plan_checkpoint(loaded, request, here, entry).jobs(here)[1])
    assert len({job.recipe_name for job in jobs}) == 2
    assert len({job.folder for job in jobs}) == 2


def test_the_models_that_weights_fit(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text(BENCHMARK)
    loaded = load(tmp_path / "benchmark.toml")
    path = tmp_path / "any.pt"
    torch.save({"model": XVector(embedding_size=512, bins=64).build().state_dict()}, path)
    with pytest.raises(RequestError, match="say with --model of which model it is; wide of the"):
        model_of(loaded, path)
    check_weights(loaded, CheckpointEntry(path, "wide"))
    with pytest.raises(RequestError, match="no weights of 'small': wide of the benchmark has them"):
        check_weights(loaded, CheckpointEntry(path, "small"))
    torch.save({"other": torch.zeros(1)}, path)
    with pytest.raises(RequestError, match="no model of the benchmark has these"):
        model_of(loaded, path)


def test_counters_decide_nothing_and_numbers_must_be_some(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text(BENCHMARK)
    loaded, path = load(tmp_path / "benchmark.toml"), tmp_path / "any.pt"
    whole = XVector(embedding_size=256, bins=64).build().state_dict()
    weights = {name: each for name, each in whole.items() if not name.endswith("_tracked")}
    assert len(weights) < len(whole)
    torch.save(weights, path)
    check_weights(loaded, CheckpointEntry(path, "small"))
    with pytest.raises(RequestError, match="small of the benchmark has them"):
        model_of(loaded, path)
    name = next(iter(weights))
    torch.save({**weights, name: torch.full_like(weights[name], torch.nan)}, path)
    for read in (lambda: check_weights(loaded, CheckpointEntry(path, "small")),
                 lambda: model_of(loaded, path)):  # fmt: skip
        with pytest.raises(RequestError, match=f"any.pt: the weight '{name}' holds NaN"):
            read()


@pytest.mark.parametrize("text", ["a: " + "[" * 9000, WESPEAKER + '"a\\n[models.evil]": 1', "\0"])
def test_a_config_that_is_no_recipe_names_no_model(tmp_path: Path, text: str) -> None:
    (tmp_path / "benchmark.toml").write_text(BENCHMARK)
    (tmp_path / "config.yaml").write_text(text)
    torch.save({"other": torch.zeros(1)}, tmp_path / "any.pt")
    with pytest.raises(RequestError, match="say with --model of which model it is"):
        model_of(load(tmp_path / "benchmark.toml"), tmp_path / "any.pt")


def test_a_path_that_cannot_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="cannot be read: File name too long"):
        find_checkpoint(str(tmp_path / ("long" * 99)))
    with pytest.raises(RequestError, match=r"^~nobody-of-this-name/w.pt: "):
        find_checkpoint("~nobody-of-this-name/w.pt")


def _from_hub(address: str, hub: str, home: Path) -> tuple[str, str]:
    """What a process prints that looks for a checkpoint: its path, or why there is none."""
    told = {"HF_ENDPOINT": hub, "HF_HOME": str(home), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    code = "import sys; from harness.run.plan.checkpoints import find_checkpoint as find"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(find(sys.argv[1]))", address],
        env={**os.environ, **told}, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    return done.stdout.strip(), done.stderr


class _Hub(BaseHTTPRequestHandler):
    """As much of the hub's protocol as listing and fetching need."""

    def do_GET(self) -> None:
        repository = next((name for name in FILES if f"/{name}/" in self.path), "")
        if "/tree/" in self.path:
            files = [{"type": "file", "path": path, "size": 1, "oid": "b" * 40}
                     for path in FILES[repository]]  # fmt: skip
            self._answer(json.dumps(files).encode(), {"Content-Type": "application/json"})
        elif self.path == f"/{NAME}/resolve/main/avg_model.pt":
            tag = f'"{sha1(CONTENT).hexdigest()}"'
            self._answer(CONTENT, {"ETag": tag, "X-Repo-Commit": "a" * 40})
        else:
            self._answer(b"", {"X-Error-Code": "EntryNotFound"}, status=404)

    do_HEAD = do_GET

    def _answer(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
