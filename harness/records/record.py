"""The record of one job: everything a table, a rerun or a doubter needs to know of it.

The schema number comes first. A later schema reads an older record through `updates`.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from harness.records.costs import Resources
from harness.records.documents import Part

SCHEMA: Final = 2

EXPORTED: Final = "exported"
"""Track of a file of another runtime that was made of a run's network (`harness export`)."""

State = Literal["done", "failed", "oom", "timeout", "skipped"]
Trust = Literal["claimed", "rescored", "measured", "reproduced"]


class Metric(Part):
    """A number with its uncertainty over the test sample.

    Rates are fractions. `low` and `high` are None if no interval can be given.
    """

    value: float
    low: float | None = None
    high: float | None = None
    unit: str


class MetricFacts(Part):
    """What a table must know of a metric to sort, label and format it."""

    title: str
    unit: Literal["%", "", "s"] = Field(description="'%' shows a fraction as a percentage")
    higher_is_better: bool
    decimals: int = Field(default=2, ge=0, le=17)
    order: int = Field(default=0, description="place among the columns, the primary metric's apart")


class RecordedComponent(Part):
    """An adapter as it was used."""

    name: str
    adapter: str
    version: int
    fields: dict[str, Any]


class RecordedFold(Part):
    """One of the folds that a dataset is judged by, each with a network of its own.

    Folds are joined where all but `index` is the same.
    """

    of: str = Field(description="the dataset that it is a fold of")
    index: int = Field(ge=1, description="which of its folds was tested, from 1")
    folds: int = Field(ge=2)
    lock: str = Field(description="digest of the corpus and of the rules that cut it")
    protocol: str = Field(description="digest of the protocol on all folds")


class Data(Part):
    """The dataset as it was used, with the facts that a table must state."""

    name: str
    title: str
    synthetic: bool
    licence: str
    publish_scores: bool
    source: str
    lock: str = Field(description="digest of the dataset's entry in benchmark.lock")
    pinned: bool = Field(default=True, description="False where that entry is not in the lock yet")
    counts: dict[str, dict[str, int]] = Field(description="split -> units, items, trials, targets")
    unit: str = Field(description="what is resampled: speaker, object, drawer")
    left_out: tuple[str, ...] = Field(default=(), description="damaged items left out on request")
    fold: RecordedFold | None = Field(default=None, exclude_if=lambda value: value is None)
    leaks: str = Field(
        default="",
        description="the dataset whose pictures are trained on and tested in copies, on purpose",
        exclude_if=lambda value: not value,
    )


class Protocol(Part):
    """Under which rules the numbers were made."""

    suite: str
    suite_title: str
    profile: str
    version: int
    digest: str
    task: str
    primary: str
    facts: dict[str, MetricFacts]
    parameters: dict[str, Any] = Field(description="metric parameters: p_target, c_miss, ...")


class Stage(Part):
    """One stage of the job: its key, all that went into the key, and its duration."""

    key: str
    inputs: dict[str, Any]
    seconds: float | None = None
    finished: str | None = Field(default=None, description="UTC, ISO 8601")
    code: str = Field(default="", description="commit of the code that ran the stage")


class Environment(Part):
    """The environment of a measurement; speeds of one digest may share a table."""

    device: str
    processor: str
    threads: int
    python: str
    platform: str
    libraries: dict[str, str]
    allocator: dict[str, str]
    arithmetic: dict[str, str] = Field(
        default={},
        exclude_if=lambda value: not value,
        description="of a GPU: its rounding, and whether its kernels repeat to the bit",
    )


class Artefact(Part):
    """A file beside the record, by content."""

    sha256: str
    bytes: int


class Submission(Part):
    """The origin of an entry that was computed elsewhere, as its submitter states it."""

    submitter: str = ""
    source: str = Field(default="", description="where it is described: an address, or text")
    system: str = Field(default="", description="what made it, in words")
    made_from: Literal["scores", "embeddings", "claim"]
    files: dict[str, Artefact] = Field(
        default={}, description="the files as they were received, by the option that gave them"
    )


class Record(Part):
    """One job, joined from its stages."""

    record_schema: Literal[2] = Field(default=SCHEMA, alias="schema")
    state: State
    reason: str = ""
    trust: Trust = "measured"
    protocol: Protocol
    dataset: Data
    model: RecordedComponent
    loss: RecordedComponent | None = None
    recipe: dict[str, Any] | None = None
    recipe_name: str | None = None
    track: str
    seed: int | None = None
    attempt: int = 1
    finished: str = Field(default="", description="when the job ended: UTC, ISO 8601")
    code: str = Field(description="commit of the code, with `+dirty` where the tree was not clean")
    stages: dict[str, Stage] = Field(default={})
    metrics: dict[str, Metric] = Field(default={})
    left_one_out: dict[str, dict[str, float]] = Field(
        default={}, description="metric -> unit left out -> value"
    )
    selected_on: str = ""
    searched: int = Field(default=1, description="configurations tried before this one")
    test_looks: int = Field(default=1, description="how often the test set was scored")
    resources: Resources = Resources()
    environment: Environment | None = None
    environment_digest: str = ""
    artefacts: dict[str, Artefact] = Field(
        default={}, description="scores, checkpoint, states, embeddings"
    )
    notes: tuple[str, ...] = ()
    # Left out by the field: a serialiser around the record would turn its NaNs into nulls.
    trained_on: tuple[str, ...] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="data that the weights before this training, or made elsewhere, saw",
    )
    submission: Submission | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="of what was computed elsewhere",
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @property
    def is_baseline(self) -> bool:
        """True for the row that needs no training."""
        return self.track == "baseline"

    @property
    def is_leaky(self) -> bool:
        """True where copies of training data are tested, on purpose."""
        return bool(self.dataset.leaks)

    @property
    def is_exported(self) -> bool:
        """True for a file of another runtime, made of another record's network."""
        return self.track == EXPORTED

    @property
    def joins_batch_norm(self) -> bool:
        """True if batch normalisation saw the whole of a batch that was computed in parts."""
        return (self.recipe or {}).get("batch_norm") == "full"

    @property
    def ended(self) -> str:
        """The time it was finished, or else its last stage; empty if it says neither."""
        ends = (stage.finished or "" for stage in self.stages.values())
        return self.finished or max(ends, default="")

    @property
    def entry(self) -> str:
        """The row's name, the same for all its seeds."""
        loss = f" + {self.loss.name}" if self.loss else ""
        return f"{self.model.name}{loss}"
