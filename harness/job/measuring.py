"""The stage `measure`: what a system costs, in passes of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.config.recipes import Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.data.front_end import raw_tensor
from harness.job.parts import Parts
from harness.job.report import Reporter
from harness.measure.cost import multiply_adds, parameters
from harness.measure.memory import PeakMemory
from harness.measure.speed import latency, median_seconds
from harness.measure.waiting import cpu_times
from harness.records.record import Memory, Resources
from harness.train.accumulation import Precision, learn
from harness.train.optimizer import make_optimizer
from harness.train.system import System

AUDIO_SECONDS = 2.0
"""Length of the utterance behind multiply-adds, latency and embedding throughput."""

TRAINING_STEPS, WARM_UP, SINGLES, BATCHES = 3, 1, 20, 3
EMBEDDING_BATCH = 16


def run_measuring(parts: Parts, reporter: Reporter) -> dict[str, Any]:
    """Measure parameters, multiply-adds, peak memory, throughput and latency."""
    reporter.stage("measure", 1)
    system, before = parts.system(), cpu_times()
    inference = _inference(parts, system)
    training = _training(parts, system) if parts.spec.recipe else {}
    waited = cpu_times().since(before).share
    reporter.advance(1)
    return Resources(**inference, **training, measuring_cpu_wait=waited).model_dump(mode="json")


def _inference(parts: Parts, system: System) -> dict[str, Any]:
    system.eval()
    audio = parts.dataset.listing.corpus.kind == "audio"
    one, many = _example(parts, 1).to(parts.device), _example(parts, EMBEDDING_BATCH)
    many = many.to(parts.device)
    with torch.inference_mode(), PeakMemory(parts.device) as peak:
        singles = latency(
            lambda: system.output(one, "embedding"),
            repeats=SINGLES,
            warmup=WARM_UP,
            device=parts.device,
        )
        seconds = median_seconds(
            lambda: system.output(many, "embedding"),
            repeats=BATCHES,
            warmup=WARM_UP,
            device=parts.device,
        )
    amount = EMBEDDING_BATCH * (AUDIO_SECONDS if audio else 1)
    return {
        "parameters": parameters(system.trunk),
        "macs": multiply_adds(system.trunk, system.inputs(one)),
        "macs_input": f"{AUDIO_SECONDS:g} s of audio" if audio else "one picture",
        "inference_memory": peak.memory,
        "inference_per_second": amount / seconds,
        "throughput_unit": "seconds of audio" if audio else "pictures",
        "latency_p50": singles.p50,
        "latency_p95": singles.p95,
    }


def _training(parts: Parts, system: System) -> dict[str, Any]:
    """The first training's speed, and the most memory that any of its phases takes."""
    recipe = parts.spec.recipe
    if recipe is None:
        raise TypeError("a system without a recipe is not trained")
    measured = [_phase(parts, system, phase) for phase in recipe.phases]
    return {
        "batch_asked": recipe.batch,
        "batch_used": recipe.batch,
        "micro_batches": recipe.batch // (recipe.micro_batch or recipe.batch),
        "training_memory": max((memory for _, memory in measured), key=lambda each: each.bytes),
        "training_per_second": recipe.batch / measured[0][0],
    }


def _phase(parts: Parts, system: System, recipe: Recipe) -> tuple[float, Memory]:
    """Seconds a step and peak memory of one training."""
    system.train()
    optimizer = make_optimizer(recipe.optimizer, system.parameters())
    raw = _example(parts, recipe.batch, recipe.crop_seconds).to(parts.device)
    labels = _labels(recipe, len(parts.dataset.classes)).to(parts.device)
    autocast = partial(
        torch.autocast,
        parts.device.type,
        dtype=torch.bfloat16 if recipe.precision.startswith("bf16") else torch.float16,
        enabled=recipe.precision != "32-true",
    )
    precision = Precision(autocast, torch.Tensor.backward)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        learn(system, system.inputs(raw), labels, recipe.micro_batch, precision)
        optimizer.step()

    with PeakMemory(parts.device) as peak:
        seconds = median_seconds(step, repeats=TRAINING_STEPS, warmup=WARM_UP, device=parts.device)
    return seconds, peak.memory


def _labels(recipe: Recipe, classes: int) -> Tensor:
    """As many of each label as the recipe draws."""
    different = recipe.sampler.speakers if recipe.sampler else recipe.batch
    return torch.arange(recipe.batch) % min(different, classes)


def _example(parts: Parts, batch: int, seconds: float | None = AUDIO_SECONDS) -> Tensor:
    """Noise of the shape of the dataset's items: speed does not depend on what is said."""
    generator = np.random.Generator(np.random.PCG64(0))
    subset = parts.dataset.subset("train")
    if parts.dataset.listing.corpus.kind == "audio":
        samples = round(seconds * SAMPLE_RATE) if seconds else subset.length(0)
        noise = generator.normal(0, 3000, (batch, samples)).astype(np.int16)
        return raw_tensor(list(noise))
    shape = (batch, *subset.item(0).shape)
    return raw_tensor(list(generator.integers(0, 255, shape, dtype=np.uint8)))
