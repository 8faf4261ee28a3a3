"""Networks run by other runtimes give PyTorch's outputs, at any batch and length."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from harness.adapter import Fbank
from harness.config.imports import construct
from harness.config.loader import load
from harness.config.merging import builtin_benchmark
from harness.errors import RequestError
from harness.train.system import System
from harness.use.export_facts import ExportRequest
from harness.use.given_items import GivenItems
from harness.use.network.export_stage import Exporter
from tests.use.sounds import spoken

# TorchScript still runs, which is what is held here, and torch says at each step that it is old; a
# number that a trace keeps is what one network is made of.
pytestmark = pytest.mark.filterwarnings(
    "ignore:`torch.jit:FutureWarning", "ignore::torch.jit.TracerWarning"
)

NEEDS_ONNX = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="needs the extra `export`",
)


class Halves(nn.Module):
    """Frames pooled by two, rounded up: a length that tracers take for even."""

    def __init__(self, *, takes_length: bool) -> None:
        super().__init__()
        self.layer = nn.Conv1d(24, 8, 3, padding=1)
        self.takes_length = takes_length

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        values = self.layer(features.transpose(1, 2)).relu()
        pooled = nn.functional.avg_pool1d(values, 2, 2, ceil_mode=True)
        if self.takes_length:  # a number of Python, which a trace keeps as it was
            pooled = pooled + len(features[0].tolist())
        return pooled.mean(-1)


class Model:
    """A network; one that takes the length makes a trace of it that holds for one length."""

    version = 1
    embedding_size = 8

    def __init__(self, *, takes_length: bool = False) -> None:
        self.takes_length = takes_length

    def inputs(self) -> Fbank:
        return Fbank(bins=24)

    def build(self) -> nn.Module:
        return Halves(takes_length=self.takes_length)


def asked(folder: Path, **given: Any) -> ExportRequest:
    lengths = (0.3, 0.515, 1.0, 2.2)
    contents = [
        spoken(seconds=seconds, seed=seed)[:, 0].astype(np.int16)
        for seed, seconds in enumerate(lengths)
    ]
    items = GivenItems([f"{each:g} s" for each in lengths], contents)
    items.save(folder / "items.npz")
    values = {"format": "onnx", "features": "inside", "int8": False, **given}
    return ExportRequest(
        folder=folder,
        output="embedding",
        checked=folder / "items.npz",
        calibrating=folder / "items.npz",
        facts='{"schema": 1}',
        **values,
    )


def system(model: Any) -> System:
    torch.manual_seed(0)
    return System(model, None, 0).eval()


@NEEDS_ONNX
@pytest.mark.parametrize("features", ["inside", "outside"])
def test_a_graph_takes_any_batch_and_length(tmp_path: Path, features: str) -> None:
    import onnx

    exporter = Exporter(system(Model()), asked(tmp_path, features=features, int8=True))
    plain, small = exporter.export(lambda _: None)
    assert plain.difference < 1e-5
    assert plain.score_difference is not None
    assert plain.score_difference < 1e-5
    assert plain.difference < small.difference < 0.1
    length = ("batch", "samples") if features == "inside" else ("batch", "frames", 24)
    assert plain.input_shape == length
    held = {each.key: each.value for each in onnx.load(tmp_path / plain.name).metadata_props}
    assert held["trialboard"] == '{"schema": 1}'


@NEEDS_ONNX
def test_the_front_end_is_not_quantised(tmp_path: Path) -> None:
    import onnx

    Exporter(system(Model()), asked(tmp_path, int8=True)).export(lambda _: None)
    graph = onnx.load(tmp_path / "model-int8.onnx").graph
    whole = {each.name for each in graph.initializer if each.data_type == onnx.TensorProto.FLOAT}
    assert any("kernel" in name for name in whole)
    assert any(each.data_type == onnx.TensorProto.INT8 for each in graph.initializer)


def test_torchscript(tmp_path: Path) -> None:
    (file,) = Exporter(system(Model()), asked(tmp_path, format="torchscript")).export(
        lambda _: None
    )
    assert file.difference < 1e-5
    assert file.bytes == (tmp_path / "model.pt").stat().st_size


def test_a_network_that_gives_something_else_is_refused(tmp_path: Path) -> None:
    exporter = Exporter(system(Model(takes_length=True)), asked(tmp_path, format="torchscript"))
    with pytest.raises(RequestError, match="gives other embeddings than PyTorch"):
        exporter.export(lambda _: None)


@pytest.mark.long
@NEEDS_ONNX
@pytest.mark.parametrize(
    "name", ["ecapa-512", "campplus", "eres2net", "efficientnet-b0", "spectrogram-resnet"]
)
def test_every_architecture(tmp_path: Path, name: str) -> None:
    table = load(builtin_benchmark()).benchmark.models[name]
    model = construct(table.adapter, table.fields, name)
    request = asked(tmp_path)
    if model.inputs().kind == "image":
        pictures = np.random.default_rng(0).integers(0, 256, (3, 8, 8), dtype=np.uint8)
        GivenItems(["a", "b", "c"], list(pictures)).save(request.checked)
    (file,) = Exporter(system(model), request).export(lambda _: None)
    assert file.difference < 1e-4
