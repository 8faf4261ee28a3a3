"""Pieces of a recipe that both projects spell the same way, as this project's tables."""

from __future__ import annotations

from typing import Any

from harness.recipes.parameters import Parameters

SPEEDS = [1.0, 0.9, 1.1]
"""Both projects' factors; each speaker at another speed is another class."""

SHAPES = {"exp": "exponential", "linear": "linear"}

OPTIMIZERS = {"SGD": "sgd", "Adam": "adam", "AdamW": "adamw"}


def rounded(value: float) -> float:
    """Six digits: what a file that people read should hold."""
    return float(f"{value:.6g}")


def as_size(value: Any) -> Any:
    """A number of channels or the like: `8e1` is 80, which YAML holds as 80.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def optimizer(given: Parameters, name: str, args: str, lr: float) -> dict[str, Any]:
    """`optimizer`, of torch's class and its arguments.

    Args:
        given: the recipe.
        name: torch's class.
        args: key of the arguments.
        lr: peak learning rate.
    """
    found: dict[str, Any] = {"name": OPTIMIZERS[name], "lr": rounded(lr)}
    found["weight_decay"] = given.number(f"{args}.weight_decay", 0.01 if name == "AdamW" else 0.0)
    if name == "SGD":
        found["momentum"] = given.number(f"{args}.momentum", 0.0)
        found["nesterov"] = given.flag(f"{args}.nesterov")
    given.leave(f"{args}.lr", "the learning-rate schedule sets it")
    given.leave(f"{args}.*", "torch's own value is used")
    return found


def rise(
    *, initial: float, final: float, start: float, end: float, shape: str
) -> dict[str, Any] | None:
    """A schedule of the margin; None where it never changes.

    Args:
        initial, final: its values.
        start, end: shares of training.
        shape: `exp` or `linear`.
    """
    if initial == final:
        return None
    found: dict[str, Any] = {"shape": SHAPES[shape], "start": rounded(start), "end": rounded(end)}
    if initial:
        found["initial_value"] = initial
    return found
