"""Costs of a system as a record holds them: memory, time and energy, measured or predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from harness.records.documents import Part


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
