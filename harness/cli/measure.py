"""`harness measure`: what models cost; nothing is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.config.recipe_tables import in_parts
from harness.errors import ConfigError, nearest
from harness.run.job.spec import OPTIONS, embedding_precision

if TYPE_CHECKING:
    from harness.config.schema import Budget
    from harness.records.costs import Prediction, Resources
    from harness.run.job.results import Measurement
    from harness.run.job.spec import JobSpec

GIB = 2**30

Options = Annotated[
    list[str] | None,
    typer.Option("--with", help=f"Measured with one of {', '.join(OPTIONS)} (repeatable)."),
]
Batches = Annotated[
    list[int] | None,
    typer.Option("--batch", min=2, max=2**20, help="Items of a training step (repeatable)."),
]


def measure(
    *,
    suite: options.Suite,
    profile: options.ProfileOption = options.Profile.quick,
    dataset: options.Datasets = None,
    model: options.Models = None,
    loss: options.Losses = None,
    batch: Batches = None,
    with_: Options = None,
    device: options.DeviceOption = options.Device.auto,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    silence_minutes: options.SilenceMinutes = None,
    json: options.Json = False,
) -> None:
    """Measure memory, throughput and latency of every model that takes a suite's kind of items."""
    from harness.config.loader import load
    from harness.run.session import measure_models

    chosen = _options(with_)
    precision = [f"precision={embedding_precision(chosen)}"] if "bf16" in chosen else []
    batches = [[f"batch={items}"] for items in dict.fromkeys(batch or ())]
    requests = [
        options.make_request(
            suite, profile, runs, device=device, datasets=dataset, models=model, losses=loss,
            settings=[*settings, *precision], options=chosen,
            silence_minutes=silence_minutes,
        )
        for settings in batches or [[]]
    ]  # fmt: skip
    loaded = load(config)
    budget = loaded.benchmark.budget
    with ProgressDisplay() as display:
        found = [
            each
            for request in requests
            for each in measure_models(loaded, request, watch=display.show)
        ]
    if json:
        give_json(_document(budget, found))
    else:
        give(_table(found), *_failures(found), *_notes(found))
        say(_legend(budget, found))
    if any(measured.state != "done" for _, measured in found):
        raise typer.Exit(1)


def _options(asked: list[str] | None) -> tuple[str, ...]:
    for name in asked or ():
        if name not in OPTIONS:
            raise ConfigError(f"--with {name}: no such option; {nearest(name, OPTIONS)}")
    return tuple(sorted(set(asked or ())))


def _document(budget: Budget, found: list[tuple[JobSpec, Measurement]]) -> dict[str, Any]:
    first = found[0][0] if found else None
    where = first.environment if first else None
    return {
        "schema": 1,
        "suite": first.protocol.suite if first else None,
        "profile": first.protocol.profile if first else None,
        "dataset": first.dataset.name if first else None,
        "budget": {
            "gpu_memory": budget.card,
            "reserved": budget.card - budget.usable,
            "usable": budget.usable,
        },
        "environment": where.model_dump(mode="json") if where else None,
        "models": [_model(*each) for each in found],
    }


def _model(job: JobSpec, measured: Measurement) -> dict[str, Any]:
    recipe = job.recipe
    return {
        "model": job.model.name,
        "fields": job.model.fields,
        "loss": job.loss.name if job.loss else None,
        "recipe": job.recipe_name,
        "options": list(job.options),
        "state": measured.state,
        "reason": measured.reason,
        "batch": recipe.batch if recipe else None,
        "micro_batch": recipe.micro_batch if recipe else None,
        "plan": _plan(job),
        "notes": [*job.notes, *measured.notes],
        "first_result_seconds": measured.first_result_seconds,
        **measured.resources.model_dump(mode="json"),
    }


def _plan(job: JobSpec) -> str:
    """`128 = 4 x 32`, or the batch where it is computed at once."""
    recipe = job.recipe
    return in_parts(recipe.batch, recipe.micro_batch) if recipe else ""


HEADINGS = (
    "model", "parameters", "GMAC", "batch", "predicted", "measured", "most trained",
    "most embedded", "crops/s", "embedded/s", "latency ms",
)  # fmt: skip


COUNTED = {
    "gpu": "what a GPU's allocator took",
    "process": "main memory of the whole process",
    "predicted": "what was predicted",
}


def _table(found: list[tuple[JobSpec, Measurement]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    table.add_column(HEADINGS[0], no_wrap=True)
    for heading in HEADINGS[1:]:
        table.add_column(heading, justify="right")
    for job, measured in found:
        done = measured.state == "done"
        cells = _cells(job, measured.resources) if done else ("", "", _plan(job))
        table.add_row(job.model.name, *cells)
    return table


def _failures(found: list[tuple[JobSpec, Measurement]]) -> list[str]:
    """A line for each model that could not be measured."""
    return [
        f"{_named(job, found)}: {measured.state}: {measured.reason}"
        for job, measured in found
        if measured.state != "done"
    ]


def _notes(found: list[tuple[JobSpec, Measurement]]) -> list[str]:
    """A line for each note on what was measured."""
    return [f"{_named(job, found)}: {note}" for job, measured in found for note in measured.notes]


def _named(job: JobSpec, found: list[tuple[JobSpec, Measurement]]) -> str:
    """The model; of several batches with its own."""
    several = len({_plan(job) for job, _ in found}) > 1
    return f"{job.model.name}{f' at batch {_plan(job)}' if several and job.recipe else ''}"


def _cells(job: JobSpec, spent: Resources) -> tuple[str, ...]:
    memory = spent.training_memory
    return (
        f"{spent.parameters or 0:,}",
        f"{(spent.macs or 0) / 1e9:.2f}",
        _plan(job),
        _reserved(spent.training_prediction),
        f"{memory.bytes / GIB:.2f}" if memory else "-",
        _number(spent.largest_training_batch),
        _number(spent.largest_inference_batch),
        _rate(spent.training_per_second),
        _rate(spent.inference_per_second),
        f"{1e3 * (spent.latency_p50 or 0):.0f}-{1e3 * (spent.latency_p95 or 0):.0f}",
    )


def _reserved(told: Prediction | None) -> str:
    return f"{told.reserved / GIB:.2f}" if told else "-"


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _legend(budget: Budget, found: list[tuple[JobSpec, Measurement]]) -> str:
    unit = next((each.resources.throughput_unit for _, each in found), "")
    memories = (each.resources.training_memory for _, each in found)
    counted = {COUNTED[memory.counted] for memory in memories if memory}
    seen = f"; measured: {' or '.join(sorted(counted))}" if counted else ""
    return (
        f"Memory of a training step in GiB; predicted: what a GPU's allocator would take, of "
        f"{budget.usable / GIB:.3g} GiB ({budget.gpu_memory} less {budget.reserved}){seen}. Most: "
        f"items at once within that, predicted. Embedded: {unit} a second at the fastest batch. "
        "Latency of one item: median and 95th percentile."
    )
