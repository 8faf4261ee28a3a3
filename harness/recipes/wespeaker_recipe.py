"""WeSpeaker's recipes: `examples/*/v2/conf/*.yaml`, and `config.yaml` of a folder it trained in."""

from __future__ import annotations

import re
from typing import Any

from harness.errors import ConfigError, quoted
from harness.recipes.converted import Converted, Table, collect_tables
from harness.recipes.parameters import SPEEDS, Parameters, cosine, optimizer, round_number
from harness.recipes.wespeaker_systems import loss, model

ELSEWHERE = "which corpus, and where it lies: `[datasets]` says it"
LOADING = "how inputs are loaded: `--data-workers` says it"

REASONS = (
    ("exp_dir", "where runs lie: `--runs` says it"),
    ("seed", "seeds are a suite's: `profiles.quick.seeds`"),
    ("save_epoch_interval", "resume points are evenly spaced: `checkpoints`"),
    ("log_batch_interval", "the loop's own log"),
    ("dataloader_args.drop_last", "a step always has a whole batch"),
    ("dataloader_args.*", LOADING),
    ("dataset_args.shuffle*", "items are always shuffled, all of them"),
    ("dataset_args.filter", "no item is left out, or cut, for its length"),
    ("dataset_args.filter_args.*", "no item is left out, or cut, for its length"),
    ("dataset_args.sample_num_per_epoch", "an epoch is the training split"),
    ("dataset_args.speed_perturb_mode", "each crop has one speed, drawn at random"),
    ("dataset_args.spec_aug_args.*", "spec_aug is off"),
    ("dataset_args.*_args.*", "features of a pretrained network have no place"),
    ("dataset_args.frontend", "features of a pretrained network have no place"),
    ("*_data", ELSEWHERE),
    ("train_label", ELSEWHERE),
    ("data_type", ELSEWHERE),
    ("*.num_class", "the training split's speakers give it"),
    ("*.epoch_iter", "the training split's items give it"),
    ("scheduler_args.num_epochs", "epochs, said again"),
    ("scheduler_args.scale_ratio", "GPUs and batch give it: `--gpus`"),
    ("projection_args.embed_dim", "the model gives it"),
    ("projection_args.do_lm", "do_lm, said again"),
    ("projection_args.margin", "WeSpeaker does not read it: margin_update sets the margin"),
    ("checkpoint", "a run goes on by itself"),
)


RATES = {
    "ExponentialDecrease": "exponential",
    "TriAngular2": "cyclic",
    "WarmupCosineScheduler": "cosine",
}
"""WeSpeaker's schedules, and the shape that each is here."""

ARGS = "scheduler_args"


def convert(document: dict[str, Any], name: str, gpus: int | None) -> Converted:
    """Convert a recipe of WeSpeaker to this project's tables.

    Args:
        document: the file.
        name: name of the tables.
        gpus: number of GPUs that it trains on; None takes the number in the file.

    Raises:
        ConfigError: it lacks what every recipe has.
    """
    given = Parameters(document)
    notes: list[str] = []
    epochs = given.divisor("num_epochs")
    many = _gpus(given, gpus, notes)
    batch = given.whole("dataloader_args.batch_size")
    recipe: Table = {"track": "recipe", "epochs": epochs, "batch": many * batch}
    if many > 1:
        recipe["micro_batch"] = batch
        notes.append(f"micro_batch: batch norm counts the {batch} items of one GPU")
    recipe["crop_seconds"] = _crop(given)
    rate = _learning_rate(given, epochs, many * batch / 64, notes)
    recipe |= {"optimizer": _optimizer(given, rate.pop("lr")), "learning_rate": rate}
    head, schedules = loss(given, epochs, notes)
    recipe |= {"schedules": schedules, "augment": _augment(given, notes)}
    recipe |= _ending(given, epochs)
    network = model(given, notes)
    _leave(given)
    return collect_tables("WeSpeaker", name, (recipe, network, head), notes, given)


def _gpus(given: Parameters, asked: int | None, notes: list[str]) -> int:
    listed = given.take("gpus", [0])
    if isinstance(listed, str) and re.fullmatch(r"\[?[\d\s,]+\]?", listed):
        listed = re.findall(r"\d+", listed)
    if not isinstance(listed, list | int) or listed == []:
        raise ConfigError(f"gpus: a list of numbers must be given (found {quoted(listed)})")
    many = asked or (len(listed) if isinstance(listed, list) else 1)
    said = (
        "as --gpus says" if asked else "as the file says" if "gpus" in given else "none are named"
    )
    notes.append(f"on {many} GPU{'s' * (many != 1)}, {said}")
    return many


def _crop(given: Parameters) -> float:
    """Return the seconds of a chunk of so many frames, as WeSpeaker's dataset cuts it."""
    frames = given.number("dataset_args.num_frms", 200)
    shift = given.number("dataset_args.fbank_args.frame_shift", 10)
    length = given.number("dataset_args.fbank_args.frame_length", 25)
    if (shift, length) != (10, 25):
        why = "the adapters' filterbanks have frames of 25 ms every 10 ms"
        given.refuse("dataset_args.fbank_args.frame_shift", why)
        given.refuse("dataset_args.fbank_args.frame_length", why)
    return float(round(((frames - 1) * shift + length) / 1000, 6))


def _optimizer(given: Parameters, lr: float) -> Table:
    name = given.name("optimizer", "SGD")
    return optimizer(given, "optimizer", name, "optimizer_args", lr)


def _augment(given: Parameters, notes: list[str]) -> Table:
    found: Table = {}
    large_margin = given.flag("do_lm")
    if given.flag("dataset_args.speed_perturb"):
        if large_margin:
            notes.append(
                "do_lm: speeds are over, while the classifier keeps its rows: use this recipe as "
                "the `fine_tune` of another (--fine-tune)"
            )
        else:
            found["speeds"] = SPEEDS
    share = given.number("dataset_args.aug_prob", 0.0)
    if share:
        found |= {"probability": share, "noise": {}, "reverb": {}}
        notes.append(
            "noise and reverb: set their source to folders of MUSAN and of RIRS_NOISES, which "
            "WeSpeaker uses; the ones here are embedded and simulated"
        )
    return found | _masks(given)


def _masks(given: Parameters) -> Table:
    if not given.flag("dataset_args.spec_aug"):
        return {}
    where = "dataset_args.spec_aug_args"
    given.leave(f"{where}.prob", "every crop is masked")
    given.leave(f"{where}.num_*", "one band and one stretch are masked")
    return {
        "frequency_mask": given.whole(f"{where}.max_f", 8),
        "time_mask": given.whole(f"{where}.max_t", 10),
    }


def _ending(given: Parameters, epochs: float) -> Table:
    """Return the choice of the final weights, and the numbers' precision."""
    average = given.whole("num_avg", 1)
    found: Table = {"select": "last"}
    if average > 1:
        found = {"select": "average", "average_last": average, "checkpoints": round(epochs)}
    if given.flag("enable_amp"):
        found["precision"] = "16-mixed"
    return found


def _leave(given: Parameters) -> None:
    if given.number("dataset_args.resample_rate", 16000) != 16000:
        given.refuse("dataset_args.resample_rate", "sound keeps the rate of its corpus")
    if given.take("model_init") is not None:
        given.refuse("model_init", "a recipe begins with random weights")
    for pattern, why in REASONS:
        given.leave(pattern, why)


def _learning_rate(given: Parameters, epochs: float, factor: float, notes: list[str]) -> Table:
    """Return the table `learning_rate`, and `lr`, the peak.

    Args:
        given: the recipe.
        epochs: its length.
        factor: WeSpeaker multiplies rates by it: items of a step over 64.
        notes: remarks on the values are added here.
    """
    name = given.name("scheduler", "none")
    if name not in RATES:
        known = ", ".join(RATES)
        given.refuse("scheduler", f"only {known} have a place; a constant rate stands in")
        given.leave(f"{ARGS}.*", "of a schedule that has no place")
        lr = given.number("optimizer_args.lr", given.number(f"{ARGS}.initial_lr", 0.1))
        return {"lr": lr * factor, "shape": "constant", "warmup": 0.0}
    if name == "WarmupCosineScheduler":
        notes.append("optimizer.lr: this schedule of WeSpeaker's does not grow with the batch")
        found = cosine(given, ARGS, epochs, 0.1, 1e-4)
    else:
        found = _falling_rate(given, name, epochs, factor, notes)
    return {
        key: round_number(value) if isinstance(value, float) else value
        for key, value in found.items()
    }


def _falling_rate(
    given: Parameters, name: str, epochs: float, factor: float, notes: list[str]
) -> Table:
    """Convert the schedules whose rates grow with the batch."""
    initial = float(given.divisor(f"{ARGS}.initial_lr", 0.1))
    final = float(given.number(f"{ARGS}.final_lr", initial))
    warmup = given.number(f"{ARGS}.warm_up_epoch", 6) / epochs
    found: Table = {"lr": initial * factor, "shape": RATES[name], "warmup": warmup}
    found["final"] = final / initial
    peak = f"optimizer.lr: {initial:g} x {factor:g} (items of a step / 64)"
    if name == "TriAngular2":
        length = given.divisor(f"{ARGS}.cycle_step", 2)
        given.leave(f"{ARGS}.reduce_lr_diff_ratio", "all triangles are equally high")
        notes.append(peak)
        return found | {"cycles": epochs * (1 - warmup) / length}
    notes.append(f"{peak} = {initial * factor:g}")
    if not given.flag(f"{ARGS}.warm_from_zero") and warmup:
        given.refuse(f"{ARGS}.warm_from_zero", "a warm-up begins at 0")
        notes.append(f"learning_rate.warmup: begins at 0, where WeSpeaker's begins at {initial:g}")
    # The decay goes on beneath the warm-up, so that the rate never quite reaches the peak.
    return found | {"from_start": True}
