"""The stage `evaluate`: scores and metrics of a checkpoint, or of the baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.config.recipes import EvenCrops
from harness.errors import RequestError
from harness.records.documents import sha256_file
from harness.run.job.evaluation_files import SCORES, save_scores
from harness.run.job.looks import count_look
from harness.run.job.parts import Parts
from harness.run.job.report import Reporter
from harness.tasks.task import Side, training_lists

Outputs = Callable[[str], NDArray[np.float32]]


def run_evaluation(
    parts: Parts, checkpoint: Path | None, folder: Path, reporter: Reporter
) -> dict[str, Any]:
    """Judge a checkpoint (None: the baseline) on test, with thresholds from validation."""
    system, unused = (None, "") if checkpoint is None else _loaded(parts, checkpoint)
    outputs = _baseline(parts) if system is None else _embedded(parts, system, reporter)
    task = parts.task
    validation, test = (_side(parts, split, outputs) for split in ("validation", "test"))
    training = _training(parts, outputs) if task.scores_with_training else None
    reporter.stage("score", 1)
    looks = count_look(parts.spec, folder.name)
    scores = task.score(validation, test, training)
    judgement = task.judge(test.lists, scores)
    save_scores(folder / SCORES, scores)
    return {
        "metrics": {name: metric.model_dump() for name, metric in judgement.metrics.items()},
        "left_one_out": judgement.left_one_out,
        "notes": [*judgement.notes, *_told(parts.spec.test_crops), *filter(None, [unused])],
        "test_looks": looks.test,
        "searched": looks.configurations,
        "scores": {
            "sha256": sha256_file(folder / SCORES),
            "bytes": (folder / SCORES).stat().st_size,
        },
    }


def _told(crops: EvenCrops | None) -> list[str]:
    """What a reader must know of a row whose items were not judged whole."""
    if crops is None:
        return []
    every = "one crop" if crops.count == 1 else f"{crops.count} evenly spaced crops"
    return [
        f"items longer than {crops.seconds:g} s were judged by {every} of {crops.seconds:g} s, "
        "their outputs averaged, not as a whole"
    ]


def _side(parts: Parts, split: str, outputs: Outputs) -> Side:
    dataset = parts.dataset
    return Side(outputs(split), parts.task.lists(dataset.listing, split, dataset.left_out))


def _training(parts: Parts, outputs: Outputs) -> Side:
    dataset = parts.dataset
    return Side(outputs("train"), training_lists(dataset.listing, dataset.left_out))


def _baseline(parts: Parts) -> Outputs:
    return lambda split: parts.task.baseline(parts.dataset, split)


def _embedded(parts: Parts, system: Any, reporter: Reporter) -> Outputs:
    from harness.train.system import outputs_of

    def outputs(split: str) -> NDArray[np.float32]:
        subset = parts.dataset.subset(split)
        reporter.stage(f"evaluate {split}", len(subset))
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            reporter.advance(done)

        return outputs_of(
            system, subset, parts.task.output, parts.device, advance, crops=parts.spec.test_crops
        )

    return outputs


def _loaded(parts: Parts, checkpoint: Path) -> tuple[Any, str]:
    """The system with the checkpoint's weights, and what of them it does not use."""
    from harness.train.checkpoint import load_weights

    weights = load_weights(checkpoint)
    system = parts.system()
    if any(name.startswith("trunk.") for name in weights):
        return system, _load(system, weights, checkpoint)
    if parts.task.output == "logits":
        raise RequestError(
            f"{checkpoint}: holds a network without a head (no name begins with 'head.'), and "
            "this suite judges the head's logits; give weights that the harness trained"
        )
    return system, _load(system.trunk, weights, checkpoint)


def _load(module: Any, weights: dict[str, Any], checkpoint: Path) -> str:
    """Load what the network wants; gives the note of what the checkpoint holds beside it.

    Raises:
        RequestError: names are missing, have another shape, or are those of another network.
    """
    from harness.train.weight_matching import match_weights

    fit = match_weights(weights, module.state_dict(), str(checkpoint))
    module.load_state_dict(fit.weights)
    return fit.note
