"""3D-Speaker's recipes: `egs/*/sv-*/conf/*.yaml`."""

from __future__ import annotations

from typing import Any

from harness.recipes.converted import Converted, Table, collect_tables
from harness.recipes.parameters import (
    SPEEDS,
    UNKNOWN,
    Parameters,
    as_size,
    cosine,
    margin_schedule,
    optimizer,
    round_number,
)

MARGINS = {
    "ArcMarginLoss": "adapters.losses:AamSoftmax",
    "AddMarginLoss": "adapters.losses:AmSoftmax",
}

V2 = {
    "embedding_size": "embedding_size",
    "m_channels": "channels",
    "baseWidth": "base_width",
    "scale": "scale",
    "expansion": "expansion",
    "feat_dim": "bins",
}
"""Arguments of ERes2NetV2, and the fields of the adapter that has this project's front end."""

ELSEWHERE = "which corpus, and where it lies: `[datasets]` says it"
BUILT = "a part of 3D-Speaker's trainer, which the harness has its own of"

REASONS = (
    ("data", ELSEWHERE),
    ("noise", "where noises lie: `augment.noise.source` says it"),
    ("reverb", "where rooms lie: `augment.reverb.source` says it"),
    ("exp_dir", "where runs lie: `--runs` says it"),
    ("save_epoch_freq", "resume points are evenly spaced: `checkpoints`"),
    ("log_batch_freq", "the loop's own log"),
    ("num_workers", "how inputs are loaded: `--data-workers` says it"),
    ("num_classes", "the training split's speakers give it"),
    ("dataloader.args.drop_last", "a step always has a whole batch"),
    ("dataloader.args.*", "how inputs are loaded: `--data-workers` says it"),
    ("*.step_per_epoch", "the training split's items give it"),
    ("classifier.args.*", "the model and the training split give it"),
    ("*.obj", BUILT),
    ("label_encoder.*", BUILT),
    ("preprocessor.*", BUILT),
    ("epoch_counter.*", BUILT),
    ("dataset.*", BUILT),
    ("checkpointer.*", BUILT),
    ("augmentations.args.*", BUILT),
    ("*.params", BUILT),
    ("*.optimizer", BUILT),
    ("*.criterion", BUILT),
)


def convert(document: dict[str, Any], name: str, gpus: int | None) -> Converted:
    """Convert a recipe of 3D-Speaker to this project's tables.

    Args:
        document: the file.
        name: name of the tables.
        gpus: number of GPUs that it trains on; the file never says. Its batch is that of all.

    Raises:
        ConfigError: it lacks what every recipe has.
    """
    given = Parameters(document)
    notes: list[str] = []
    epochs = given.divisor("num_epoch")
    batch, many = given.whole("dataloader.args.batch_size"), gpus or 1
    notes.append(f"on {many} GPU{'s' * (many != 1)}, {'as --gpus says' if gpus else 'none named'}")
    recipe: Table = {"track": "recipe", "epochs": epochs, "batch": batch}
    if many > 1:
        recipe |= {"batch": batch // many * many, "micro_batch": batch // many}
        notes.append(f"micro_batch: batch norm counts the {batch // many} items of one GPU")
    recipe["crop_seconds"] = given.number("wav_reader.args.duration")
    rate = _learning_rate(given, epochs, notes)
    recipe |= {"optimizer": _optimizer(given, rate.pop("lr")), "learning_rate": rate}
    head, schedules = _loss(given, epochs)
    recipe |= {"schedules": schedules, "augment": _augment(given, notes), "select": "last"}
    network = _model(given, notes)
    _leave(given)
    return collect_tables("3D-Speaker", name, (recipe, network, head), notes, given)


def _class(given: Parameters, part: str) -> str:
    return given.name(f"{part}.obj", "none").rpartition(".")[2]


def _optimizer(given: Parameters, lr: float) -> Table:
    given.leave("optimizer.args.params", BUILT)
    given.take("optimizer.args.lr")
    name = _class(given, "optimizer")
    return optimizer(given, "optimizer.obj", name, "optimizer.args", lr)


def _learning_rate(given: Parameters, epochs: float, notes: list[str]) -> Table:
    where = "lr_scheduler.args"
    if _class(given, "lr_scheduler") != "WarmupCosineScheduler":
        given.refuse("lr_scheduler.obj", "only its cosine has a place; a constant rate stands in")
        lr = given.number(f"{where}.lr", given.number("optimizer.args.lr", 0.1))
        given.leave("lr_scheduler.*", "of a schedule that has no place")
        return {"lr": lr, "shape": "constant", "warmup": 0.0}
    found = cosine(given, where, epochs)
    low = given.number(f"{where}.min_lr")
    if found["warmup"]:
        notes.append(f"learning_rate.warmup: begins at 0, where 3D-Speaker's begins at {low:g}")
    return found | {key: round_number(found[key]) for key in ("warmup", "final")}


def _loss(given: Parameters, epochs: float) -> tuple[Table | None, Table]:
    """Return `[losses.NAME]`, and the recipe's `schedules` of its margin."""
    kind, classifier = _class(given, "loss"), _class(given, "classifier")
    if kind == "EntropyLoss" and classifier == "LinearClassifier":
        given.leave("margin_scheduler.*", "a softmax has no margin")
        given.take("loss.args")
        return {"adapter": "adapters.losses:Softmax"}, {}
    if kind not in MARGINS or classifier != "CosineClassifier":
        for part in ("loss", "classifier"):
            given.refuse(f"{part}.obj", f"only {', '.join(MARGINS)} on a CosineClassifier have one")
        given.leave("loss.*", "of a loss that has no place")
        given.leave("margin_scheduler.*", "of a loss that has no place")
        return None, {}
    table: Table = {"adapter": MARGINS[kind], "scale": given.number("loss.args.scale", 32.0)}
    if kind == "ArcMarginLoss":
        table["easy_margin"] = given.flag("loss.args.easy_margin")
    given.leave("loss.args.easy_margin", "this loss has no such choice")
    given.take("margin_scheduler.obj")
    args = "margin_scheduler.args"
    margins = given.number(f"{args}.initial_margin"), given.number(f"{args}.final_margin")
    # 3D-Speaker counts epochs from 0.
    keys = "increase_start_epoch", "fix_epoch"
    schedules = margin_schedule(given, args, epochs, margins, keys, first=0)
    given.leave("loss.args.margin", "the margin's schedule sets it")
    return {**table, "margin": margins[1]}, schedules


def _augment(given: Parameters, notes: list[str]) -> Table:
    found: Table = {}
    if given.flag("wav_reader.args.speed_pertub"):
        if given.flag("wav_reader.args.lm", otherwise=True):
            found["speeds"] = SPEEDS
        else:
            notes.append(
                "lm: speeds are over, while the classifier keeps its rows: use this recipe as the "
                "`fine_tune` of another (--fine-tune)"
            )
    share = given.number("augmentations.args.aug_prob", 0.0)
    if share:
        found |= {"probability": share, "both": True}
        found |= {"noise": {"kinds": ["noise"], "noise": [0.0, 15.0]}, "reverb": {}}
        notes.append(
            "noise and reverb: set their source to folders of MUSAN and of RIRS_NOISES, whose "
            "free sounds and real rooms 3D-Speaker uses; the ones here are embedded and simulated"
        )
    return found


def _model(given: Parameters, notes: list[str]) -> Table:
    """Return `[models.NAME]`: the network with this front end here, else 3D-Speaker's own."""
    path = given.name("embedding_model.obj")
    arguments = given.table("embedding_model.args")
    if not given.flag("feature_extractor.args.mean_nor"):
        given.refuse("feature_extractor.args.mean_nor", "the adapters' filterbanks lose their mean")
    bins = given.take("feature_extractor.args.n_mels")
    if bins is not None and bins not in arguments.values():
        given.refuse("feature_extractor.args.n_mels", "embedding_model says another number")
    if path.endswith(".ERes2NetV2") and arguments.keys() <= V2.keys():
        fields = {V2[key]: as_size(value) for key, value in arguments.items()}
        return {"adapter": "adapters.wespeaker:ERes2NetV2", **fields, "front_end": "3d-speaker"}
    notes.append(
        f"model: {path} is 3D-Speaker's own, built from a checkout: give `checkout`, or set "
        "$THREED_SPEAKER"
    )
    adapter = "adapters.upstream:ThreeDSpeakerNetwork"
    return {"adapter": adapter, "network": path, "arguments": arguments}


def _leave(given: Parameters) -> None:
    for key in ("wav_reader.args.sample_rate", "feature_extractor.args.sample_rate"):
        if given.number(key, 16000) != 16000:
            given.refuse(key, "sound keeps the rate of its corpus")
    for pattern, why in REASONS:
        given.leave(pattern, why)
    for each in given.left:
        if each.why == UNKNOWN and "." not in each.key:
            given.leave(each.key, "nothing in the file refers to it")
