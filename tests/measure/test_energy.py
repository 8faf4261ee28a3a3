"""Energy counters of processor packages, in a folder as Linux shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.measure.device import energy_counter

RANGE = 1_000_000


def package(folder: Path, name: str, spent: int) -> Path:
    place = folder / name
    place.mkdir(parents=True)
    (place / "max_energy_range_uj").write_text(f"{RANGE}\n")
    (place / "energy_uj").write_text(f"{spent}\n")
    return place / "energy_uj"


def test_packages_are_added_and_their_parts_are_not(tmp_path):
    one = package(tmp_path, "intel-rapl:0", 100_000)
    other = package(tmp_path, "intel-rapl:1", 0)
    package(tmp_path, "intel-rapl:0:0", 0).write_text("77")
    joules = energy_counter("cpu", tmp_path)
    assert joules is not None
    assert joules() == 0.0
    one.write_text("350000\n")
    other.write_text("50000\n")
    assert joules() == pytest.approx(0.3)


def test_a_counter_that_begins_again_goes_on(tmp_path):
    file = package(tmp_path, "intel-rapl:0", RANGE - 10)
    joules = energy_counter("cpu", tmp_path)
    assert joules is not None
    file.write_text("189\n")
    assert joules() == pytest.approx(200e-6)


def test_a_machine_that_counts_nothing(tmp_path):
    assert energy_counter("cpu", tmp_path) is None
    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0" / "energy_uj").mkdir()  # there, and not to be read
    assert energy_counter("cpu", tmp_path) is None
