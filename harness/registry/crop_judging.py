"""A record's test embedded again in crops of several lengths and numbers, and judged.

That is one more use of the test set, and logged as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.dataset import OpenDataset, open_dataset
from harness.datasets.lengths import frame_count, least_frames
from harness.datasets.packing.pack_request import MessageCallback
from harness.errors import RequestError
from harness.measure.device import choose_device
from harness.records.documents import readable_json
from harness.records.files import write_text
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.crop_curve import CURVE, CropCurve, CropPoint, crop_key, settings
from harness.registry.rescoring import (
    NotHereError,
    Rescoring,
    UnusableError,
    difference_from_artefact,
    find_rescoring,
)
from harness.run.job.evaluate_stage import log_use, use_of
from harness.run.job.results import stage_folder
from harness.tasks.task import Side, training_lists
from harness.tasks.verification import Verification
from harness.train.training_progress import FINAL

if TYPE_CHECKING:
    import torch

    from harness.train.system import System


def keep_crop_curve(
    loaded: LoadedBenchmark, path: Path, runs: Path, tell: MessageCallback
) -> CropCurve:
    """Judge a record's test by crops, and keep the curve in its stage `evaluate`.

    Args:
        loaded: the benchmark that the record was made with.
        path: the record of a training, in the folder of runs.
        runs: that folder, with the stages of the record.
        tell: receives what is done, for a person who waits.

    Raises:
        RequestError: its weights or its scores are not here, or its test is not of sound that is
            judged on trials.
    """
    record = read_record(path)
    evidence, weights = _needed(loaded, record, path, runs)
    log_use(path.parents[2], use_of(record, f"test-crops-{crop_key(record)[:16]}"))
    dataset = open_dataset(
        loaded,
        evidence.listing,
        runs / "cache",
        leave_out_damaged=bool(record.dataset.left_out),
        keep_damaged_pack=True,
        tell=tell,
    )
    dataset = replace(dataset, left_out=record.dataset.left_out)
    points = tuple(_points(record, evidence, dataset, weights, tell))
    curve = CropCurve(key=crop_key(record), points=points)
    write_text(
        stage_folder(runs, "evaluate", record.stages["evaluate"].key) / CURVE,
        readable_json(curve.model_dump(mode="json")),
    )
    return curve


def _needed(
    loaded: LoadedBenchmark, record: Record, path: Path, runs: Path
) -> tuple[Rescoring, Path]:
    """Return a record's lists and task, and the file of its weights."""
    try:
        evidence = find_rescoring(loaded, record, path)
    except (NotHereError, UnusableError) as error:
        raise RequestError(f"{path}: {error}") from error
    if not isinstance(evidence.task, Verification) or evidence.listing.corpus.kind != "audio":
        raise RequestError(
            f"{path}: --test-crops cuts sound that is judged on trials; leave it out"
        )
    weights = stage_folder(runs, "train", record.stages["train"].key) / FINAL
    if not weights.is_file():
        raise RequestError(f"{weights}: not here; crops are embedded by the record's weights")
    if reason := difference_from_artefact(weights, record, "checkpoint"):
        raise RequestError(reason)
    return evidence, weights


def _points(
    record: Record,
    evidence: Rescoring,
    dataset: OpenDataset,
    weights: Path,
    tell: MessageCallback,
) -> Iterator[CropPoint]:
    from harness.train.system import outputs_of

    task: Any = evidence.task
    system, device = _system(record, weights)
    test = dataset.subset("test")
    seconds = np.array([test.length(row) for row in range(len(test))]) / SAMPLE_RATE

    def is_long_enough(length: float) -> bool:
        frames = frame_count(system.declared, round(length * SAMPLE_RATE))
        return frames >= least_frames(system.declared)

    training = None
    if task.scores_with_training:
        outputs = outputs_of(system, dataset.subset("train"), task.output, device)
        training = Side(outputs, training_lists(dataset.listing, dataset.left_out))
    for crops in settings(seconds, is_long_enough):
        told = f"{crops.count} x {crops.seconds:g} s" if crops else "whole utterances"
        tell(f"{record.entry}: the test in crops, {told}")
        side = Side(outputs_of(system, test, task.output, device, crops=crops), evidence.lists)
        judged = task.judge(evidence.lists, task.score_alone(side, training))
        yield CropPoint(
            seconds=crops.seconds if crops else None,
            count=crops.count if crops else 1,
            longer=float((seconds > crops.seconds).mean()) if crops else 1.0,
            metric=judged.metrics[task.primary],
        )


def _system(record: Record, weights: Path) -> tuple[System, torch.device]:
    """Return the record's network with its weights, and the device that it is on."""
    import torch

    from harness.train.checkpoint import load_weights
    from harness.train.system import System
    from harness.train.weight_matching import match_weights

    model = construct(record.model.adapter, record.model.fields, record.model.name)
    system, device = System(model, None, 0), torch.device(choose_device("auto"))
    fit = match_weights(load_weights(weights), system.state_dict(), str(weights))
    system.load_state_dict(fit.weights)
    return system.to(device), device
