"""The stage `measure`: what a system costs, each figure in a pass of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch

from harness.measure.cost import multiply_adds, parameters
from harness.measure.device import energy_counter
from harness.measure.memory_use import PeakMemory
from harness.measure.timing import Times, cpu_times, time_action
from harness.records.record import Latency, Memory, Resources, Spread
from harness.run.job.measured import ON_PROCESSOR, Measured, example, training_step
from harness.run.job.measurement import ITEM_SECONDS
from harness.run.job.memory import at_batch, telling_memory
from harness.run.job.parts import Parts
from harness.run.job.report import Reporter
from harness.run.job.spec import JobSpec
from harness.run.job.stage import cached_stage
from harness.train.gradient_accumulation import parts_of

LENGTHS = (ITEM_SECONDS, 5.0, 10.0)
"""Seconds of the utterances whose latency is measured."""

AT_MOST = 1.0
"""Seconds that the repeats of one figure may take."""

STEPS, SINGLES, BATCHES = 3, 20, 3
STEPS_AT_MOST = 6.0
"""Seconds of timed training steps after which two of them are enough."""

LONG = 0.5
"""Seconds from which on a batch is not doubled: what a call costs beside its items is nothing by
then.
"""


def measured_stage(spec: JobSpec, parts: Parts, reporter: Reporter) -> dict[str, Any]:
    """What the stage gives, measured where it is not there yet."""
    stage = spec.measure
    if stage is None:
        raise TypeError("nothing is measured of a job without a network")
    with telling_memory(f"in measuring{at_batch(spec)}"):
        return cached_stage(
            spec.stage_folder("measure", stage.key),
            stage,
            spec.code,
            lambda _: run_measuring(parts, reporter),
        )


def run_measuring(parts: Parts, reporter: Reporter) -> dict[str, Any]:
    """Measure parameters, multiply-adds, memory, throughput and latency."""
    passes = (_sizes, _latencies, _embedding, _training)
    reporter.stage("measure", len(passes))
    measured, before = Measured(parts), cpu_times()
    found = _predicted(parts.spec)
    for done, measure in enumerate(passes, start=1):
        found |= measure(measured)
        reporter.advance(done)
    waited = cpu_times().since(before).share
    return Resources(**found, measuring_cpu_wait=waited).model_dump(mode="json")


def expected_seconds(single: float, steps: Sequence[float], threads: int, *, audio: bool) -> float:
    """About how long these passes will take.

    Args:
        single: seconds to embed one item of `ITEM_SECONDS`, or one picture.
        steps: seconds of a step of each training.
        threads: threads that torch computes with.
        audio: whether the items are sounds.
    """
    lengths = [seconds / ITEM_SECONDS for seconds in LENGTHS] if audio else [1.0]
    singles = sum(_repeated(single * length, SINGLES, 3) for length in lengths)
    batches, batch = 0.0, single
    for _ in range(ON_PROCESSOR.bit_length()):
        batches += _repeated(batch, BATCHES, 3)
        if batch >= LONG:
            break
        batch *= 2
    training = sum(2 * step for step in steps) + sum(3 * step for step in steps[:1])
    return singles * (1 if threads == 1 else 2) + batches + training


def _repeated(seconds: float, repeats: int, fewest: int) -> float:
    """One warm-up and the repeats within `AT_MOST`, as `timed` counts them."""
    within = math.ceil(AT_MOST / seconds) if seconds > 0 else repeats
    return seconds * (1 + min(repeats, max(fewest, within)))


def _sizes(measured: Measured) -> dict[str, Any]:
    system = measured.system
    system.eval()
    one = example(measured.parts, 1, ITEM_SECONDS)
    return {
        "parameters": parameters(system.trunk),
        "macs": multiply_adds(system.trunk, system.inputs(one)),
        "macs_input": f"{ITEM_SECONDS:g} s of audio" if measured.audio else "one picture",
        "checkpoint_bytes": sum(each.nbytes for each in system.state_dict().values()),
    }


def _predicted(spec: JobSpec) -> dict[str, Any]:
    """What was predicted before: of a step, and of what fits the budget."""
    return {
        "training_prediction": spec.prediction,
        "largest_training_batch": spec.largest_training,
        "largest_inference_batch": spec.embedding.largest,
    }


def _latencies(measured: Measured) -> dict[str, Any]:
    """One item at a time: on a processor with one thread and with all."""
    every = measured.parts.spec.threads
    threads = (every,) if measured.device.type == "cuda" else tuple(sorted({1, every}))
    lengths = LENGTHS if measured.audio else (0.0,)
    found = []
    for seconds in lengths:
        for count in threads:
            times = _latency(measured, seconds, count)
            told = {"p50": times.median, "p95": times.p95}
            found.append(Latency(seconds=seconds, threads=count, **told))
    table = next(each for each in found if each.threads == every)
    return {"latencies": found, "latency_p50": table.p50, "latency_p95": table.p95}


def _latency(measured: Measured, seconds: float, threads: int) -> Times:
    one = example(measured.parts, 1, seconds or None)
    try:
        torch.set_num_threads(threads)
        return measured.embedding_times(one, SINGLES, AT_MOST)
    finally:
        torch.set_num_threads(measured.parts.spec.threads)


def _embedding(measured: Measured) -> dict[str, Any]:
    """Throughput at the batch that gives most; memory there, in a pass of its own."""
    times = {1: _embedded(measured, 1)}
    while 2 * max(times) <= measured.most_at_once and times[max(times)].median < LONG:
        times[2 * max(times)] = _embedded(measured, 2 * max(times))
    batch = min(times, key=lambda items: times[items].median / items)
    raw = example(measured.parts, batch, ITEM_SECONDS)
    with PeakMemory(measured.device) as peak:
        measured.embed(raw)
    amount = batch * (ITEM_SECONDS if measured.audio else 1)
    return {
        "inference_batch": batch,
        "inference_memory": peak.memory,
        "inference_prediction": measured.parts.spec.embedding.at.get(batch),
        "inference_per_second": amount / times[batch].median,
        "inference_spread": _rates(amount, times[batch]),
        "throughput_unit": "seconds of audio" if measured.audio else "pictures",
    }


def _embedded(measured: Measured, batch: int) -> Times:
    return measured.embedding_times(example(measured.parts, batch, ITEM_SECONDS), BATCHES, AT_MOST)


def _training(measured: Measured) -> dict[str, Any]:
    """Memory of each of a recipe's trainings, the most told; then speed, of the first one."""
    recipe = measured.parts.spec.recipe
    if recipe is None:
        return {}
    peaks: list[Memory] = []
    speed: dict[str, Any] = {}
    for phase in recipe.phases:
        step = training_step(measured, phase)
        with PeakMemory(measured.device) as peak:
            # The optimiser's state is there from the second step on.
            step()
            step()
        peaks.append(peak.memory)
        speed = speed or _training_speed(measured, phase.batch, step)
        del step
    return {
        "batch_asked": recipe.batch,
        "batch_used": recipe.batch,
        "micro_batches": parts_of(recipe.batch, recipe.micro_batch or recipe.batch),
        "training_memory": max(peaks, key=lambda each: each.bytes),
        **speed,
    }


def _training_speed(measured: Measured, batch: int, step: Callable[[], None]) -> dict[str, Any]:
    """Of a step that ran before: it is warm."""
    joules = energy_counter(measured.device)
    times = time_action(step, STEPS, 0, device=measured.device, at_most=STEPS_AT_MOST, fewest=2)
    before = joules() if joules else 0.0
    if joules:
        step()
    return {
        "training_per_second": batch / times.median,
        "training_spread": _rates(batch, times),
        "joules_per_item": (joules() - before) / batch if joules else None,
    }


def _rates(amount: float, times: Times) -> Spread:
    short, long = times.quartiles
    return Spread(low=amount / long, high=amount / short)
