"""The stage `evaluate`: scores and metrics of a checkpoint, or of the baseline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import RequestError, nearest
from harness.job.evaluation_files import SCORES, save_scores
from harness.job.looks import count_look
from harness.job.parts import Parts
from harness.job.report import Reporter
from harness.records.canonical import sha256_file
from harness.tasks.task import Side

Outputs = Callable[[str], NDArray[np.float32]]


def run_evaluation(
    parts: Parts, checkpoint: Path | None, folder: Path, reporter: Reporter
) -> dict[str, Any]:
    """Judge a checkpoint (None: the baseline) on test, with thresholds from validation."""
    outputs = _baseline(parts) if checkpoint is None else _embedded(parts, checkpoint, reporter)
    task = parts.task
    validation, test = (_side(parts, split, outputs) for split in ("validation", "test"))
    training = _side(parts, "train", outputs) if task.scores_with_training else None
    reporter.stage("score", 1)
    looks = count_look(parts.spec, folder.name)
    scores = task.score(validation, test, training)
    judgement = task.judge(test.lists, scores)
    save_scores(folder / SCORES, scores)
    return {
        "metrics": {name: metric.model_dump() for name, metric in judgement.metrics.items()},
        "left_one_out": judgement.left_one_out,
        "notes": list(judgement.notes),
        "test_looks": looks.test,
        "searched": looks.configurations,
        "scores": {
            "sha256": sha256_file(folder / SCORES),
            "bytes": (folder / SCORES).stat().st_size,
        },
    }


def _side(parts: Parts, split: str, outputs: Outputs) -> Side:
    dataset = parts.dataset
    return Side(outputs(split), parts.task.lists(dataset.listing, split, dataset.left_out))


def _baseline(parts: Parts) -> Outputs:
    return lambda split: parts.task.baseline(parts.dataset, split)


def _embedded(parts: Parts, checkpoint: Path, reporter: Reporter) -> Outputs:
    from harness.train.system import outputs_of

    system = _loaded(parts, checkpoint)

    def outputs(split: str) -> NDArray[np.float32]:
        subset = parts.dataset.subset(split)
        reporter.stage(f"evaluate {split}", len(subset))
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            reporter.advance(done)

        return outputs_of(system, subset, parts.task.output, parts.device, advance)

    return outputs


def _loaded(parts: Parts, checkpoint: Path) -> Any:
    from harness.train.checkpoint import load_weights

    weights = load_weights(checkpoint)
    system = parts.system()
    if any(name.startswith("trunk.") for name in weights):
        _load(system, weights, checkpoint)
    elif parts.task.output == "logits":
        raise RequestError(
            f"{checkpoint}: holds a network without a head (no name begins with 'head.'), and "
            "this suite judges the head's logits; give weights that the harness trained"
        )
    else:
        _load(system.trunk, weights, checkpoint)
    return system


def _load(module: Any, weights: dict[str, Any], checkpoint: Path) -> None:
    """Load what the network wants; a checkpoint may hold more (a classifier), never less.

    Raises:
        RequestError: names are missing or have another shape.
    """
    wanted = module.state_dict()
    missing = sorted(set(wanted) - set(weights))
    if missing:
        hint = nearest(missing[0], weights)
        raise RequestError(
            f"{checkpoint}: {len(missing)} of {len(wanted)} weights are missing, the first "
            f"{missing[0]!r}; {hint[:200]}"
        )
    for name, value in wanted.items():
        if weights[name].shape != value.shape:
            raise RequestError(
                f"{checkpoint}: {name} has shape {tuple(weights[name].shape)}, "
                f"the network {tuple(value.shape)}"
            )
    module.load_state_dict({name: weights[name] for name in wanted})
