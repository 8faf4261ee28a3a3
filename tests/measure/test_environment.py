"""The environment of a measurement."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy
import pytest
import torch

from harness.measure.environment import (
    environment,
    environment_digest,
    fast_precision,
    processor_name,
)


def test_it_names_the_machine_and_the_libraries() -> None:
    here = environment("cpu", threads=1)
    assert here.device == "cpu"
    assert here.threads == 1
    assert here.processor == processor_name() != ""
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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\n"
            "flags\t\t: fpu avx avx2\n\nprocessor\t: 1\ncpu family\t: 26\n",
            "AMD EPYC (family 25, model 1, AVX2)",
        ),
        (
            "cpu family\t: 6\nmodel\t: 143\nmodel name\t: Intel(R) Xeon(R) Processor\n"
            "flags\t: avx avx2 avx512f\n",
            "Intel(R) Xeon(R) Processor (family 6, model 143, AVX-512)",
        ),
        ("processor\t: 0\nBogoMIPS\t: 50.00\n", platform.processor() or platform.machine()),
    ],
)
def test_generations_of_one_model_name_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr("harness.measure.environment._CPU_INFO", tmp_path / "cpuinfo")
    assert processor_name() == name


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("fpu avx2 avx512f", "32-true"),
        ("fpu avx2 avx512f avx512_bf16", "bf16-mixed"),
        ("fpu amx_tile amx_bf16", "bf16-mixed"),
    ],
)
def test_bfloat16_is_fast_where_the_processor_has_instructions_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, precision: str
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\n")
    monkeypatch.setattr("harness.measure.environment._CPU_INFO", tmp_path / "cpuinfo")
    assert fast_precision("cpu") == precision
    assert fast_precision("mps") == "32-true"
