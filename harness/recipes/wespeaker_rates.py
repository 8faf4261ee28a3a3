"""WeSpeaker's learning-rate schedules as this project's."""

from __future__ import annotations

from collections.abc import Callable

from harness.recipes.converted import Table
from harness.recipes.parameters import Parameters
from harness.recipes.values import rounded

Rate = Callable[[Parameters, float, float, list[str]], Table]

ARGS = "scheduler_args"


def learning_rate(given: Parameters, epochs: float, factor: float, notes: list[str]) -> Table:
    """`learning_rate`, and `lr`, the peak.

    Args:
        given: the recipe.
        epochs: its length.
        factor: what WeSpeaker multiplies rates by: items of a step over 64.
        notes: what a reader must know is added here.
    """
    name = given.name("scheduler", "none")
    if name not in RATES:
        given.refuse(
            "scheduler", f"only {', '.join(RATES)} have a place; a constant rate stands in"
        )
        given.leave(f"{ARGS}.*", "of a schedule that has no place")
        lr = given.number("optimizer_args.lr", given.number(f"{ARGS}.initial_lr", 0.1))
        return {"lr": lr * factor, "shape": "constant", "warmup": 0.0}
    found = RATES[name](given, epochs, factor, notes)
    return {key: rounded(value) if isinstance(value, float) else value
            for key, value in found.items()}  # fmt: skip


def _exponential(given: Parameters, epochs: float, factor: float, notes: list[str]) -> Table:
    """The decay goes on beneath the warm-up, so that the rate never quite reaches the peak."""
    initial, final, warmup = _common(given, epochs)
    notes.append(
        f"optimizer.lr: {initial:g} x {factor:g} (items of a step / 64) = {initial * factor:g}"
    )
    if not given.flag(f"{ARGS}.warm_from_zero") and warmup:
        given.refuse(f"{ARGS}.warm_from_zero", "a warm-up begins at 0")
        notes.append(f"learning_rate.warmup: begins at 0, where WeSpeaker's begins at {initial:g}")
    return {"lr": initial * factor, "shape": "exponential", "warmup": warmup,
            "final": final / initial, "from_start": True}  # fmt: skip


def _triangles(given: Parameters, epochs: float, factor: float, notes: list[str]) -> Table:
    initial, final, warmup = _common(given, epochs)
    length = given.divisor(f"{ARGS}.cycle_step", 2)
    given.leave(f"{ARGS}.reduce_lr_diff_ratio", "all triangles are equally high")
    notes.append(f"optimizer.lr: {initial:g} x {factor:g} (items of a step / 64)")
    cycles = epochs * (1 - warmup) / length
    return {"lr": initial * factor, "shape": "cyclic", "warmup": warmup,
            "final": final / initial, "cycles": cycles}  # fmt: skip


def _cosine(given: Parameters, epochs: float, factor: float, notes: list[str]) -> Table:
    del factor
    top, low = given.divisor(f"{ARGS}.max_lr", 0.1), given.number(f"{ARGS}.min_lr", 1e-4)
    if given.number(f"{ARGS}.fix_epoch", epochs) != epochs:
        given.refuse(f"{ARGS}.fix_epoch", "a cosine lasts until the end of training")
    notes.append("optimizer.lr: this schedule of WeSpeaker's does not grow with the batch")
    warmup = given.number(f"{ARGS}.warmup_epoch", 0) / epochs
    return {"lr": top, "shape": "cosine", "warmup": warmup, "final": low / top}


def _common(given: Parameters, epochs: float) -> tuple[float, float, float]:
    initial = float(given.divisor(f"{ARGS}.initial_lr", 0.1))
    final = float(given.number(f"{ARGS}.final_lr", initial))
    return initial, final, given.number(f"{ARGS}.warm_up_epoch", 6) / epochs


RATES: dict[str, Rate] = {
    "ExponentialDecrease": _exponential,
    "TriAngular2": _triangles,
    "WarmupCosineScheduler": _cosine,
}
