"""The record of one job: everything a table, a rerun or a doubter needs to know of it.

The schema number comes first. A later schema reads an older record through `updates`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Final = 2

EXPORTED: Final = "exported"
"""Track of a file of another runtime that was made of a run's network (`harness export`)."""

State = Literal["done", "failed", "oom", "timeout", "skipped"]
Trust = Literal["claimed", "rescored", "measured", "reproduced"]


class Part(BaseModel):
    """A part of a record: frozen, unknown keys and numbers that JSON cannot hold refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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


@dataclass(frozen=True)
class CostFacts:
    """What tables, charts and the history must know of a measured quantity.

    It stands in the annotation of a field of `Resources`, the one place that declares a quantity.

    Attributes:
        title: of a column or an axis, without the unit.
        unit: of the recorded value; `{items}` stands for what the entry embeds, in the plural.
        shown: the unit that people read; empty if it is `unit`.
        scale: how many of `unit` are one of `shown`.
        decimals: of the shown value; None writes three significant digits.
        higher_is_better: as of speeds; less is better of the others.
        seeds: how the values of several seeds or folds become one.
        per_environment: False for what is the same on every machine.
        disturbed_by: the share of waiting that makes the value untrustworthy; empty for none.
        places: where it is shown besides the record.
        note: a footnote of each table that shows it.
    """

    title: str
    unit: str
    shown: str = ""
    scale: float = 1
    decimals: int | None = None
    higher_is_better: bool = False
    seeds: Literal["mean", "max"] = "mean"
    per_environment: bool = True
    disturbed_by: Literal["", "cpu_wait", "measuring_cpu_wait"] = ""
    places: tuple[Literal["table", "efficiency", "history"], ...] = (
        "table",
        "efficiency",
        "history",
    )
    note: str = ""

    def label(self, items: str = "items") -> str:
        """Return the unit that people read.

        >>> CostFacts("embedding", "{items}/s").label("images")
        'images/s'
        """
        return (self.shown or self.unit).replace("{items}", items)


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


class Memory(Part):
    """A peak in bytes, and its source: `gpu` (allocator) or `process` (resident)."""

    bytes: int
    counted: Literal["gpu", "process", "predicted"]


class Prediction(Part):
    """Bytes that a step was predicted to hold, part by part, before it ran.

    `peak` is of tensors, all at once; `reserved` what a GPU's allocator takes for them, rounding
    and holes included, within the limit that the step is measured under; `unlimited` the same
    where nothing limits it, which is less sparing with holes. A step that does not fit has the one
    for the other. The driver's context is in none, nor is what kernels take for themselves. `host`
    is main memory, where tensors of parts in lock-step wait for the backward pass.
    """

    parameters: int
    gradients: int = 0
    optimizer: int = 0
    inputs: int
    activations: int = 0
    temporaries: int
    peak: int
    reserved: int
    unlimited: int | None = Field(default=None, exclude_if=lambda value: value is None)
    host: int = Field(default=0, exclude_if=lambda value: not value)


class Spread(Part):
    """The middle half of repeated measurements, in the unit of their median."""

    low: float
    high: float


class Latency(Part):
    """The latency of one item, alone."""

    seconds: float = Field(description="of audio in it")
    threads: int
    p50: float = Field(description="seconds")
    p95: float


class Resources(Part):
    """What the entry costs; a quantity with `CostFacts` is shown wherever these say."""

    parameters: Annotated[
        int | None,
        CostFacts("params", "", "M", 1e6, per_environment=False, places=("table",)),
    ] = None
    macs: Annotated[
        int | None,
        CostFacts("MACs", "", "G", 1e9, per_environment=False, places=("table",)),
    ] = Field(default=None, description="multiply-adds of one forward pass")
    macs_input: str = Field(default="", description="for which input the multiply-adds are")
    batch_asked: int | None = None
    batch_used: int | None = None
    micro_batches: int | None = None
    training_memory: Annotated[
        Memory | None, CostFacts("peak training memory", "bytes", "GiB", 2**30, seeds="max")
    ] = None
    inference_memory: Annotated[
        Memory | None,
        CostFacts("peak inference memory", "bytes", "GiB", 2**30, seeds="max", places=("history",)),
    ] = None
    training_per_second: Annotated[
        float | None,
        CostFacts(
            "training",
            "items/s",
            higher_is_better=True,
            disturbed_by="measuring_cpu_wait",
            places=("table", "history"),
        ),
    ] = Field(default=None, description="training items a second")
    inference_per_second: Annotated[
        float | None,
        CostFacts(
            "embedding", "{items}/s", higher_is_better=True, disturbed_by="measuring_cpu_wait"
        ),
    ] = Field(default=None, description="seconds of audio (or items) embedded a second")
    throughput_unit: str = ""
    latency_p50: Annotated[
        float | None,
        CostFacts("latency p50", "s", "ms", 1e-3, disturbed_by="measuring_cpu_wait"),
    ] = Field(default=None, description="seconds, one item at a time")
    latency_p95: Annotated[
        float | None,
        CostFacts(
            "latency p95", "s", "ms", 1e-3, disturbed_by="measuring_cpu_wait", places=("table",)
        ),
    ] = None
    training_prediction: Prediction | None = None
    inference_prediction: Prediction | None = None
    largest_training_batch: int | None = Field(
        default=None, description="items at once within the budget, predicted"
    )
    largest_inference_batch: int | None = Field(
        default=None, description="items of the length behind `macs` at once, predicted"
    )
    inference_batch: int | None = Field(
        default=None, description="items at once, where they were embedded fastest"
    )
    training_spread: Spread | None = Field(default=None, description="of training_per_second")
    inference_spread: Spread | None = Field(default=None, description="of inference_per_second")
    latencies: Annotated[
        tuple[Latency, ...],
        CostFacts(
            "latency",
            "s",
            "ms",
            1e-3,
            disturbed_by="measuring_cpu_wait",
            places=("table",),
            note="Latency by length: the median of one item at a time, and its 95th percentile.",
        ),
    ] = ()
    checkpoint_bytes: Annotated[
        int | None,
        CostFacts(
            "checkpoint",
            "bytes",
            "MiB",
            2**20,
            per_environment=False,
            places=("table", "history"),
            note="Checkpoint: bytes of the embedding network's weights and buffers.",
        ),
    ] = None
    joules_per_item: Annotated[
        float | None,
        CostFacts(
            "training energy",
            "J/item",
            disturbed_by="measuring_cpu_wait",
            note="Training energy: of the device, where its hardware counts it.",
        ),
    ] = Field(default=None, description="of training, where the hardware counts them")
    training_seconds: Annotated[
        float | None,
        CostFacts("training time", "s", "min", 60, disturbed_by="cpu_wait", places=("table",)),
    ] = None
    data_wait: Annotated[
        float | None,
        CostFacts(
            "waiting for inputs",
            "",
            "%",
            1e-2,
            decimals=2,
            disturbed_by="cpu_wait",
            places=("table", "history"),
            note="Waiting for inputs: the share of the time of training steps.",
        ),
    ] = Field(
        default=None, description="share of the time of training steps spent waiting for inputs"
    )
    cpu_wait: float | None = Field(
        default=None, description="share of their time that training's threads had no processor"
    )
    measuring_cpu_wait: float | None = Field(
        default=None, description="the same of the threads that were measured"
    )
    gpu_free: int | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="bytes of the GPU that were free when the job began",
    )
    gpu_disturbed: dict[str, str] = Field(
        default={},
        exclude_if=lambda figures: not figures,
        description="figure -> what kept the GPU from its speed while it was taken",
    )


COSTS: Final[dict[str, CostFacts]] = {
    name: facts
    for name, field in Resources.model_fields.items()
    for facts in field.metadata
    if isinstance(facts, CostFacts)
}
"""Each declared quantity by the name of its field, in the order of the fields."""


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
    stages: dict[str, Stage] = {}
    metrics: dict[str, Metric] = {}
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
