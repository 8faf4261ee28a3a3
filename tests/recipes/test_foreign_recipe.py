"""Recipes of WeSpeaker and 3D-Speaker as this project's tables."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.config.imports import construct
from harness.config.recipes import Recipe
from harness.errors import ConfigError
from harness.recipes.converted import Converted
from harness.recipes.foreign_recipe import read_recipe
from harness.recipes.parameters import UNKNOWN
from harness.train.optimization import head_value, learning_rate_factor
from tests.recipes.recipes import LARGE_MARGIN, THREED_SPEAKER, WESPEAKER, replaced


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    def read(text: str, changes: dict[str, str] | None = None, **options: Any) -> Converted:
        path = tmp_path / "some recipe.yaml"
        path.write_text(replaced(text, changes or {}))
        return read_recipe(path, **options)

    return read


def left(found: Converted) -> dict[str, str]:
    return {each.key: each.why for each in found.left}


def test_wespeakers_recipe_by_hand(read: Any) -> None:
    found = read(WESPEAKER)
    assert found.name == "wespeaker-some-recipe"
    assert found.model == {
        "adapter": "adapters.wespeaker:CamPlusPlus", "embedding_size": 256, "bins": 64,
    }  # fmt: skip
    assert found.loss == {
        "adapter": "adapters.losses:AamSoftmax", "scale": 30.0, "margin": 0.25,
        "easy_margin": False,
    }  # fmt: skip
    recipe = found.check()
    assert recipe.track == "recipe"
    assert (recipe.epochs, recipe.batch, recipe.micro_batch) == (50, 192, 96)
    assert recipe.crop_seconds == 3.015
    assert (recipe.select, recipe.average_last, recipe.checkpoints) == ("average", 3, 50)
    assert recipe.augment.speeds == (1.0, 0.9, 1.1)
    assert recipe.augment.probability == 0.5
    assert recipe.augment.noise is not None
    assert recipe.augment.reverb is not None
    assert recipe.optimizer.model_dump() == {
        "name": "sgd", "lr": recipe.optimizer.lr, "weight_decay": 2e-4, "momentum": 0.9,
        "nesterov": True,
    }  # fmt: skip


def test_3d_speakers_recipe_by_hand(read: Any) -> None:
    found = read(THREED_SPEAKER)
    assert found.name == "3d-speaker-some-recipe"
    assert found.model == {
        "adapter": "adapters.wespeaker:ERes2NetV2", "embedding_size": 256, "channels": 32,
        "bins": 80, "front_end": "3d-speaker",
    }  # fmt: skip
    assert found.loss is not None
    assert found.loss["margin"] == 0.3
    recipe = found.check()
    assert (recipe.epochs, recipe.batch, recipe.crop_seconds) == (40, 128, 2.5)
    assert (recipe.optimizer.lr, recipe.learning_rate.shape) == (0.2, "cosine")
    assert (recipe.learning_rate.warmup, recipe.learning_rate.final) == (0.1, 0.001)
    margin = recipe.schedules["margin"]
    assert (margin.start, margin.end) == (0.25, 0.75)
    assert recipe.augment.both
    assert recipe.select == "last"


@pytest.mark.parametrize("share", [0.0, 0.04, 0.1, 0.1001, 0.3, 0.75, 1.0])
def test_wespeakers_learning_rate(read: Any, share: float) -> None:
    recipe = read(WESPEAKER).check()
    found = recipe.optimizer.lr * learning_rate_factor(recipe.learning_rate, share)
    wanted = 3 * 0.1 * math.exp(share * math.log(0.0001 / 0.1)) * min(1.0, share / 0.1)
    assert found == pytest.approx(wanted, rel=1e-4)


def test_gpus_scale_rate_and_batch(read: Any) -> None:
    one, two, four = (read(WESPEAKER, gpus=gpus).check() for gpus in (1, 2, 4))
    assert two == read(WESPEAKER).check()
    assert (one.batch, one.micro_batch) == (96, None)
    assert (four.batch, four.micro_batch) == (384, 96)
    assert four.optimizer.lr == pytest.approx(4 * one.optimizer.lr, rel=1e-5)
    wide = read(THREED_SPEAKER, gpus=4).check()
    assert (wide.batch, wide.micro_batch, wide.optimizer.lr) == (128, 32, 0.2)


@pytest.mark.parametrize("epoch", [1, 10, 11, 12, 20, 30, 31, 50])
def test_wespeakers_margin(read: Any, epoch: int) -> None:
    recipe = read(WESPEAKER).check()
    found = head_value(recipe.schedules["margin"], 0.25, (epoch - 1) / 50)
    # The first step of an epoch, of a rise from the 11th to the 31st; it ends at 0.25 at once.
    done = min(max((epoch - 11) / 20, 0.0), 1.0)
    wanted = 0.25 if done == 1 else 0.05 + 0.2 * (1 - math.exp(done * math.log(1e-3)))
    assert found == pytest.approx(wanted, abs=3e-4)


def test_a_fine_tuning_follows_its_recipe(read: Any, tmp_path: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text(replaced(WESPEAKER, LARGE_MARGIN))
    recipe = read(WESPEAKER, fine_tune=second).check()
    assert recipe.fine_tune is not None
    assert recipe.model_copy(update={"fine_tune": None}) == read(WESPEAKER).check()
    assert recipe.fine_tune.augment is None, "the first one's, but for its speeds"
    _, tuned = recipe.phases
    assert (tuned.epochs, tuned.batch, tuned.micro_batch) == (5, 64, 32)
    assert tuned.crop_seconds == 6.015
    assert tuned.augment.speeds == ()
    assert tuned.augment.probability == 0.5
    assert head_value(tuned.schedules["margin"], 0.25, 0.0) == 0.5
    alone = read_recipe(second)
    assert any("--fine-tune" in note for note in alone.notes)
    assert alone.check().augment.speeds == ()
    assert tuned.optimizer.lr == alone.check().optimizer.lr


def test_a_fine_tuning_with_noise_of_its_own(read: Any, tmp_path: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text(replaced(WESPEAKER, {**LARGE_MARGIN, "aug_prob: 0.5": "aug_prob: 0.2"}))
    _, tuned = read(WESPEAKER, fine_tune=second).check().phases
    assert (tuned.augment.probability, tuned.augment.speeds) == (0.2, ())


def test_a_fine_tuning_of_something_else_is_refused(read: Any, tmp_path: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text(THREED_SPEAKER)
    with pytest.raises(ConfigError, match="of 3D-Speaker cannot follow a recipe of WeSpeaker"):
        read(WESPEAKER, fine_tune=second)
    second.write_text(replaced(WESPEAKER, {"embed_dim: 256": "embed_dim: 128"}))
    with pytest.raises(ConfigError, match="of another network"):
        read(WESPEAKER, fine_tune=second)


@pytest.mark.parametrize(
    ("changes", "adapter"),
    [
        ({"model: CAMPPlus": "model: ERes2Net34_Large"}, "adapters.wespeaker:ERes2Net"),
        ({"model: CAMPPlus": "model: XVEC"}, "adapters.wespeaker:XVector"),
        (
            {"model: CAMPPlus": "model: ResNet34", '"TSTP"': '"MQMHASTP"\n  two_emb_layer: False'},
            "adapters.wespeaker:AttentiveResNet34",
        ),
        (
            {"model: CAMPPlus": "model: ECAPA_TDNN_GLOB_c1024", '"TSTP"': '"ASTP"'},
            "adapters.wespeaker:EcapaTdnnGlob",
        ),
        ({'"TSTP"': '"ASTP"'}, "adapters.upstream:WeSpeakerNetwork"),
        ({'"TSTP"': '"TSTP"\n  two_emb_layer: True'}, "adapters.upstream:WeSpeakerNetwork"),
        ({"model: CAMPPlus": "model: ReDimNetB2"}, "adapters.upstream:WeSpeakerNetwork"),
    ],
)
def test_networks(read: Any, changes: dict[str, str], adapter: str) -> None:
    model = read(WESPEAKER, changes).model
    assert model["adapter"] == adapter
    if adapter.startswith("adapters.wespeaker"):
        fields = {key: value for key, value in model.items() if key != "adapter"}
        assert construct(adapter, fields, "models.x").embedding_size == 256


@pytest.mark.parametrize(
    ("kind", "adapter"),
    [
        ("add_margin", "adapters.losses:AmSoftmax"),
        ("arc_margin_intertopk_subcenter", "adapters.losses:SubcenterAam"),
        ("sphereface2", "adapters.class_losses:SphereFace2"),
        ("softmax", "adapters.losses:Softmax"),
    ],
)
def test_losses(read: Any, kind: str, adapter: str) -> None:
    found = read(WESPEAKER, {'"arc_margin"': f'"{kind}"'})
    fields = {key: value for key, value in found.loss.items() if key != "adapter"}
    assert found.loss["adapter"] == adapter
    assert construct(adapter, fields, "losses.x")
    assert ("margin" in found.check().schedules) == (kind != "softmax")


def test_near_classes_penalty_rises_with_the_margin_and_is_off_in_a_fine_tuning(
    read: Any,
) -> None:
    kind = {'"arc_margin"': '"arc_margin_intertopk_subcenter"\n  mp: 0.06'}
    first = read(WESPEAKER, kind)
    assert first.loss["inter_margin"] == pytest.approx(0.06 * 0.25 / 0.2)
    assert "inter_margin" in first.check().schedules
    assert read(WESPEAKER, {**LARGE_MARGIN, **kind}).loss["inter_margin"] == 0


@pytest.mark.parametrize("text", [WESPEAKER, THREED_SPEAKER])
def test_every_parameter_is_taken_or_named(read: Any, text: str) -> None:
    found = read(text + "\nnever_heard_of: {inner: [1, 2]}\n")
    names = set(_leaves(yaml.safe_load(text))) | {"never_heard_of.inner"}
    assert set(found.taken) | set(left(found)) == names
    assert not set(found.taken) & set(left(found))
    assert [key for key, why in left(found).items() if why == UNKNOWN] == ["never_heard_of.inner"]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"frame_shift: 10": "frame_shift: 20"}, "dataset_args.fbank_args.frame_shift"),
        ({"dither: 1.0": "dither: 0.0"}, "dataset_args.fbank_args.dither"),
        ({"num_mel_bins: 64": "num_mel_bins: 40"}, "dataset_args.fbank_args.num_mel_bins"),
        ({"optimizer: SGD": "optimizer: LBFGS"}, "optimizer"),
        ({"model_init: null": "model_init: a.pt"}, "model_init"),
        ({"scheduler: Exp": "scheduler: No"}, "scheduler"),
        ({'"arc_margin"': '"sphere"'}, "projection_args.project_type"),
        ({"warm_from_zero: True": "warm_from_zero: False"}, "scheduler_args.warm_from_zero"),
    ],
)
def test_what_has_no_place_says_why(read: Any, change: dict[str, str], key: str) -> None:
    assert key not in left(read(WESPEAKER))
    assert left(read(WESPEAKER, change))[key] not in ("", UNKNOWN)


def test_masks_of_features(read: Any) -> None:
    assert read(WESPEAKER).check().augment.time_mask == 0
    augment = read(WESPEAKER, {"spec_aug: False": "spec_aug: True"}).check().augment
    assert (augment.frequency_mask, augment.time_mask) == (8, 10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "no table"),
        ("a: [1\n", "not plain YAML"),
        ("a: 1\n", "WeSpeaker's has model, model_args, projection_args"),
        (WESPEAKER.replace("num_epochs: 50", ""), "num_epochs: a number must be given"),
    ],
)
def test_a_file_that_is_no_recipe(read: Any, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-4", 1e-4), ("1E-4", 1e-4), ("1e4", 1e4), ("+1e5", 1e5), ("-1e-3", -1e-3),
        (".5e-3", 5e-4), ("5.e-3", 5e-3), ("1.0e-4", 1e-4), ("1_000", 1000), ("1_0.5", 10.5),
        ("0x1F", 31), ("0o17", 15), ("010", 10), ("-3", -3), ("1.", 1.0),
    ],
)  # fmt: skip
def test_numbers_are_those_of_yaml_1_2(read: Any, text: str, number: float) -> None:
    more = f"\n  deep: {{list: [{text}, {{inner: {text}}}], quoted: '{text}'}}"
    found = read(WESPEAKER, {"feat_dim: 64": f"feat_dim: 64{more}"})
    wanted = {"list": [number, {"inner": number}], "quoted": text}
    assert found.model["arguments"]["deep"] == wanted
    assert type(found.model["arguments"]["deep"]["list"][0]) is type(number)


@pytest.mark.parametrize("text", ["1:30", "2024-01-01", "1e", "e5", "1.2.3", "0x", "+", "."])
def test_what_is_no_number_of_yaml_1_2_is_text(read: Any, text: str) -> None:
    found = read(WESPEAKER, {"feat_dim: 64": f"feat_dim: 64\n  more: [{text}]"})
    assert found.model["arguments"]["more"] == [text]


def test_numbers_without_a_point_are_numbers_of_the_recipe(read: Any) -> None:
    changes = {"0.0002": "2e-4", "final_lr: 0.0001": "final_lr: 1e-4", "size: 96": "size: 9.6e1"}
    changes |= {"feat_dim: 64": "feat_dim: 6.4e1"}
    assert read(WESPEAKER, changes) == read(WESPEAKER)


def test_an_argument_that_is_null_is_left_out_and_named(read: Any) -> None:
    found = read(WESPEAKER, {"feat_dim: 64": "feat_dim: 64\n  more: null\n  deep: [1, null]"})
    assert found.model == read(WESPEAKER).model
    assert left(found).keys() >= {"model_args.more", "model_args.deep"}


def test_a_key_that_is_given_twice_alike_is_read(read: Any) -> None:
    assert read(f"{WESPEAKER}seed: 0x1\nenable_amp: false\n") == read(WESPEAKER)


def test_what_anchors_and_merges_stand_for_is_read(read: Any) -> None:
    text = "all: &all {embed_dim: 256, pooling_func: TSTP}\nmodel_args: {<<: *all, feat_dim: 64}\n"
    parts = WESPEAKER.split("model_args:")
    without = parts[0] + parts[1].split('"TSTP"')[1]
    assert read(text + without).model == read(WESPEAKER).model


def test_no_file_and_no_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_recipe(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="make a name"):
        read_recipe(tmp_path / "absent.yaml", name="a/b")


def test_yaml_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "recipe.yaml", tmp_path / "executed"
    path.write_text(f"model: !!python/object/apply:os.mkdir ['{trace}']\n")
    with pytest.raises(ConfigError, match="not plain YAML"):
        read_recipe(path)
    assert not trace.exists()
    yaml.unsafe_load(path.read_text())
    assert trace.exists(), "the file would have done it"


@pytest.mark.parametrize(
    ("variable", "pattern", "least"),
    [
        ("WESPEAKER", "examples/*/v2/conf/*.yaml", 20),
        ("THREED_SPEAKER", "egs/*/sv-[!rs]*/conf/*.yaml", 15),
    ],
)
def test_the_recipes_of_a_checkout(variable: str, pattern: str, least: int) -> None:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(f"${variable} names no checkout")
    found = [read_recipe(path) for path in sorted(Path(folder).glob(pattern))]
    assert len(found) >= least
    assert [each for one in found for each in one.left if each.why == UNKNOWN] == []
    assert all(isinstance(one.check(), Recipe) for one in found)


def _leaves(document: dict[str, Any], where: str = "") -> list[str]:
    names = []
    for key, value in document.items():
        inner = isinstance(value, dict) and value
        names += _leaves(value, f"{where}{key}.") if inner else [f"{where}{key}"]
    return names
