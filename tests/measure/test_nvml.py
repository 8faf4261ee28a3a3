"""What a GPU's driver tells, by a stand-in for it; and what it does not tell."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
import torch

from harness.errors import RequestError
from harness.measure import device, timing
from harness.measure.nvml import GpuState, disturbances, driver_version, gpu_driver
from tests.measure.fake_nvml import QUESTIONS, FakeNvml, install

CARD = torch.device("cuda")
IN_KERNEL = """NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 2023
GCC version:  gcc version 12.2.0
"""


def test_a_card_that_counts_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeNvml(clock=1350, reasons=0x44, processes=(7, 7, 9)))
    driver = gpu_driver(CARD)
    assert driver is not None
    assert driver.state() == GpuState(clock=1350, most=1980, reasons=0x44, others=1)
    joules = device.energy_counter(CARD)
    assert joules is not None
    assert joules() == pytest.approx(11.0)
    assert driver_version() == "580.65.06"


@pytest.mark.parametrize("refused", QUESTIONS)
def test_nothing_that_a_driver_refuses_ends_a_measurement(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, refused: str
) -> None:
    install(monkeypatch, FakeNvml((refused,)))
    monkeypatch.setattr(timing, "WARM_UP", 0.0)
    counter = device.energy_counter(CARD)
    assert (counter is None) is (
        refused in ("nvmlInit", *(q for q in QUESTIONS if "UUID" in q or "Energy" in q))
    )
    taken = timing.time_action(lambda: None, device=CARD, at_least=0.0, joules=counter, most=3)
    assert len(taken.seconds) == 3
    assert taken.disturbances == ()
    assert driver_version(tmp_path / "none") in ("580.65.06", None)


def test_a_counter_that_fails_meanwhile_gives_no_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = install(monkeypatch, FakeNvml())
    monkeypatch.setattr(timing, "WARM_UP", 0.0)
    counter = device.energy_counter(CARD)

    def lost() -> None:
        nvml.refused = ("nvmlDeviceGetTotalEnergyConsumption",)

    assert timing.time_action(lost, device=CARD, joules=counter, most=1, fewest=1).joules is None


def test_a_machine_without_the_package_or_the_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    version = tmp_path / "version"
    assert driver_version(version) is None
    version.write_text(IN_KERNEL)
    for absent in (None, FakeNvml(("nvmlInit",))):
        monkeypatch.setitem(sys.modules, "pynvml", absent)
        assert gpu_driver(CARD) is None
        assert device.energy_counter(CARD) is None
        assert driver_version(version) == "535.129.03"


def test_a_figure_of_a_throttled_card_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = install(monkeypatch, FakeNvml(processes=(1, 2)))
    monkeypatch.setattr(timing, "WARM_UP", 0.0)

    def heats() -> None:
        nvml.facts |= {"reasons": 0x20, "clock": 1200}

    taken = timing.time_action(heats, device=CARD, at_least=0.0)
    assert taken.disturbances == (
        "slowed by heat, to 1,200 of 1,980 MHz", "shared with 1 other process",
    )  # fmt: skip
    # Idle, clocks that somebody chose, and displays are no throttling.
    assert disturbances(GpuState(900, 1980, 0x103, 0), GpuState(900, 1980, 0x10, 0)) == ()


def test_a_gpu_is_warm_and_waited_for_before_clock_and_counter_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, FakeNvml())
    monkeypatch.setattr(timing, "WARM_UP", 0.05)
    monkeypatch.setattr(timing, "ENERGY", 0.1)
    said: list[str] = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: said.append("wait"))
    taken = timing.time_action(
        lambda: (said.append("run"), time.sleep(0.005)),
        device=CARD,
        at_least=0.01,
        joules=lambda: float(said.append("count") or len(said)),
    )
    begin, end = (place for place, word in enumerate(said) if word == "count")
    # Five in the warm-up at the least, where a processor's takes one.
    assert said[:begin].count("run") >= 5
    assert said[begin - 1] == said[end - 1] == "wait"
    # As long as energy takes, though the figure alone would be content with less.
    assert sum(taken.seconds) >= 0.1
    assert said[begin:end].count("run") == len(taken.seconds)
    assert taken.joules == end - begin


def test_a_driver_that_is_too_old_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "glob", lambda self, pattern: iter([Path("/dev/nvidia0")]))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(device, "driver_version", lambda: "535.129.03")
    assert device.choose_device("auto") == "cpu"
    with pytest.raises(RequestError, match=r"CUDA 13.0 needs NVIDIA's driver 580 .* 535.129.03"):
        device.choose_device("cuda")


def test_an_apple_gpu_is_taken_if_it_is_asked_for_by_name_and_there(monkeypatch, capsys):
    import torch

    from harness.cli import options

    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(RequestError, match="no Apple GPU here; use --device cpu"):
        device.choose_device("mps")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    asked = options.asked_network(None, None, None, Path("runs"), options.Device.mps)
    assert asked.device == "mps"
    assert "nobody has seen this program on an Apple GPU" in capsys.readouterr().err
    assert device.choose_device("auto") != "mps"
