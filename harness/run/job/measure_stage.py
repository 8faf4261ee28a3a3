"""The stage `measure` takes the costs of a system, each figure in a pass of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from harness.errors import OutOfMemory
from harness.measure.cost import multiply_adds, parameters
from harness.measure.device import energy_counter
from harness.measure.gpu_room import release_memory
from harness.measure.memory_use import PeakMemory
from harness.measure.timing import Times, cpu_times, repeats_seconds, time_action
from harness.records.costs import Latency, Memory, Resources, Spread
from harness.run.job.benchmark_target import ON_PROCESSOR, BenchmarkTarget
from harness.run.job.context import JobContext, memory_errors
from harness.run.job.results import ITEM_SECONDS, NOTES
from harness.train.gradient_accumulation import parts_of

LENGTHS = (ITEM_SECONDS, 5.0, 10.0)
"""Seconds of the utterances whose latency is measured."""

SEARCH, FEWEST, MOST = 0.2, 2, 10
"""Seconds and repeats by which the fastest batch is looked for; its figure takes more."""

LATENCIES = ("latencies", "latency_p50", "latency_p95")

DISTURBED = "gpu_disturbed"
"""The field of `Resources` that sets figures aside."""

LONG = 0.5
"""Seconds of a batch from which on it is not doubled: a call's fixed cost is nothing by then."""


class NotMeasured(OutOfMemory):
    """Memory ran out in some passes.

    Attributes:
        found: what the others measured.
        notes: on these figures.
    """

    def __init__(self, reason: str, found: Resources, notes: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.found, self.notes = found, tuple(notes)


def measure_system(context: JobContext) -> dict[str, Any]:
    """Measure parameters, multiply-adds, memory, throughput and latency.

    Raises:
        NotMeasured: memory ran out in a pass; every other one was taken.
    """
    context.begin("measure", len(PASSES))
    target, before = BenchmarkTarget(context), cpu_times()
    found: dict[str, Any] = {
        "training_prediction": context.spec.prediction,
        "largest_training_batch": context.spec.largest_training,
        "largest_inference_batch": context.spec.embedding.largest,
    }
    notes: list[str] = []
    refused: list[str] = []
    disturbed: dict[str, str] = {}
    for done, measure in enumerate(PASSES, start=1):
        try:
            with memory_errors(PASSES[measure].format(batch=context.spec.at_batch)):
                found |= measure(target)
        except OutOfMemory as error:
            refused.append(str(error))
        notes += found.pop(NOTES, [])
        disturbed |= found.pop(DISTURBED, {})
        if refused:
            release_memory()  # not within the handler: the error holds what the pass had made
        context.advance(done)
    waited = cpu_times().since(before).share
    resources = Resources(**found, measuring_cpu_wait=waited, gpu_disturbed=disturbed)
    if refused:
        raise NotMeasured("; ".join(refused), resources, notes)
    return {**resources.model_dump(mode="json"), **({NOTES: notes} if notes else {})}


def measuring_seconds(single: float, steps: Sequence[float], threads: int, *, audio: bool) -> float:
    """Estimate the duration of these passes.

    Args:
        single: seconds to embed one item of `ITEM_SECONDS`, or one picture.
        steps: seconds of a step of each training.
        threads: threads that torch computes with.
        audio: whether the items are sounds.
    """
    lengths = [seconds / ITEM_SECONDS for seconds in LENGTHS] if audio else [1.0]
    figures = [single * length + repeats_seconds(single * length) for length in lengths]
    found, batch = 0.0, single
    for _ in range(ON_PROCESSOR.bit_length()):
        found += batch * (1 + min(MOST, max(FEWEST, SEARCH / batch))) if batch else SEARCH
        if batch >= LONG:
            break
        batch *= 2
    training = sum(2 * step for step in steps) + sum(map(repeats_seconds, steps[:1]))
    return sum(figures) * (1 if threads == 1 else 2) + found + repeats_seconds(batch) + training


def _sizes(target: BenchmarkTarget) -> dict[str, Any]:
    system = target.system
    system.eval()
    return {
        "parameters": parameters(system.trunk),
        "macs": multiply_adds(system.trunk, system.inputs(target.noise(1, ITEM_SECONDS))),
        "macs_input": f"{ITEM_SECONDS:g} s of audio" if target.audio else f"one {target.item}",
        "checkpoint_bytes": sum(each.nbytes for each in system.state_dict().values()),
    }


def _latencies(target: BenchmarkTarget) -> dict[str, Any]:
    """Time one item at a time: on a processor with one thread and with all."""
    every = target.spec.threads
    threads = (every,) if target.device.type == "cuda" else tuple(sorted({1, every}))
    found, taken = [], []
    for seconds in LENGTHS if target.audio else (0.0,):
        for count in threads:
            one = target.noise(1, seconds or None)
            try:
                torch.set_num_threads(count)
                times = target.embedding_times(one)
            finally:
                torch.set_num_threads(every)
            found.append(Latency(seconds=seconds, threads=count, p50=times.median, p95=times.p95))
            taken.append(times)
    table = next(each for each in found if each.threads == every)
    return {
        "latencies": found,
        "latency_p50": table.p50,
        "latency_p95": table.p95,
        **_disturbances("latency", LATENCIES, *taken),
    }


def _throughput(target: BenchmarkTarget) -> dict[str, Any]:
    """Find the fastest of batches of growing size; time it, and take its memory by itself.

    The search ends at a batch that is refused: what fits is predicted without what kernels take
    for themselves, which differs by card.
    """

    def seconds_of(batch: int) -> float:
        raw = target.noise(batch, ITEM_SECONDS)
        return target.embedding_times(raw, at_least=SEARCH, fewest=FEWEST, most=MOST).median

    seconds = {1: seconds_of(1)}
    while 2 * max(seconds) <= target.most_at_once and seconds[max(seconds)] < LONG:
        try:
            with memory_errors("in embedding"):
                seconds[2 * max(seconds)] = seconds_of(2 * max(seconds))
        except OutOfMemory:
            break
    release_memory()
    batch = min(seconds, key=lambda items: seconds[items] / items)
    raw = target.noise(batch, ITEM_SECONDS)
    times = target.embedding_times(raw)
    with PeakMemory(target.device) as peak:
        target.embed(raw)
    amount = batch * (ITEM_SECONDS if target.audio else 1)
    return {
        "inference_batch": batch,
        "inference_memory": peak.memory,
        "inference_prediction": target.spec.embedding.at.get(batch),
        "inference_per_second": amount / times.median,
        "inference_spread": _rates(amount, times),
        "throughput_unit": "seconds of audio" if target.audio else f"{target.item}s",
        **_disturbances("embedding speed", ("inference_per_second",), times),
    }


def _training(target: BenchmarkTarget) -> dict[str, Any]:
    """Measure the memory of each of a recipe's trainings, the most given; speed of the first."""
    recipe = target.spec.recipe
    if recipe is None:
        return {}
    peaks: list[Memory] = []
    speed: dict[str, Any] = {}
    for phase in recipe.phases:
        step = target.training_step(phase)
        with PeakMemory(target.device) as peak:
            # The optimiser's state is there from the second step on.
            for _ in range(2):
                step()
                target.context.go_on()
        peaks.append(peak.memory)
        speed = speed or _training_speed(target, phase.batch, step)
        del step
    return {
        "batch_asked": recipe.batch,
        "batch_used": recipe.batch,
        "micro_batches": parts_of(recipe.batch, recipe.micro_batch or recipe.batch),
        "training_memory": max(peaks, key=lambda each: each.bytes),
        **speed,
    }


def _training_speed(
    target: BenchmarkTarget, batch: int, step: Callable[[], None]
) -> dict[str, Any]:
    """Time a step that ran before, so that it is warm; count its energy meanwhile."""
    joules = energy_counter(target.device)
    times = time_action(step, device=target.device, warmup=0, joules=joules)
    items = batch * len(times.seconds)
    return {
        "training_per_second": batch / times.median,
        "training_spread": _rates(batch, times),
        "joules_per_item": None if times.joules is None else times.joules / items,
        **_disturbances("training speed", ("training_per_second", "joules_per_item"), times),
    }


def _disturbances(figure: str, fields: Sequence[str], *taken: Times) -> dict[str, Any]:
    """Return a note, and a word for each field, where a GPU was kept from its speed meanwhile."""
    words = " and ".join(dict.fromkeys(word for times in taken for word in times.disturbances))
    if not words:
        return {}
    return {NOTES: [f"its {figure} is of a GPU {words}"], DISTURBED: dict.fromkeys(fields, words)}


def _rates(amount: float, times: Times) -> Spread:
    short, long = times.quartiles
    return Spread(low=amount / long, high=amount / short)


PASSES = {
    _sizes: "in measuring one item",
    _latencies: "in measuring latencies",
    _throughput: "in measuring throughput",
    _training: "in measuring training{batch}",
}
"""The passes in their order, and what memory ran out in."""
