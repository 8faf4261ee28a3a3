"""A run's test embedded again in crops of several lengths and numbers, and judged.

That is one more use of the test set, and logged as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.config.loader import LoadedBenchmark
from harness.config.recipes import EvenCrops
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.lengths import frame_count, least_frames
from harness.datasets.packing.pack_request import MessageCallback
from harness.errors import RequestError
from harness.measure.device import choose_device
from harness.records.documents import readable_json
from harness.records.files import write_text
from harness.records.record import Record
from harness.registry.crop_curve import CURVE, CropCurve, CropPoint, crop_key, settings
from harness.registry.rescoring import NotHereError, Rescoring, UnusableError, find_rescoring
from harness.run.folder import CACHE
from harness.run.job.evaluate_stage import log_use, use_of
from harness.run.job.results import stage_folder
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.questions import AskInput
from harness.tasks.task import Side, training_lists
from harness.tasks.verification import Verification
from harness.use.finished_run import FinishedRun, find_finished_run
from harness.use.networks import compute_outputs
from harness.use.split_items import SplitItems


def keep_crop_curve(
    loaded: LoadedBenchmark, path: Path, runs: Path, tell: MessageCallback
) -> CropCurve:
    """Judge a run's test by crops, and keep the curve in its stage `evaluate`.

    Args:
        loaded: the benchmark that the run was made with.
        path: the record of a training, in the folder of runs.
        runs: that folder, with the stages of the record.
        tell: receives what is done, for a person who waits.

    Raises:
        RequestError: its weights or its scores are not here, its test is not of sound that is
            judged on trials, or its adapter has another version than it was trained by.
        ConfigError, JobFailed: its adapter's code failed.
    """
    run = find_finished_run(loaded, path, runs)
    evidence = _evidence(run)
    record = run.record
    points = tuple(_points(run, evidence, runs / CACHE, tell))
    curve = CropCurve(key=crop_key(record), points=points)
    write_text(
        stage_folder(runs, "evaluate", record.stages["evaluate"].key) / CURVE,
        readable_json(curve.model_dump(mode="json")),
    )
    return curve


def _evidence(run: FinishedRun) -> Rescoring:
    """Return a run's lists and task."""
    try:
        evidence = find_rescoring(run.benchmark, run.record, run.place)
    except (NotHereError, UnusableError) as error:
        raise RequestError(f"{run.place}: {error}") from error
    if not isinstance(evidence.task, Verification) or evidence.listing.corpus.kind != "audio":
        raise RequestError(
            f"{run.place}: --test-crops cuts sound that is judged on trials; leave it out"
        )
    return evidence


def _points(
    run: FinishedRun, evidence: Rescoring, cache: Path, tell: MessageCallback
) -> Iterator[CropPoint]:
    record, task = run.record, evidence.task
    if not isinstance(task, Verification):
        raise TypeError("crops are judged of verification alone")
    declared = WORKERS.ask(
        AskInput(record.model.adapter, record.model.fields, f"models.{record.model.name}")
    ).input

    def is_long_enough(length: float) -> bool:
        return frame_count(declared, round(length * SAMPLE_RATE)) >= least_frames(declared)

    test = _split(run, "test", cache)
    opened = test.open(tell)
    seconds = np.array([opened.length(row) for row in range(len(opened))]) / SAMPLE_RATE
    training = None
    if task.scores_with_training:
        outputs = _embed(run, _split(run, "train", cache), None)
        training = Side(outputs, training_lists(evidence.listing, record.dataset.left_out))
    for crops in settings(seconds, is_long_enough):
        told = f"{crops.count} x {crops.seconds:g} s" if crops else "whole utterances"
        tell(f"{record.entry}: the test in crops, {told}")
        side = Side(_embed(run, test, crops), evidence.lists)
        if crops is None:  # the first: from here on something is known of the test
            _log(record, run.place)
        judged = task.judge(evidence.lists, task.score_alone(side, training))
        yield CropPoint(
            seconds=crops.seconds if crops else None,
            count=crops.count if crops else 1,
            longer=float((seconds > crops.seconds).mean()) if crops else 1.0,
            metric=judged.metrics[task.primary],
        )


def _split(run: FinishedRun, split: str, cache: Path) -> SplitItems:
    record = run.record
    return SplitItems(
        benchmark=run.benchmark.path,
        dataset=record.dataset.name,
        profile="quick" if record.protocol.profile == "quick" else "full",
        cache=cache,
        split=split,
        left_out=record.dataset.left_out,
    )


def _embed(run: FinishedRun, items: SplitItems, crops: EvenCrops | None) -> NDArray[np.float32]:
    source = run.network("embedding").model_copy(update={"crops": crops})
    return compute_outputs(source, items, choose_device("auto"))


def _log(record: Record, path: Path) -> None:
    log_use(path.parents[2], use_of(record, f"test-crops-{crop_key(record)[:16]}"))
