"""Networks of timm by their adapters."""

from __future__ import annotations

import functools
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from adapters.timm import Timm, TimmSpectrogram
from harness.adapter import ADDED, Image
from harness.records.documents import sha256_file
from harness.testing.model_checks import check_embeddings


@pytest.mark.parametrize(
    ("network", "size"),
    [
        ("efficientnet_b0", 1280),
        ("efficientnet_b2", 1408),
        ("resnet10t", 512),
        ("mobilenetv3_small_050", 1024),
        ("vit_tiny_patch16_224", 192),
    ],
)
def test_embedding_size_is_known_before_building(network: str, size: int) -> None:
    assert Timm(network=network, channels=1).embedding_size == size


def test_asking_the_embedding_size_draws_no_random_number() -> None:
    before = torch.get_rng_state()
    assert TimmSpectrogram(bins=48).embedding_size == 512
    assert torch.equal(before, torch.get_rng_state())


def test_drop_rates_reach_the_network() -> None:
    trunk = Timm(network="efficientnet_b0", size=32, dropout=0.5, drop_path=0.3).build()
    assert trunk.drop_rate == 0.5
    rates = [m.drop_prob for m in trunk.modules() if type(m).__name__ == "DropPath"]
    assert max(rates) == pytest.approx(0.3, abs=0.05)


def test_an_unknown_network_is_refused_with_what_is_near() -> None:
    with pytest.raises(ValueError, match=r"no network 'efficientnet_b99'; near it: .*efficientnet"):
        Timm(network="efficientnet_b99").build()


def test_timms_own_preprocessing_is_that_of_its_data_config() -> None:
    timm = pytest.importorskip("timm")
    declared = Timm(network="efficientnet_b0", size=224, preprocessing="timm").inputs()
    config = timm.data.resolve_data_config(
        pretrained_cfg=timm.get_pretrained_cfg("efficientnet_b0").to_dict()
    )
    assert (declared.mean, declared.deviation) == (config["mean"], config["std"])
    assert (declared.interpolation, declared.crop) == (config["interpolation"], config["crop_pct"])
    assert declared.size == 224
    assert Timm(size=64).inputs() == Image(size=64)
    grey = Timm(network="efficientnet_b0", preprocessing="timm", channels=1).inputs()
    assert grey.mean == pytest.approx((sum(config["mean"]) / 3,))


def saved_weights(folder: Path, seed: int) -> torch.nn.Module:
    """Weights of a small network with a classifier, as timm's own files have one."""
    timm = pytest.importorskip("timm")
    torch.manual_seed(seed)
    network: torch.nn.Module = timm.create_model("mobilenetv3_small_050", num_classes=1000)
    folder.mkdir(exist_ok=True)
    torch.save(network.state_dict(), folder / "mobilenetv3_small_050.pth")
    return network


def test_weights_in_a_folder_are_where_a_network_starts(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    adapter = functools.partial(Timm, network="mobilenetv3_small_050", pretrained="weights")
    alone = adapter()
    assert alone.weights == ""
    assert "trained from scratch" in alone.origin
    network = saved_weights(tmp_path / "weights", 1)
    found = adapter()
    assert found.weights == sha256_file(tmp_path / "weights" / "mobilenetv3_small_050.pth")
    assert found != alone  # so the key of a training differs
    assert "starts from timm's weights lamb_in1k" in found.origin
    built = found.build().state_dict()
    own = network.state_dict()
    assert {name for name in own if name not in built} == {"classifier.weight", "classifier.bias"}
    assert all(torch.equal(built[name], own[name]) for name in built)
    assert adapter(weights=found.weights) == found
    check_embeddings(found, 0)


def test_other_weights_than_a_record_names_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="sha256 abcdef is asked for, and there are none here"):
        Timm(pretrained="weights", weights="abcdef")
    saved_weights(tmp_path / "weights", 2)
    with pytest.raises(ValueError, match="and those here have"):
        Timm(network="mobilenetv3_small_050", pretrained="weights", weights="abcdef")


def test_the_hubs_cache_is_looked_into_and_nothing_is_fetched(tmp_path, monkeypatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"weights")
    asked = []

    def cached(repository: str, name: str) -> str | None:
        asked.append((repository, name))
        return str(file)

    monkeypatch.setattr(hub, "try_to_load_from_cache", cached)
    adapter = Timm(network="resnet18", pretrained="hub")
    assert asked[0] == ("timm/resnet18.a1_in1k", "model.safetensors")
    assert adapter.weights == sha256_file(file)
    monkeypatch.setattr(hub, "try_to_load_from_cache", lambda *_: None)
    assert Timm(network="resnet18", pretrained="hub").weights == ""


def test_a_table_without_the_new_keys_is_what_it_was() -> None:
    assert {field.name for field in fields(Timm) if field.metadata == ADDED} == {
        "preprocessing",
        "pretrained",
        "weights",
    }
    assert Timm(network="efficientnet_b0", size=64).origin == ""
