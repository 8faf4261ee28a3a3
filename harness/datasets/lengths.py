"""How short sounds may be for the networks and the baseline that are to judge them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.adapter import Input
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark
from harness.config.suites import Suite
from harness.config.tables import Component
from harness.data.corpus import SAMPLE_RATE
from harness.datasets.frames import frame_count, least_frames, least_samples
from harness.errors import ADAPTER_ERRORS


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
        return least_samples(self.declared)

    @property
    def least(self) -> str:
        """The shortest sound that it takes, for a person."""
        frames = least_frames(self.declared)
        length = f"{self.samples / SAMPLE_RATE:.3f} s"
        return f"{frames} frame{'s' if frames > 1 else ''} ({length})"


Ask = Callable[[str, Component], Input | None]


def declared_input(name: str, table: Component) -> Input | None:
    """The input that a model declares; None where its adapter cannot tell it.

    Its code runs in this process, unless `inputs_asked_by` says who else runs it.

    Args:
        name: the model.
        table: its table in the benchmark file.
    """
    return _ASK.get()(name, table)


@contextmanager
def inputs_asked_by(ask: Ask) -> Iterator[None]:
    """Let something else run adapters' code (see `harness.run.plan.adapter_workers`)."""
    before = _ASK.set(ask)
    try:
        yield
    finally:
        _ASK.reset(before)


def _asked_here(name: str, table: Component) -> Input | None:
    try:
        found: Input = construct(table.adapter, table.fields, f"models.{name}").inputs()
    except ADAPTER_ERRORS:
        return None
    return found


_ASK: ContextVar[Ask] = ContextVar("_ASK", default=_asked_here)


def needs_of(loaded: LoadedBenchmark, suite: Suite, models: Iterable[str]) -> tuple[Need, ...]:
    """What a suite's baseline and some models need of sounds.

    Args:
        loaded: the benchmark.
        suite: the suite.
        models: names of models.
    """
    tables = loaded.benchmark.models
    inputs = {
        name: declared_input(name, tables[name]) for name in dict.fromkeys(models) if name in tables
    }
    inputs |= _baseline(suite)
    return tuple(
        Need(name, declared)
        for name, declared in inputs.items()
        if declared is not None and declared.kind == "audio"
    )


def every_need(loaded: LoadedBenchmark, dataset: str) -> tuple[Need, ...]:
    """What all suites that have a dataset need of its sounds.

    Args:
        loaded: the benchmark.
        dataset: its table, or one of its folds.
    """
    fold = loaded.fold(dataset)
    table = fold.of if fold else dataset
    suites = [each for each in loaded.benchmark.suites.values() if table in each.datasets]
    needs = [
        need
        for suite in suites
        for need in needs_of(
            loaded,
            suite,
            [each.model for each in suite.systems if not suite.left_out(table, each)],
        )
    ]
    return tuple(dict.fromkeys(needs))


def too_short(lengths: NDArray[np.int64], needs: Iterable[Need]) -> dict[int, str]:
    """Rows of the sounds that are too short for one of the needs -> why.

    Empty ones, which could not be read, are not among them.

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
    short = np.flatnonzero((lengths > 0) & (lengths < most)).tolist()
    return {row: f"{_length(int(lengths[row]), asking[0])}; {wants}" for row in short}


def _length(samples: int, need: Need) -> str:
    frames = frame_count(need.declared, samples)
    plural = "" if frames == 1 else "s"
    return f"too short: {samples / SAMPLE_RATE:.3f} s, {frames} frame{plural}"


def _baseline(suite: Suite) -> dict[str, Any]:
    try:
        task = construct(suite.task, suite.parameters, "task", others=(), key="task")
        return {str(task.baseline_name): getattr(task, "baseline_input", None)}
    except ADAPTER_ERRORS:
        return {}
