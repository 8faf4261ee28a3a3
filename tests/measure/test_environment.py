"""The environment of a measurement."""

from __future__ import annotations

import numpy
import pytest
import torch

from harness.measure.environment import environment, environment_digest


def test_it_names_the_machine_and_the_libraries() -> None:
    here = environment("cpu", threads=1)
    assert here.device == "cpu"
    assert here.threads == 1
    assert here.processor
    assert here.libraries["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert here.libraries["numpy"] == numpy.__version__


def test_the_allocators_settings_are_those_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_TOP_PAD_", raising=False)
    monkeypatch.setenv("MALLOC_MMAP_MAX_", "0")
    allocator = environment("cpu", threads=1).allocator
    assert allocator["MALLOC_MMAP_MAX_"] == "0"
    assert "MALLOC_TOP_PAD_" not in allocator


def test_the_digest_tells_environments_apart() -> None:
    one, again, two = (environment("cpu", threads=threads) for threads in (1, 1, 2))
    assert environment_digest(one) == environment_digest(again) != environment_digest(two)
