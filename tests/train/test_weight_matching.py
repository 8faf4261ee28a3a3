"""Weights under other projects' names."""

from __future__ import annotations

import os
import re

import pytest
import torch
from torch import Tensor, nn

from adapters.speechbrain import EcapaTdnn
from adapters.upstream import ThreeDSpeakerNetwork
from adapters.wespeaker import CamPlusPlus, ERes2Net
from harness.errors import RequestError
from harness.train.weight_matching import has_places, match_weights

WANTED = {"layer.weight": torch.zeros(2, 3), "layer.bias": torch.zeros(2)}
OWN = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2)}
ONE = torch.ones(1)
CLASSES = torch.zeros(9, 2)


@pytest.mark.parametrize(
    ("weights", "unused"),
    [
        (OWN, {}),
        ({**OWN, "projection.weight": CLASSES}, {"projection": 1}),
        ({**OWN, "classifier.weight": CLASSES, "classifier.bias": CLASSES}, {"classifier": 2}),
        ({**OWN, "spec.torchfbank.2.melbanks_pt": CLASSES}, {"spec": 1}),
        ({f"embedding_model.{name}": value for name, value in OWN.items()}, {}),
        ({**{f"0.{name}": value for name, value in OWN.items()}, "1.weight": CLASSES}, {"1": 1}),
        (
            {**{f"a.b.{name}": value for name, value in OWN.items()}, "a.c.weight": CLASSES},
            {"a": 1},
        ),
    ],
)
def test_what_stands_before_the_names_and_beside_the_network(
    weights: dict[str, Tensor], unused: dict[str, int]
) -> None:
    fit = match_weights(weights, WANTED, "file")
    assert fit.unused == unused
    assert bool(fit.note) == bool(unused)
    assert all(name in fit.note for name in unused)
    assert set(fit.weights) == set(OWN)
    assert all(torch.equal(fit.weights[name], OWN[name]) for name in OWN)


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"layer.weight": OWN["layer.weight"]}, r"1 of 2 weights are missing, the first 'layer.b"),
        ({**OWN, "layer.bias": torch.ones(3)}, r"layer.bias has shape \(3,\), the network \(2,\)"),
        ({**OWN, "layer.more": torch.ones(3)}, "no place for, the first 'layer.more'"),
        ({**OWN, "seg_2.weight": torch.ones(3)}, "of another network"),
        ({**OWN, "spec.spec_norm.weight": torch.ones(3)}, "no place for, the first 'spec.spec_n"),
        ({"other": torch.ones(1)}, "2 of 2 weights are missing"),
        ({}, "2 of 2 weights are missing"),
    ],
)
def test_weights_of_another_network(weights: dict[str, Tensor], said: str) -> None:
    with pytest.raises(RequestError, match=f"^file: .*{said}"):
        match_weights(weights, WANTED, "file")


def test_a_counter_of_steps_decides_nothing() -> None:
    network = nn.Sequential(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3), nn.InstanceNorm1d(3))
    wanted = network.state_dict()
    without = {name: value for name, value in wanted.items() if not name.endswith("_tracked")}
    strange = {**without, "1.num_batches_tracked": torch.ones(1), "2.num_batches_tracked": ONE}
    for weights in (without, strange, {f"net.{name}": value for name, value in without.items()}):
        fit = match_weights(weights, wanted, "file")
        network.load_state_dict(fit.weights)
        assert fit.unused == {}
    del without["1.running_var"]
    with pytest.raises(RequestError, match=r"1 of 7 weights are missing, the first '1.running_var"):
        match_weights(without, wanted, "file")


def test_names_of_a_file_are_never_shown_raw() -> None:
    hostile = {f"\x1b[31m{number}\u2028" + "long" * 99: ONE for number in range(50)}
    with pytest.raises(RequestError) as missing:
        match_weights(hostile, WANTED, "file")
    with pytest.raises(RequestError) as more:
        match_weights({**OWN, **hostile}, WANTED, "file")
    start = {f"net.{name}": value for name, value in OWN.items()}
    for said in (
        str(missing.value),
        str(more.value),
        match_weights({**start, **hostile}, WANTED, "").note,
    ):
        assert said.isprintable()
        assert 60 < len(said) < 1200


def test_quantised_weights_are_refused() -> None:
    eighth = {**OWN, "layer.weight": torch.ones(2, 3, dtype=torch.int8)}
    with pytest.raises(RequestError, match=r"layer.weight holds int8.*before they were quantised"):
        match_weights(eighth, WANTED, "file")


def test_3d_speakers_eres2net_by_its_names() -> None:
    """Its blocks that fuse by attention have one list where the ones here have a first and a list.

    The names are made up backwards, by position: all of a block's convolutions in order.
    """
    adapter = ERes2Net(embedding_size=8, channels=8, bins=24)
    ours = adapter.build().state_dict()
    theirs: dict[str, Tensor] = {}
    places: dict[tuple[str, str], dict[str, int]] = {}
    for name, value in ours.items():
        match = re.fullmatch(r"(layer[34]\.\d+)\.(conv|bn)(2_1|s\.\d+)\.(.+)", name)
        if match is None:
            theirs[name] = value
            continue
        block, kind, place, rest = match.groups()
        order = places.setdefault((block, kind), {"2_1": 0})
        theirs[f"{block}.{kind}s.{order.setdefault(place, len(order))}.{rest}"] = value
    assert set(theirs) != set(ours)
    fit = match_weights(theirs, ours, "file")
    assert fit.unused == {}
    assert all(torch.equal(fit.weights[name], value) for name, value in ours.items())


def test_eres2net_without_counters_keeps_its_names() -> None:
    ours = ERes2Net(embedding_size=8, channels=8, bins=24).build().state_dict()
    weights = {name: value for name, value in ours.items() if not name.endswith("_tracked")}
    fit = match_weights(weights, ours, "file")
    assert set(fit.weights) == set(ours)
    assert all(fit.weights[name] is value for name, value in weights.items())


def test_3d_speakers_own_eres2net_computes_the_same() -> None:
    checkout = os.environ.get("THREED_SPEAKER", "")
    if not checkout:
        pytest.skip("$THREED_SPEAKER names no checkout")
    network = "speakerlab.models.eres2net.ERes2Net.ERes2Net"
    arguments = {"feat_dim": 80, "embedding_size": 192, "m_channels": 32}
    theirs = ThreeDSpeakerNetwork(network=network, arguments=arguments, checkout=checkout)
    torch.manual_seed(0)
    trained, ours = theirs.build().eval(), ERes2Net(embedding_size=192).build().eval()
    ours.load_state_dict(match_weights(trained.state_dict(), ours.state_dict(), "file").weights)
    features = torch.randn(2, 120, 80)
    with torch.no_grad():
        torch.testing.assert_close(ours(features), trained(features), atol=1e-4, rtol=0)


def test_speechbrains_own_ecapa_computes_the_same() -> None:
    from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN  # type: ignore[import-untyped]

    torch.manual_seed(0)
    sizes = {"channels": [64] * 4 + [192], "lin_neurons": 16}
    trained: nn.Module = ECAPA_TDNN(24, **sizes).eval()
    ours = EcapaTdnn(channels=64, embedding_size=16, bins=24).build().eval()
    fit = match_weights(trained.state_dict(), ours.state_dict(), "file")
    ours.load_state_dict(fit.weights)
    features = torch.randn(2, 40, 24)
    with torch.no_grad():
        torch.testing.assert_close(ours(features), trained(features).squeeze(1))


def test_which_models_weights_fit() -> None:
    weights = CamPlusPlus(embedding_size=16).build().state_dict()
    path = "adapters.wespeaker:CamPlusPlus"
    assert has_places(path, {"embedding_size": 16}, weights, "models.a")
    assert not has_places(path, {"embedding_size": 32}, weights, "models.a")
    assert not has_places("adapters.wespeaker:XVector", {}, weights, "models.a")
    assert not has_places("adapters.wespeaker:NoSuch", {}, weights, "models.a")
