"""Match of a checkpoint's weights with a network, under the names that other projects use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from harness.config.imports import construct
from harness.errors import ConfigError, RequestError, nearest, quoted
from harness.train.checkpoint import load_weights

if TYPE_CHECKING:
    from harness.train.system import System

COUNTER = "num_batches_tracked"
"""A batch norm's count of training steps: no output rests on it, and some projects leave it out."""

MOST_NAMED = 8
"""Names of a file that a message shows."""

MOST_COMPARED = 2000
"""Names of a file among which the nearest is looked for."""

CLASSIFIERS = frozenset(
    {"projection", "classifier", "classification", "head", "fc", "loss", "criterion", "output"}
    | {"speaker_classifier", "softmax", "arcface", "weight", "bias"}
)
"""Names of classifiers at the top of a state dict, in files that hold a training's."""


FRONT_END = "spec.torchfbank."
"""Start of the names under which ReDimNet's checkpoints hold the constants of their filterbanks."""


@dataclass(frozen=True)
class MatchedWeights:
    """Weights as a network wants them.

    Attributes:
        weights: all that it wants, by its own names.
        unused: number of weights that it has no place for, by the top of their names.
    """

    weights: dict[str, Tensor]
    unused: Mapping[str, int]

    @property
    def note(self) -> str:
        """The unused weights in one line; empty if all were used."""
        parts = [f"{_plain(name)} ({count})" for name, count in sorted(self.unused.items())]
        more = [f"{len(parts) - MOST_NAMED} more"] if len(parts) > MOST_NAMED else []
        said = ", ".join(parts[:MOST_NAMED] + more)
        return f"weights of the checkpoint that its network does not use: {said}" if said else ""


def match_weights(
    weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], where: str
) -> MatchedWeights:
    """Match a checkpoint with a network.

    Args:
        weights: the checkpoint's, under names of its own: with a prefix before all of them
            (`embedding_model.`, `0.`), and 3D-Speaker's within ERes2Net.
        wanted: the network's state dict.
        where: the file, for the error.

    Raises:
        RequestError: weights are missing, have another shape, or there are more of the network.
    """
    start = _prefix(weights, wanted)
    names = _names(weights, wanted, start)
    missing = sorted(name for name, theirs in names.items() if theirs not in weights)
    if missing:
        near = nearest(missing[0], map(_plain, islice(weights, MOST_COMPARED)))[:200]
        raise RequestError(
            f"{where}: {len(missing)} of {len(wanted)} weights are missing, the first "
            f"{missing[0]!r}; {near}"
        )
    for name, theirs in names.items():
        _check_alike(name, weights[theirs], wanted[name], where)
    unused = sorted(name for name in set(weights) - set(names.values()) if not _is_counter(name))
    _check_unused(unused, start, {name.partition(".")[0] for name in wanted}, where)
    own = {name: value for name, value in wanted.items() if name not in names}
    return MatchedWeights(
        own | {name: weights[theirs] for name, theirs in names.items()},
        Counter(name.removeprefix(start).partition(".")[0] for name in unused),
    )


def give_weights(system: System, checkpoint: Path, *, needs_head: bool) -> MatchedWeights:
    """Give a system the weights of a file: those of a whole system, or of a network alone.

    Args:
        system: receives them.
        checkpoint: the file.
        needs_head: whether logits are asked for, which a network alone has none of.

    Returns:
        What was matched; its note names weights that were not used.

    Raises:
        RequestError: names are missing, have another shape, or are those of another network.
    """
    weights = load_weights(checkpoint)
    is_whole = any(name.startswith("trunk.") for name in weights)
    if needs_head and not is_whole:
        raise RequestError(
            f"{checkpoint}: holds a network without a head (no name begins with 'head.'), and "
            "the head's logits are asked for; give weights that the harness trained"
        )
    module = system if is_whole else system.trunk
    fit = match_weights(weights, module.state_dict(), str(checkpoint))
    module.load_state_dict(fit.weights)
    return fit


def has_places(
    adapter: str, fields: dict[str, Any], weights: Mapping[str, Tensor], where: str
) -> bool:
    """Return True if a model has a place of the right shape for each weight of a network.

    The model is not built in memory.

    Args:
        adapter: import path of the model.
        fields: its fields.
        weights: the checkpoint's.
        where: the model's table.
    """
    try:
        model = construct(adapter, fields, where)
        with torch.device("meta"):
            wanted = model.build().state_dict()
        match_weights(weights, wanted, where)
    except (ConfigError, RequestError):  # it cannot be built here, or is another network
        return False
    except RuntimeError:  # it needs numbers to be built, which the meta device has none of
        return False
    return True


def _names(
    weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], start: str
) -> dict[str, str]:
    """Return the checkpoint's name of each weight but counters, whether it is there or not."""
    names = {name: start + name for name in wanted if not _is_counter(name)}
    if all(name in weights for name in names.values()):
        return names
    # 3D-Speaker's: WeSpeaker's `conv2_1` and `convs.i` are its `convs` 0 and i + 1. It calls them
    # so only in the blocks that fuse by attention.
    fused = {name.partition("conv2_1.")[0] for name in names if "conv2_1." in name}
    return {
        name: start + (_shift(name) if any(name.startswith(block) for block in fused) else name)
        for name in names
    }


def _shift(name: str) -> str:
    first = re.sub(r"\b(conv|bn)2_1\.", r"\1s.0.", name)
    if first != name:
        return first
    return re.sub(r"\b(convs|bns)\.(\d+)\.", lambda m: f"{m[1]}.{int(m[2]) + 1}.", name)


def _is_counter(name: str) -> bool:
    return name.rpartition(".")[2] == COUNTER


def _check_alike(name: str, found: Tensor, own: Tensor, where: str) -> None:
    """Refuse a weight of another shape than its place, or one that was quantised."""
    if found.shape != own.shape:
        raise RequestError(
            f"{where}: {name} has shape {tuple(found.shape)}, the network {tuple(own.shape)}"
        )
    if own.is_floating_point() and not found.is_floating_point():
        raise RequestError(
            f"{where}: {name} holds {str(found.dtype).removeprefix('torch.')}, the network "
            "floating-point numbers; give the weights before they were quantised"
        )


def _plain(name: str) -> str:
    """Return a name of a file as a message shows it: bounded, and nothing of it raw."""
    return name if re.fullmatch(r"[\w.-]{1,80}", name) else quoted(name)


def _prefix(weights: Mapping[str, Tensor], wanted: Iterable[str]) -> str:
    """Return the prefix that most names of the network have in the file."""
    ends = set(wanted)
    found = Counter({"": 0})
    for name in weights:
        parts = name.split(".")
        for place in range(len(parts)):
            if ".".join(parts[place:]) in ends:
                found["".join(f"{part}." for part in parts[:place])] += 1
    return max(found, key=lambda start: (found[start], -len(start)))


def _check_unused(unused: list[str], start: str, own: set[str], where: str) -> None:
    """Refuse weights of the network that this one has not: it would compute something else."""
    inside = [name.removeprefix(start) for name in unused if name.startswith(start)]
    inside = [name for name in inside if not name.startswith(FRONT_END)]
    tops = [name.partition(".")[0] for name in inside]
    more = [
        name for name, top in zip(inside, tops, strict=True) if top in own or top not in CLASSIFIERS
    ]
    if more:
        raise RequestError(
            f"{where}: holds {len(more)} weights that the network has no place for, the first "
            f"{quoted(more[0])}: it is of another network (a classifier is called "
            f"{', '.join(sorted(CLASSIFIERS)[:3])}, ... ; take other weights out of the file)"
        )
