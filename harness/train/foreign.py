"""Weights under the names that other projects give them, held against what a network wants."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from torch import Tensor

from harness.errors import RequestError, nearest, quoted

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
        parts = [f"{_plain(name)} ({count})" for name, count in sorted(self.unused.items())]
        more = [f"{len(parts) - MOST_NAMED} more"] if len(parts) > MOST_NAMED else []
        said = ", ".join(parts[:MOST_NAMED] + more)
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
    names = _names(weights, wanted)
    missing = sorted(name for name, theirs in names.items() if theirs not in weights)
    if missing:
        near = nearest(missing[0], map(_plain, islice(weights, MOST_COMPARED)))[:200]
        raise RequestError(
            f"{where}: {len(missing)} of {len(wanted)} weights are missing, the first "
            f"{missing[0]!r}; {near}"
        )
    for name, theirs in names.items():
        _check_alike(name, weights[theirs], wanted[name], where)
    start = _start(weights, wanted)
    unused = sorted(name for name in set(weights) - set(names.values()) if not _counts(name))
    _check_unused(unused, start, {name.partition(".")[0] for name in wanted}, where)
    own = {name: value for name, value in wanted.items() if name not in names}
    return Fit(
        own | {name: weights[theirs] for name, theirs in names.items()},
        Counter(_top(name, start) for name in unused),
    )


def _names(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, str]:
    """The checkpoint's name of each weight that decides something, whether it is there or not."""
    start = _start(weights, wanted)
    deciding = [name for name in wanted if not _counts(name)]
    names = {name: start + name for name in deciding}
    if any(name not in weights for name in names.values()):
        renamed = _renamed(deciding)
        names = {name: start + renamed[name] for name in deciding}
    return names


def _counts(name: str) -> bool:
    return name.rpartition(".")[2] == COUNTER


def _check_alike(name: str, found: Tensor, own: Tensor, where: str) -> None:
    """Hold a weight against its place in the network: its shape, and that it holds numbers."""
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
    """A name of a file as a message shows it: bounded, and nothing of it raw."""
    return name if re.fullmatch(r"[\w.-]{1,80}", name) else quoted(name)


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
            f"{quoted(more[0])}: it is of another network (a classifier is called "
            f"{', '.join(sorted(CLASSIFIERS)[:3])}, ... ; take other weights out of the file)"
        )


def _top(name: str, start: str) -> str:
    inside = name.removeprefix(start) if name.startswith(start) else name
    return inside.partition(".")[0]
