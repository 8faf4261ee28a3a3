"""What a machine has and lacks for a benchmark."""

import shutil
from importlib.metadata import version
from types import SimpleNamespace

import psutil
import pytest

from harness.config.loader import load
from harness.run import diagnosis
from harness.run.diagnosis import diagnose

GIB = 2**30

BENCHMARK = """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }

[datasets.letters]
adapter = "harness.data.corpora.drawings:Drawings"
licence = "MIT"
path = "letters"
source = "https://example.org/letters"

[datasets.wrong]
adapter = "harness.data.corpora.drawings:Drawing"
licence = "MIT"

[models.good]
adapter = "adapters.speechbrain:EcapaTdnn"

[models.bad]
adapter = "adapters.speechbrain:EcapaTdnn"
chanels = 3

[losses.good]
adapter = "adapters.losses:Softmax"

[losses.bad]
adapter = "adapters.nowhere:Loss"

[recipes.short]
steps = 1

[suites.small]
title = "Small"
task = "harness.tasks.classification:Classification"
datasets = ["digits"]
models = ["good"]
losses = ["good"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    path = tmp_path_factory.mktemp("doctor") / "mine.toml"
    path.write_text(BENCHMARK)
    return {finding["about"]: finding for finding in diagnose(load(path))}


@pytest.mark.parametrize(
    ("free", "state", "told"),
    [(4, "missing", "4 GiB free here; 5 GiB are wanted for runs"), (5, "ok", "5 GiB free here")],
)
def test_the_machine_is_told(tmp_path, monkeypatch, free, state, told):
    monkeypatch.setattr(diagnosis, "processor_name", lambda: "Xeon")
    monkeypatch.setattr(diagnosis, "cores", lambda: 7)
    monkeypatch.setattr(diagnosis, "missing_gpu", lambda: "torch finds no GPU here")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=300 * GIB))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free * GIB))
    monkeypatch.setattr(diagnosis, "LIBRARIES", ("torch", "nowhere"))
    path = tmp_path / "empty.toml"
    path.write_text("")
    assert [tuple(finding.values()) for finding in diagnose(load(path))] == [
        ("note", "machine", "Xeon, 7 cores, 300 GiB"),
        ("note", "device", "torch finds no GPU here; jobs run on the processor"),
        (state, "disk", told),
        ("ok", "torch", version("torch")),
        ("missing", "nowhere", "not installed; `make setup` installs it"),
    ]


def test_this_machine_has_the_libraries(findings):
    assert {"machine", "device", "disk"} < findings.keys()
    assert {findings[name]["state"] for name in diagnosis.LIBRARIES} == {"ok"}


@pytest.mark.parametrize(
    ("about", "state", "text"),
    [
        ("dataset digits (small)", "ok", "embedded"),
        ("dataset letters (in no suite)", "note", "https://example.org/letters"),
        ("dataset wrong (in no suite)", "missing", "did you mean 'Drawings'?"),
        ("model good", "ok", "adapters.speechbrain:EcapaTdnn"),
        ("model bad", "missing", "mine.toml: models.bad.chanels: unknown key"),
        ("loss bad", "missing", "adapters.nowhere"),
    ],
)
def test_every_dataset_model_and_loss_has_its_finding(findings, about, state, text):
    assert findings[about]["state"] == state
    assert text in findings[about]["text"]
