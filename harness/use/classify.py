"""Classes of files by a classifier, with their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from harness.errors import RequestError
from harness.use.inputs import read_in_parts
from harness.use.model_facts import ModelFacts
from harness.use.networks import Network
from harness.use.sound_warnings import SoundWarning


class PredictedClass(BaseModel):
    """One class of a file: softmax of the logits, which nothing has calibrated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    probability: float


class ClassPrediction(BaseModel):
    """The likeliest classes of a file, the likeliest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    classes: tuple[PredictedClass, ...]
    warnings: tuple[SoundWarning, ...]


def predict(network: Network, paths: Sequence[Path], top: int) -> list[ClassPrediction]:
    """Classify files.

    Args:
        network: of a classifier.
        paths: sounds or pictures.
        top: classes of each file that are given.

    Raises:
        RequestError: a file cannot be read, or the network tells no classes.
    """
    check_tells_classes(network.facts)
    classes, found = network.facts.classes, []
    for files, items in read_in_parts(paths, network.facts):
        for file, logits in zip(files, network.outputs(items), strict=True):
            shares = softmax(logits)
            best = np.argsort(-shares, kind="stable")[:top]
            likeliest = tuple(
                PredictedClass(label=classes[place], probability=float(shares[place]))
                for place in best
            )
            found.append(
                ClassPrediction(file=str(file.path), classes=likeliest, warnings=file.warnings)
            )
    return found


def check_tells_classes(facts: ModelFacts) -> None:
    """Refuse a network that is not a classifier.

    Raises:
        RequestError: it is none, or the names of its classes are not here.
    """
    if facts.output != "logits":
        raise RequestError(
            f"{facts.entry} on {facts.dataset}: its task tells no classes; use `harness compare` "
            "or `harness embed`"
        )
    if not facts.classes:
        raise RequestError(
            f"{facts.dataset}: not here, and its lists name the classes; $HARNESS_DATA names the "
            "folder of corpora"
        )


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return probabilities of `[classes]`.

    >>> softmax(np.array([0.0, 0.0], dtype=np.float32))
    array([0.5, 0.5])
    """
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shifted / shifted.sum())
