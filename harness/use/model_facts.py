"""Facts of a finished run's network that somebody needs who uses it without the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field

from harness.config.recipes import EvenCrops
from harness.errors import RequestError
from harness.metrics.operating_point import OperatingPoint
from harness.records.documents import Part, sha256_file
from harness.records.record import Metric
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.questions import AskInput, DeclaredInput
from harness.tasks.task import Output
from harness.use.finished_run import FinishedRun
from harness.use.picture_reading import PictureReading, picture_reading
from harness.use.training_sounds import TrainingSounds, training_sounds

THRESHOLD = ("miss_at_threshold", "false_alarm_at_threshold")


class Decision(Part):
    """What validation decided, and what errors that made on test.

    Attributes:
        threshold: cosine from which on two sounds count as of one speaker: that of validation's
            EER.
        calibration: scale and offset that make cosines natural-log likelihood ratios; None if
            they are not here.
        effective_prior: of a target, near which the calibration is best.
        miss, false_alarm: rates at the threshold on test.
        eer: on test.
        targets, nontargets: trials of test.
    """

    threshold: float
    calibration: tuple[float, float] | None
    effective_prior: float
    miss: Metric
    false_alarm: Metric
    eer: Metric
    targets: int
    nontargets: int


class ModelFacts(Part):
    """A network and how its outputs are to be read.

    Attributes:
        entry, seed, suite, profile: of the run.
        dataset, licence, source, synthetic, unit: what it was trained and judged on.
        record, checkpoint: sha256 of both files.
        code: commit that trained it.
        output: what its task judges: `embedding` or `logits`.
        input: its front end.
        kind: `audio`, `image` or `vector`.
        crops: that an item was judged by; None for the whole of it.
        classes: in the order of the logits; empty for embeddings.
        decision: of verification by plain cosines; None for other tasks.
        sounds: ranges of its training's sounds; None if they are not known.
        pictures: how files become pictures; None if it takes none, or that is not known.
        metrics: on test.
    """

    facts_schema: Literal[1] = Field(default=1, alias="schema")
    entry: str
    seed: int | None
    suite: str
    profile: str
    dataset: str
    licence: str
    source: str
    synthetic: bool
    unit: str
    record: str
    checkpoint: str
    code: str
    output: Output
    input: DeclaredInput
    kind: str
    crops: EvenCrops | None = None
    classes: tuple[str, ...] = ()
    decision: Decision | None = None
    sounds: TrainingSounds | None = None
    pictures: PictureReading | None = None
    metrics: dict[str, Metric]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def describe_run(run: FinishedRun, cache: Path) -> ModelFacts:
    """Return the facts of a run; its model's adapter is asked for its input.

    Args:
        run: the run.
        cache: folder of what is computed once; the training's sounds are measured if the dataset
            is here.

    Raises:
        ConfigError, JobFailed: the adapter cannot be asked.
    """
    record, model = run.record, run.record.model
    declared = WORKERS.ask(AskInput(model.adapter, model.fields, f"models.{model.name}"))
    listing = run.listing_if_here()
    measured = listing if declared.kind == "audio" else None
    judges_logits = run.task.output == "logits"
    return ModelFacts(
        entry=record.entry,
        seed=record.seed,
        suite=record.protocol.suite,
        profile=record.protocol.profile,
        dataset=record.dataset.name,
        licence=record.dataset.licence,
        source=record.dataset.source,
        synthetic=record.dataset.synthetic,
        unit=record.dataset.unit,
        record=sha256_file(run.place),
        checkpoint=sha256_file(run.checkpoint),
        code=record.code,
        output=run.task.output,
        input=declared,
        kind=declared.kind,
        crops=run.network("embedding").crops,
        classes=listing.classes if judges_logits and listing else (),
        decision=_decision(run),
        sounds=training_sounds(measured, cache) if measured else None,
        pictures=picture_reading(listing) if declared.kind == "image" and listing else None,
        metrics=record.metrics,
    )


def verification_of(facts: ModelFacts) -> Decision:
    """Return the decision of a network that compares.

    Raises:
        RequestError: it does not, or not by a cosine alone.
    """
    if facts.decision is not None:
        return facts.decision
    if facts.output == "logits":
        raise RequestError(
            f"{facts.entry} on {facts.dataset}: tells classes and compares nothing; "
            "use `harness predict`"
        )
    raise RequestError(
        f"{facts.entry} on {facts.dataset}: has no threshold from validation for plain cosines "
        "(its scores are normalised by a cohort, or were made elsewhere)"
    )


def _decision(run: FinishedRun) -> Decision | None:
    record, task = run.record, run.task
    judged: Any = task
    if "threshold" not in record.metrics or task.scores_with_training:
        return None
    point = OperatingPoint(judged.p_target, judged.c_miss, judged.c_fa)
    scale = run.scores.get("calibration")
    counts = record.dataset.counts["test"]
    miss, false_alarm = (record.metrics[name] for name in THRESHOLD)
    return Decision(
        threshold=record.metrics["threshold"].value,
        calibration=None if scale is None else (float(scale[0]), float(scale[1])),
        effective_prior=point.effective_prior,
        miss=miss,
        false_alarm=false_alarm,
        eer=record.metrics["eer"],
        targets=counts["targets"],
        nontargets=counts["trials"] - counts["targets"],
    )
