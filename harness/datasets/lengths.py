"""Frames of a sound under a declared front end, and sounds too short for a network or baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.adapter import Fbank, Input, Spectrogram, TfMel
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark
from harness.config.schema import Suite
from harness.config.tables import Component
from harness.data.corpus import SAMPLE_RATE
from harness.errors import ADAPTER_ERRORS


def frame_count(declared: Input, samples: int) -> int:
    """Return the frames of a waveform: items with as many frames share a batch without padding."""
    if not isinstance(declared, Fbank | Spectrogram):
        return samples
    length, shift = _least_and_shift(declared)
    return 1 + (samples - length) // shift if samples >= length else 0


def samples_for(declared: Input, frames: int) -> int:
    """Return the samples that give exactly so many frames."""
    if not isinstance(declared, Fbank | Spectrogram):
        return frames
    length, shift = _least_and_shift(declared)
    return length + (frames - 1) * shift


def _least_and_shift(declared: Fbank | Spectrogram) -> tuple[int, int]:
    """Return the samples of the shortest sound that has a frame, and the shift between frames."""
    length, shift = frame_samples(declared)
    return length - 2 * padding(declared), shift


def padding(declared: Fbank | Spectrogram) -> int:
    """Return the zeros that a front end puts before a sound, and after it."""
    return frame_samples(declared)[1] // 2 if isinstance(declared, TfMel) else 0


def frame_samples(declared: Fbank | Spectrogram) -> tuple[int, int]:
    """Return the length of a frame and the shift between frames, in samples."""
    length, shift = declared.frame_length_ms, declared.frame_shift_ms
    return int(SAMPLE_RATE * length / 1000), int(SAMPLE_RATE * shift / 1000)


def least_frames(declared: Input) -> int:
    """Return the fewest frames that a network can embed; 1 if it has no frames."""
    return declared.least_frames if isinstance(declared, Fbank | Spectrogram) else 1


@dataclass(frozen=True)
class Need:
    """The input of a network, or of a baseline.

    Attributes:
        who: its name.
        declared: its input.
    """

    who: str
    declared: Input

    @property
    def samples(self) -> int:
        """Samples of the shortest sound that it takes."""
        return samples_for(self.declared, least_frames(self.declared))

    @property
    def least(self) -> str:
        """The shortest sound that it takes, for a person."""
        return f"{_count_frames(least_frames(self.declared))} ({self.samples / SAMPLE_RATE:.3f} s)"


Ask = Callable[[str, Component], Input | None]
"""Returns the input that a model declares in its table; None if its adapter fails."""


@contextmanager
def inputs_asked_by(ask: Ask) -> Iterator[None]:
    """Ask for models' inputs by another function, as one that uses a process of its own."""
    before = _ASK.set(ask)
    try:
        yield
    finally:
        _ASK.reset(before)


def _construct_here(name: str, table: Component) -> Input | None:
    try:
        found: Input = construct(table.adapter, table.fields, f"models.{name}").inputs()
    except ADAPTER_ERRORS:
        return None
    return found


_ASK: ContextVar[Ask] = ContextVar("_ASK", default=_construct_here)


def needs_of(loaded: LoadedBenchmark, suite: Suite, models: Iterable[str]) -> tuple[Need, ...]:
    """Return the needs of a suite's baseline and of some models.

    Args:
        loaded: the benchmark.
        suite: the suite.
        models: names of models.
    """
    tables = loaded.benchmark.models
    ask = _ASK.get()
    inputs = {name: ask(name, tables[name]) for name in dict.fromkeys(models) if name in tables}
    inputs |= _baseline(suite)
    return tuple(
        Need(name, declared)
        for name, declared in inputs.items()
        if declared is not None and declared.kind == "audio"
    )


def every_need(loaded: LoadedBenchmark, dataset: str) -> tuple[Need, ...]:
    """Return the needs of all suites that have a dataset.

    Args:
        loaded: the benchmark.
        dataset: its table, or one of its folds.
    """
    fold = loaded.fold(dataset)
    table = fold.of if fold else dataset
    needs: list[Need] = []
    for suite in loaded.benchmark.suites.values():
        if table in suite.datasets:
            models = [each.model for each in suite.systems if not suite.left_out(table, each)]
            needs += needs_of(loaded, suite, models)
    return tuple(dict.fromkeys(needs))


def too_short(lengths: NDArray[np.int64], needs: Iterable[Need]) -> dict[int, str]:
    """Return row -> reason for the sounds that are too short for one of the needs.

    Empty items, which could not be read, are not among them.

    Args:
        lengths: samples of each item, `[items]`.
        needs: the most demanding of them decides.
    """
    by_samples: dict[int, list[Need]] = {}
    for need in needs:
        by_samples.setdefault(need.samples, []).append(need)
    if not by_samples:
        return {}
    most = max(by_samples)
    asking = by_samples[most]
    who = " and ".join(need.who for need in asking)
    wants = f"{who} need{'' if len(asking) > 1 else 's'} {asking[0].least}"
    reasons = {}
    for row in np.flatnonzero((lengths > 0) & (lengths < most)).tolist():
        samples = int(lengths[row])
        frames = _count_frames(frame_count(asking[0].declared, samples))
        reasons[row] = f"too short: {samples / SAMPLE_RATE:.3f} s, {frames}; {wants}"
    return reasons


def _count_frames(frames: int) -> str:
    return f"{frames} frame{'' if frames == 1 else 's'}"


def _baseline(suite: Suite) -> dict[str, Any]:
    try:
        task = construct(suite.task, suite.parameters, "task", others=(), key="task")
        return {str(task.baseline_name): getattr(task, "baseline_input", None)}
    except ADAPTER_ERRORS:
        return {}
