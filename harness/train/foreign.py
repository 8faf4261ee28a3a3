"""Weights under the names that other projects give them, held against what a network wants."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from harness.errors import RequestError, nearest

CLASSIFIERS = frozenset(
    {"projection", "classifier", "classification", "head", "fc", "loss", "criterion", "output"}
    | {"speaker_classifier", "softmax", "arcface", "weight", "bias"}
)
"""What classifiers are called at the top of a state dict; a file that holds them trained."""


@dataclass(frozen=True)
class Fit:
    """Weights as a network wants them.

    Attributes:
        weights: all that it wants, by its own names.
        unused: what of the file it has no place for, by the top of their names.
    """

    weights: dict[str, Tensor]
    unused: Mapping[str, int]

    @property
    def note(self) -> str:
        """What was not used, in one line; empty where all was."""
        said = ", ".join(f"{name} ({count})" for name, count in sorted(self.unused.items()))
        return f"weights of the checkpoint that its network does not use: {said}" if said else ""


def fitted(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor], where: str) -> Fit:
    """Hold a checkpoint against a network.

    Args:
        weights: the checkpoint's, under names of its own: with a name of the whole before them
            (`embedding_model.`, `0.`), and 3D-Speaker's within ERes2Net.
        wanted: the network's state dict.
        where: the file, for the error.

    Raises:
        RequestError: weights are missing, have another shape, or there are more of the network.
    """
    start = _start(weights, wanted)
    names = {name: start + name for name in wanted}
    if any(name not in weights for name in names.values()):
        renamed = _renamed(wanted)
        names = {name: start + renamed[name] for name in wanted}
    missing = sorted(name for name, theirs in names.items() if theirs not in weights)
    if missing:
        raise RequestError(
            f"{where}: {len(missing)} of {len(wanted)} weights are missing, the first "
            f"{missing[0]!r}; {nearest(missing[0], weights)[:200]}"
        )
    for name, theirs in names.items():
        found, own = tuple(weights[theirs].shape), tuple(wanted[name].shape)
        if found != own:
            raise RequestError(f"{where}: {name} has shape {found}, the network {own}")
    unused = sorted(set(weights) - set(names.values()))
    _check_unused(unused, start, {name.partition(".")[0] for name in wanted}, where)
    return Fit(
        {name: weights[theirs] for name, theirs in names.items()},
        Counter(_top(name, start) for name in unused),
    )


def _start(weights: Mapping[str, Tensor], wanted: Iterable[str]) -> str:
    """What stands before all names of the network, as most of them have it."""
    ends = set(wanted)
    found = Counter({"": 0})
    for name in weights:
        parts = name.split(".")
        for place in range(len(parts)):
            if ".".join(parts[place:]) in ends:
                found["".join(f"{part}." for part in parts[:place])] += 1
    return max(found, key=lambda start: (found[start], -len(start)))


def _renamed(wanted: Iterable[str]) -> dict[str, str]:
    """3D-Speaker's names: what WeSpeaker calls `conv2_1` and `convs.i` are its `convs` 0 and i + 1.

    It calls them so only in the blocks that fuse by attention.
    """
    names = list(wanted)
    fused = {name.partition("conv2_1.")[0] for name in names if "conv2_1." in name}
    return {
        name: _shifted(name) if any(name.startswith(block) for block in fused) else name
        for name in names
    }


def _shifted(name: str) -> str:
    first = re.sub(r"\b(conv|bn)2_1\.", r"\1s.0.", name)
    if first != name:
        return first
    return re.sub(r"\b(convs|bns)\.(\d+)\.", lambda m: f"{m[1]}.{int(m[2]) + 1}.", name)


def _check_unused(unused: list[str], start: str, own: set[str], where: str) -> None:
    """Refuse weights of the network that this one has not: it would compute something else."""
    inside = [name.removeprefix(start) for name in unused if name.startswith(start)]
    tops = [name.partition(".")[0] for name in inside]
    more = [
        name for name, top in zip(inside, tops, strict=True) if top in own or top not in CLASSIFIERS
    ]
    if more:
        raise RequestError(
            f"{where}: holds {len(more)} weights that the network has no place for, the first "
            f"{more[0]!r}: it is of another network (a classifier is called "
            f"{', '.join(sorted(CLASSIFIERS)[:3])}, ... ; take other weights out of the file)"
        )


def _top(name: str, start: str) -> str:
    inside = name.removeprefix(start) if name.startswith(start) else name
    return inside.partition(".")[0]
