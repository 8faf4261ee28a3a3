"""What a machine has and lacks for a benchmark."""

import pytest

from harness.config.loader import load
from harness.run.diagnosis import diagnose

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


@pytest.mark.parametrize("about", ["machine", "device", "disk", "torch", "timm"])
def test_the_machine_is_told(findings, about):
    assert findings[about]["text"]


def test_an_installed_library_is_there_with_its_version(findings):
    assert findings["torch"]["state"] == "ok"
    assert findings["torch"]["text"][0].isdigit()


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
