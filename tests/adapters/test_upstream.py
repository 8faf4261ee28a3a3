"""Networks out of a checkout: found, told apart, the same as the ones written here."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from adapters.upstream import ThreeDSpeakerNetwork, WeSpeakerNetwork
from adapters.wespeaker import CamPlusPlus, EcapaTdnnGlob, ERes2Net, ERes2NetV2, ResNet34, XVector
from harness.adapter import Fbank, ModelAdapter
from harness.config.imports import construct
from harness.errors import ConfigError
from harness.testing import check_model

POOLING = """
import torch

FACTOR = {factor}


def mean(features):
    return FACTOR * features.mean(dim=1)
"""

NETWORKS = '''
from torch import nn

import wespeaker.models.pooling as pooling
from wespeaker.front import Gain


class Plain(nn.Module):
    """One layer over the mean of frames."""

    def __init__(self, feat_dim, embed_dim=8, bias=True):
        super().__init__()
        self.gain = Gain()
        self.layer = nn.Linear(feat_dim, embed_dim, bias=bias)

    def forward(self, features):
        inner = self.gain(pooling.mean(features))
        return inner, self.layer(inner)


def Plain_c4(feat_dim, **others):
    return Plain(feat_dim, embed_dim=4, **others)


class Twin(Plain):
    pass
'''

FRONT = """
from torch import nn


class Gain(nn.Identity):
    pass
"""

POISON = 'raise RuntimeError("the whole package was imported")\n'
ARGUMENTS = {"feat_dim": 24}


@pytest.fixture(autouse=True)
def _nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WESPEAKER", "THREED_SPEAKER", "HARNESS_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_checkout(tmp_path / "data" / "checkout")


def make_checkout(folder: Path, factor: float = 1.0) -> Path:
    models = folder / "wespeaker" / "models"
    models.mkdir(parents=True)
    front = folder / "wespeaker" / "front"
    front.mkdir()
    for package in (folder / "wespeaker", models):
        (package / "__init__.py").write_text(POISON)
    (front / "__init__.py").write_text("from .gain import Gain\n")
    (front / "gain.py").write_text(FRONT)
    (models / "pooling.py").write_text(POOLING.format(factor=factor))
    (models / "plain.py").write_text(NETWORKS)
    (models / "needs_the_world.py").write_text("import whisper_of_the_world\n\nclass Twin: pass\n")
    return folder


def network(checkout: Path | str = "", **fields: Any) -> WeSpeakerNetwork:
    given = {"network": "Plain", "arguments": ARGUMENTS, **fields}
    return WeSpeakerNetwork(checkout=str(checkout), **given)


def test_promises_of_the_interface_hold(checkout: Path) -> None:
    adapter = network(checkout)
    check_model(adapter)
    assert adapter.inputs() == Fbank(bins=24, window="hamming", scale=32768.0, dither=1.0)
    assert adapter.embedding_size == 8


def test_the_embedding_is_the_last_output(checkout: Path) -> None:
    trunk = network(checkout).build().eval()
    features = torch.randn(2, 5, 24)
    found = trunk(features)
    wanted = features.mean(dim=1) @ trunk.layer.weight.T + trunk.layer.bias
    torch.testing.assert_close(found, wanted)
    assert set(trunk.state_dict()) == {"layer.weight", "layer.bias"}


def test_three_ways_to_name_a_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain = network(checkout)
    monkeypatch.setenv("HARNESS_DATA", str(tmp_path / "data"))
    assert network("checkout") == plain
    monkeypatch.setenv("WESPEAKER", str(checkout))
    assert network() == plain
    monkeypatch.delenv("WESPEAKER")
    monkeypatch.syspath_prepend(str(checkout))
    assert network() == plain
    assert network(checkout / "wespeaker") == plain


def test_no_checkout_tells_the_three_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = r"as `checkout`.*\$HARNESS_DATA.*\$WESPEAKER.*install the package wespeaker"
    with pytest.raises(ValueError, match=rf"\$WESPEAKER \(not set\).*{ways}"):
        network()
    with pytest.raises(ValueError, match=rf"\$HARNESS_DATA/a/b .*not set.*{ways}"):
        network("a/b")
    monkeypatch.setenv("THREED_SPEAKER", "/no/such/folder")
    with pytest.raises(ValueError, match=r"speakerlab/models.*THREED_SPEAKER \(/no/such/folder\)"):
        ThreeDSpeakerNetwork(network="CAMPPlus")


def test_where_a_checkout_lies_is_no_part_of_what_it_is(checkout: Path, tmp_path: Path) -> None:
    moved = make_checkout(tmp_path / "elsewhere")
    one, two = network(checkout), network(moved)
    assert one == two
    assert str(tmp_path) not in json.dumps(vars(one))
    other = network(make_checkout(tmp_path / "changed", factor=2.0))
    assert other.source != one.source


def test_files_that_a_network_does_not_need_are_no_part_of_it(checkout: Path) -> None:
    before = network(checkout)
    (checkout / "wespeaker" / "models" / "needs_the_world.py").write_text("import nothing_else\n")
    (checkout / "wespeaker" / "__init__.py").write_text("raise ValueError\n")
    assert network(checkout) == before
    (checkout / "wespeaker" / "front" / "gain.py").write_text(FRONT + "\n# changed\n")
    assert network(checkout) != before


def test_a_record_builds_the_same_network_though_nobody_names_the_checkout(
    checkout: Path, tmp_path: Path
) -> None:
    recorded = vars(network(checkout))
    checkout.rename(tmp_path / "gone")
    again = WeSpeakerNetwork(**recorded)
    assert vars(again) == recorded
    assert again.build()(torch.ones(1, 3, 24)).shape == (1, 8)


def test_another_source_than_the_recorded_one_is_refused(checkout: Path, tmp_path: Path) -> None:
    wanted = network(make_checkout(tmp_path / "changed", factor=2.0)).source
    with pytest.raises(ValueError, match=f"hashes to .*, not to {wanted[:12]}"):
        network(checkout, source=wanted)


def test_two_checkouts_do_not_mix(checkout: Path, tmp_path: Path) -> None:
    doubled = make_checkout(tmp_path / "doubled", factor=2.0)
    marker = object()
    sys.modules["wespeaker"] = marker  # type: ignore[assignment]
    try:
        one, two = network(checkout).build(), network(doubled).build()
        assert sys.modules["wespeaker"] is marker
    finally:
        del sys.modules["wespeaker"]
    two.load_state_dict(one.state_dict())
    features = torch.randn(2, 5, 24)
    with torch.no_grad():
        torch.testing.assert_close(two(2 * features) - two(0 * features),
                                   2 * (two(features) - two(0 * features)))  # fmt: skip
        torch.testing.assert_close(two(features), one(2 * features))
    assert not [name for name in sys.modules if name.startswith("wespeaker.")]
    assert len(sys.meta_path) == len(
        [each for each in sys.meta_path if "_Finder" not in repr(each)]
    )


def test_a_network_that_is_not_there(checkout: Path) -> None:
    with pytest.raises(ValueError, match="no network 'Plian'; did you mean Plain"):
        network(checkout, network="Plian")
    with pytest.raises(ValueError, match=r"is several: wespeaker\.models\.needs_the_world\.Twin, "):
        network(checkout, network="Twin")
    assert network(checkout, network="plain.Twin").network == "plain.Twin"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"feat_dmi": 24}, "arguments.feat_dmi: Plain does not take it; did you mean 'feat_dim'"),
        ({}, "arguments.feat_dim: missing; Plain must be given feat_dim"),
    ],
)
def test_arguments_that_it_does_not_take(checkout: Path, arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        network(checkout, arguments=arguments)


def test_sizes_that_nobody_tells(checkout: Path) -> None:
    factory = network(checkout, network="Plain_c4", arguments={"feat_dim": 24, "bias": False})
    assert factory.inputs().bins == 24
    with pytest.raises(ValueError, match="give embed_dim or embedding_size"):
        _ = factory.embedding_size


def test_an_error_of_the_benchmark_file_names_the_key(checkout: Path) -> None:
    table = {"network": "Plian", "arguments": ARGUMENTS, "checkout": str(checkout)}
    with pytest.raises(ConfigError, match=r"models\.x: WeSpeaker has no network 'Plian'"):
        construct("adapters.upstream:WeSpeakerNetwork", table, "models.x")


def test_a_place_where_nothing_can_be_kept(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ValueError, match="set \\$XDG_CACHE_HOME to a folder"):
        network(checkout)


PLACES = {name: os.environ.get(name, "") for name in ("WESPEAKER", "THREED_SPEAKER")}


def real(variable: str) -> str:
    place = PLACES[variable]
    if not place or not Path(place).is_dir():
        pytest.skip(f"${variable} names no checkout")
    return place


@pytest.mark.parametrize(
    ("name", "arguments", "native"),
    [
        ("CAMPPlus", {"embed_dim": 512, "pooling_func": "TSTP"}, CamPlusPlus()),
        ("ERes2Net34_Base", {"embed_dim": 512}, ERes2Net()),
        ("ECAPA_TDNN_GLOB_c512", {"embed_dim": 192}, EcapaTdnnGlob()),
        ("ResNet34", {"embed_dim": 256, "two_emb_layer": False}, ResNet34()),
        ("XVEC", {"embed_dim": 512}, XVector()),
    ],
)
def test_wespeakers_networks_are_the_ones_written_here(
    name: str, arguments: dict[str, Any], native: ModelAdapter
) -> None:
    place = real("WESPEAKER")
    theirs = WeSpeakerNetwork(network=name, arguments={"feat_dim": 80, **arguments}, checkout=place)
    assert theirs.inputs() == native.inputs()
    assert theirs.embedding_size == native.embedding_size
    _check_equal(theirs, native)


def test_3d_speakers_eres2net_v2_is_the_one_written_here() -> None:
    theirs = ThreeDSpeakerNetwork(
        network="speakerlab.models.eres2net.ERes2NetV2.ERes2NetV2",
        arguments={"feat_dim": 80, "embedding_size": 192, "m_channels": 64},
        checkout=real("THREED_SPEAKER"),
    )
    assert theirs.inputs() == ERes2NetV2(front_end="3d-speaker").inputs()
    _check_equal(theirs, ERes2NetV2())


def _check_equal(theirs: ModelAdapter, native: ModelAdapter) -> None:
    torch.manual_seed(0)
    upstream, ours = theirs.build().eval(), native.build().eval()
    ours.load_state_dict(upstream.state_dict())
    features = torch.randn(2, 150, 80)
    with torch.no_grad():
        torch.testing.assert_close(ours(features), upstream(features), atol=1e-4, rtol=0)
