"""WeSpeaker's networks and projections as this project's models and losses."""

from __future__ import annotations

from typing import Any

from harness.recipes.converted import Table
from harness.recipes.parameters import Parameters, as_size, margin_schedule

NATIVE: dict[str, dict[str, tuple[str, Table]]] = {
    "CAMPPlus": {"TSTP": ("CamPlusPlus", {})},
    "ERes2Net34_Base": {"TSTP": ("ERes2Net", {"channels": 32})},
    "ERes2Net34_Large": {"TSTP": ("ERes2Net", {"channels": 64})},
    "ECAPA_TDNN_GLOB_c512": {"ASTP": ("EcapaTdnnGlob", {"channels": 512})},
    "ECAPA_TDNN_GLOB_c1024": {"ASTP": ("EcapaTdnnGlob", {"channels": 1024})},
    "ResNet34": {
        "TSTP": ("ResNet34", {}),
        "ASTP": ("AttentiveResNet34", {"pooling": "astp"}),
        "MQMHASTP": ("AttentiveResNet34", {"pooling": "mqmhastp"}),
    },
    "XVEC": {"TSTP": ("XVector", {"pooling": "tstp"}), "ASTP": ("XVector", {"pooling": "astp"})},
}
"""Network -> pooling -> class of `adapters.wespeaker` and its fields, embedding and bins apart."""

PLAIN = {"two_emb_layer": False, "emb_bn": False}
"""Arguments that the networks written here have no other value of."""

PROJECTIONS: dict[str, tuple[str, dict[str, tuple[str, Any]]]] = {
    "arc_margin": ("adapters.losses:AamSoftmax", {"easy_margin": ("easy_margin", False)}),
    "add_margin": ("adapters.losses:AmSoftmax", {}),
    "arc_margin_intertopk_subcenter": (
        "adapters.losses:SubcenterAam",
        {"K": ("sub_centers", 3), "k_top": ("top_k", 5), "mp": ("inter_margin", 0.06)},
    ),
    "sphereface2": (
        "adapters.class_losses:SphereFace2",
        {"t": ("exponent", 3), "lanbuda": ("balance", 0.7), "margin_type": ("margin_type", "C")},
    ),
}
"""Projection -> loss, and its parameters: the field that each is here, and WeSpeaker's default."""


def model(given: Parameters, notes: list[str]) -> Table | None:
    """Return `[models.NAME]`: a network written here if there is one, else WeSpeaker's own."""
    if given.name("dataset_args.frontend", "fbank") != "fbank":
        for key in ("dataset_args.frontend", "model"):
            given.refuse(key, "features of a pretrained network have no place")
        given.leave("model_args.*", "of a network on such features")
        given.leave("dataset_args.cmvn*", "of such features")
        return None
    network = given.name("model")
    arguments = given.table("model_args")
    _check_front_end(given, arguments)
    native = _native(network, arguments)
    if native is not None:
        return native
    notes.append(
        f"model: {network} is WeSpeaker's own, built from a checkout: give `checkout`, set "
        "$WESPEAKER, or install the package"
    )
    path = "adapters.upstream:WeSpeakerNetwork"
    return {"adapter": path, "network": network, "arguments": arguments}


def _native(network: str, arguments: Table) -> Table | None:
    """Return the network written here that computes the same; None if there is none."""
    pooling = str(arguments.get("pooling_func", ""))
    class_name, fields = NATIVE.get(network, {}).get(pooling, ("", {}))
    sizes = {"feat_dim", "embed_dim", "pooling_func"}
    others = {key: value for key, value in arguments.items() if key not in sizes}
    plain = all(key in PLAIN and value == PLAIN[key] for key, value in others.items())
    if not class_name or not sizes <= arguments.keys() or not plain:
        return None
    path = f"adapters.wespeaker:{class_name}"
    size, bins = as_size(arguments["embed_dim"]), as_size(arguments["feat_dim"])
    return {"adapter": path, "embedding_size": size, "bins": bins, **fields}


def loss(given: Parameters, epochs: float, notes: list[str]) -> tuple[Table | None, Table]:
    """Return `[losses.NAME]`, and the recipe's `schedules` of its values."""
    kind = given.name("projection_args.project_type")
    if given.name("loss", "CrossEntropyLoss") != "CrossEntropyLoss":
        given.refuse("loss", "a projection is always judged by its cross-entropy")
    given.take("loss_args")
    if kind == "softmax":
        notes.append("loss: WeSpeaker's softmax has a batch norm and a ReLU before its classifier")
        given.leave("margin*", "a softmax has no margin")
        given.leave("projection_args.*", "a softmax has none of it")
        return {"adapter": "adapters.losses:Softmax"}, {}
    if kind not in PROJECTIONS:
        given.refuse("projection_args.project_type", f"only {', '.join(PROJECTIONS)} have a place")
        given.leave("projection_args.*", "of a projection that has no place")
        given.leave("margin*", "of a projection that has no place")
        return None, {}
    return _margin_loss(given, kind, epochs)


def _margin_loss(given: Parameters, kind: str, epochs: float) -> tuple[Table, Table]:
    where = "projection_args"
    adapter, fields = PROJECTIONS[kind]
    table: Table = {"adapter": adapter, "scale": given.number(f"{where}.scale", 32.0)}
    for theirs, (ours, default) in fields.items():
        table[ours] = given.like(f"{where}.{theirs}", default)
    given.leave(f"{where}.easy_margin", "this loss has no such choice")
    final, schedules = _margin(given, epochs)
    table["margin"] = final
    if kind == "arc_margin_intertopk_subcenter":
        _follow(table, schedules, large_margin=given.flag("do_lm"))
    return table, schedules


def _margin(given: Parameters, epochs: float) -> tuple[float, Table]:
    """Return the full margin and its rise; WeSpeaker counts epochs from 1."""
    where = "margin_update"
    initial = given.number(f"{where}.initial_margin", 0.0)
    if not given.flag(f"{where}.update_margin", otherwise=True):
        given.leave("margin*", "update_margin is off: the margin stays as it is")
        return float(initial), {}
    final = given.number(f"{where}.final_margin", 0.2)
    given.take("margin_scheduler")
    keys = "increase_start_epoch", "fix_start_epoch"
    schedules = margin_schedule(given, where, epochs, (initial, final), keys, first=1)
    return float(final), schedules


def _follow(table: Table, schedules: Table, *, large_margin: bool) -> None:
    """Set the penalty of near classes: it rises with the margin, and is off in a fine-tuning."""
    table["inter_margin"] = 0.0 if large_margin else table["inter_margin"] * table["margin"] / 0.2
    if "margin" in schedules and not large_margin:
        schedules["inter_margin"] = dict(schedules["margin"])


def _check_front_end(given: Parameters, arguments: Table) -> None:
    """Compare the filterbanks with those of the adapters: 80 bins, mean off, dither in training."""
    where = "dataset_args.fbank_args"
    bins = given.number(f"{where}.num_mel_bins", 80)
    if bins != arguments.get("feat_dim", bins):
        given.refuse(f"{where}.num_mel_bins", "model_args.feat_dim says another number")
    if given.number(f"{where}.dither", 1.0) != 1.0:
        given.refuse(f"{where}.dither", "the adapters' filterbanks dither with 1.0 in training")
    for key, wanted in (
        ("cmvn", True),
        ("cmvn_args.norm_mean", True),
        ("cmvn_args.norm_var", False),
    ):
        if given.flag(f"dataset_args.{key}", otherwise=wanted) != wanted:
            given.refuse(f"dataset_args.{key}", "the adapters' filterbanks lose their mean alone")
