"""Exported files judged on the trials of the run that they came from, each paired with it.

Every file is an entry of its own: its outputs of validation and test are scored and judged by the
run's task, with thresholds and calibration found anew on validation. What a format or int8 costs is
the difference from the run's own figures on the same units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ConfigDict, Field
from scipy.special import stdtrit

from harness.config.loader import LoadedBenchmark
from harness.config.recipes import Recipe
from harness.errors import RequestError
from harness.measure.environment import library_versions, processor_name
from harness.metrics.intervals import jackknife_error
from harness.records.costs import Resources
from harness.records.documents import Part, sha256_file
from harness.records.record import EXPORTED, Artefact, Metric, Record
from harness.run.job.evaluate_stage import log_use, use_of
from harness.run.job.record_writing import write_attempt
from harness.run.job.results import SCORES, save_scores, utc_now
from harness.run.job.spec import JobSpec
from harness.run.plan.protocol import common_fields
from harness.run.plan.request import RunRequest, listing_state
from harness.tasks.task import Judgement, Scores, Side, training_lists
from harness.use.embedding import outputs_of_split
from harness.use.export_facts import ExportedFile, ExportFacts
from harness.use.exported_network import open_export
from harness.use.finished_run import FinishedRun
from harness.use.networks import Network

RUNTIMES = ("onnxruntime", "torch")

LEVEL = 0.95


class Cost(Part):
    """What an exported file costs in one metric, against the run that it came from.

    Attributes:
        metric: its name.
        run: the run's figure.
        exported: the file's.
        difference: of the file from the run, with its 95 % interval over the test's units, paired.
    """

    metric: str
    run: Metric
    exported: Metric
    difference: Metric


class JudgedFile(Part):
    """An exported file that was judged.

    Attributes:
        file: as `model.json` describes it, with size and latency.
        sha256: of the file.
        costs: one for each metric whose values without each unit are known.
        metrics: all its figures on test.
        record: its record, below the folder of runs.
    """

    file: ExportedFile
    sha256: str
    costs: tuple[Cost, ...]
    metrics: dict[str, Metric]
    record: str


class AfterExport(Part):
    """The content of `after-export.json`.

    Attributes:
        run: the record of the run, without its values without each unit.
        files: each exported file, judged.
        processor: that ran them.
        libraries: versions of the runtimes.
        made: when, in UTC.
    """

    after_schema: Literal[1] = Field(default=1, alias="schema")
    run: Record
    files: tuple[JudgedFile, ...]
    processor: str
    libraries: dict[str, str]
    made: str

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


@dataclass(frozen=True)
class ExportTrials:
    """Judges exported files.

    Attributes:
        loaded: the benchmark.
        run: the run; its dataset must be here.
        request: its suite, profile and dataset, and the folder that receives the records.
    """

    loaded: LoadedBenchmark
    run: FinishedRun
    request: RunRequest

    def judge(self, folder: Path, facts: ExportFacts) -> AfterExport:
        """Judge every file of an export, and file each as a record of its own.

        Raises:
            RequestError: the run has no values without each unit, or its data are not here.
        """
        if not self.run.record.left_one_out:
            raise RequestError(
                f"{self.run.place}: holds no values without each unit, so nothing is paired with "
                "it; evaluate it again"
            )
        judged = tuple(self._judge(folder / file.name, file) for file in facts.files)
        return AfterExport(
            run=self.run.record.model_copy(update={"left_one_out": {}}),
            files=judged,
            processor=processor_name(),
            libraries=library_versions(RUNTIMES),
            made=utc_now(),
        )

    def _judge(self, path: Path, file: ExportedFile) -> JudgedFile:
        run, source = self.run, self.run.record
        content = sha256_file(path)
        job = self._job(path, content)
        network = open_export(path, file.output)
        validation, test = self._side(network, "validation"), self._side(network, "test")
        training = self._training(network) if run.task.scores_with_training else None
        stage = job.evaluate(content)
        uses = log_use(job.folder.parent.parent, use_of(source, f"evaluate-{stage.key[:16]}"))
        scores = run.task.score(validation, test, training)
        judgement = run.task.judge(test.lists, scores)
        record = Record(
            state="done",
            protocol=job.protocol,
            dataset=job.dataset.model_copy(update={"left_out": source.dataset.left_out}),
            model=source.model,
            loss=source.loss,
            recipe=source.recipe,
            recipe_name=job.recipe_name,
            track=EXPORTED,
            seed=source.seed,
            code=job.code,
            stages={"evaluate": stage.model_copy(update={"finished": utc_now(), "code": job.code})},
            metrics=judgement.metrics,
            left_one_out=judgement.left_one_out,
            selected_on=source.selected_on,
            searched=uses.configurations,
            test_looks=uses.test,
            resources=Resources(
                parameters=source.resources.parameters, checkpoint_bytes=file.bytes
            ),
            notes=(*judgement.notes, self._note(file, content)),
            trained_on=source.trained_on,
        )
        place = _keep(job, record, scores)
        return JudgedFile(
            file=file,
            sha256=content,
            costs=tuple(costs(source, judgement)),
            metrics=judgement.metrics,
            record=str(place.relative_to(self.request.runs.resolve())),
        )

    def _job(self, path: Path, content: str) -> JobSpec:
        """Return the evaluation of a file as a job of which nothing is run."""
        source = self.run.record
        state = listing_state(self.loaded, self.run.listing())
        state = replace(state, left_out=source.dataset.left_out)
        common = common_fields(self.loaded, self.request, state, source.protocol)
        return JobSpec(
            **{**common, "environment": None},
            model=source.model,
            loss=source.loss,
            recipe=Recipe.model_validate(source.recipe) if source.recipe else None,
            recipe_name=f"{source.recipe_name}, exported as {path.name}",
            track=EXPORTED,
            seed=source.seed,
            checkpoint=path.absolute(),
            checkpoint_sha256=content,
        )

    def _side(self, network: Network, split: str) -> Side:
        listing, left_out = self.run.listing(), self.run.record.dataset.left_out
        _, outputs = outputs_of_split(network, listing, split, left_out)
        return Side(outputs, self.run.task.lists(listing, split, left_out))

    def _training(self, network: Network) -> Side:
        listing, left_out = self.run.listing(), self.run.record.dataset.left_out
        _, outputs = outputs_of_split(network, listing, "train", left_out)
        return Side(outputs, training_lists(listing, left_out))

    def _note(self, file: ExportedFile, content: str) -> str:
        made = self.run.record.artefacts.get("checkpoint")
        weights = f" (weights {made.sha256[:12]})" if made else ""
        return (
            f"{self.run.name}{weights}, exported as {file.name} ({content[:12]}) and run by its "
            "own runtime: no rank; checkpoint is the size of that file"
        )


def costs(source: Record, exported: Judgement) -> list[Cost]:
    """Return what an export costs, in every metric that both have without each unit.

    The interval is the difference plus or minus t(S - 1) times its jackknife standard error, over
    the S units left out of both at once (see `harness.metrics.comparison`).

    Args:
        source: the run's record.
        exported: the judgement of the file on the same units.

    Raises:
        RequestError: the units are not the same.
    """
    found = []
    for name, left in source.left_one_out.items():
        own = exported.left_one_out.get(name)
        if own is None or name not in source.metrics or name not in exported.metrics:
            continue
        if own.keys() != left.keys():
            raise RequestError(f"{name}: the run was judged on other units; evaluate it again")
        found.append(_cost(name, source.metrics[name], exported.metrics[name], left, own))
    return found


def _cost(
    name: str, run: Metric, exported: Metric, left: Mapping[str, float], own: Mapping[str, float]
) -> Cost:
    value, ends = exported.value - run.value, dict[str, float]()
    if len(left) > 1:
        apart = np.array([own[unit] - left[unit] for unit in left], dtype=np.float64)
        reach = float(stdtrit(len(left) - 1, (1 + LEVEL) / 2)) * jackknife_error(apart)
        ends = {"low": value - reach, "high": value + reach}
    difference = Metric(value=value, unit=run.unit, **ends)
    return Cost(metric=name, run=run, exported=exported, difference=difference)


def _keep(job: JobSpec, record: Record, scores: Scores) -> Path:
    """Write the record and its scores; return its folder."""
    file = job.folder / SCORES
    save_scores(file, scores)
    made = Artefact(sha256=sha256_file(file), bytes=file.stat().st_size)
    size = record.resources.checkpoint_bytes or 0
    artefacts = {
        "scores": made,
        "checkpoint": Artefact(sha256=job.checkpoint_sha256 or "", bytes=size),
    }
    write_attempt(job, record.model_copy(update={"artefacts": artefacts}), None)
    return job.folder
