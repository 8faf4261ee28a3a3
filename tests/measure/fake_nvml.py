"""A stand-in for NVML: one card, and what its driver refuses."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch


class NVMLError(Exception):
    """As of the package: no RuntimeError."""


class FakeNvml(ModuleType):
    """The part of `nvidia-ml-py` that is asked.

    Args:
        refused: names of the questions that the driver does not answer.
        facts: answers in place of those of an idle card.
    """

    NVML_CLOCK_SM = 1
    NVMLError = NVMLError

    def __init__(self, refused: tuple[str, ...] = (), **facts: Any) -> None:
        super().__init__("pynvml")
        self.refused = refused
        usual = {"millijoules": 5_000, "clock": 1980, "reasons": 0, "processes": (1,)}
        self.facts = {**usual, **facts}

    def _answer(self, question: str, answer: Any) -> Any:
        if question in self.refused:
            raise NVMLError("Not Supported")
        return answer

    def nvmlInit(self) -> None:
        self._answer("nvmlInit", None)

    def nvmlSystemGetDriverVersion(self) -> str:
        return self._answer("nvmlSystemGetDriverVersion", "580.65.06")

    def nvmlDeviceGetHandleByUUID(self, name: str) -> str:
        assert name == "GPU-0b35e55f"
        return self._answer("nvmlDeviceGetHandleByUUID", name)

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
        self.facts["millijoules"] += 3_000
        return self._answer("nvmlDeviceGetTotalEnergyConsumption", self.facts["millijoules"])

    def nvmlDeviceGetClockInfo(self, handle: str, kind: int) -> int:
        return self._answer("nvmlDeviceGetClockInfo", self.facts["clock"])

    def nvmlDeviceGetMaxClockInfo(self, handle: str, kind: int) -> int:
        return self._answer("nvmlDeviceGetMaxClockInfo", 1980)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: str) -> int:
        return self._answer("nvmlDeviceGetCurrentClocksThrottleReasons", self.facts["reasons"])

    def nvmlDeviceGetComputeRunningProcesses(self, handle: str) -> list[SimpleNamespace]:
        running = [SimpleNamespace(pid=pid) for pid in self.facts["processes"]]
        return self._answer("nvmlDeviceGetComputeRunningProcesses", running)


QUESTIONS = tuple(name for name in vars(FakeNvml) if name.startswith("nvml"))


def install(patch: pytest.MonkeyPatch, nvml: FakeNvml) -> FakeNvml:
    """Let the stand-in be found, with a card that torch sees."""
    patch.setitem(sys.modules, "pynvml", nvml)
    card = SimpleNamespace(uuid="0b35e55f")
    patch.setattr(torch.cuda, "get_device_properties", lambda device: card)
    patch.setattr(torch.cuda, "synchronize", lambda device: None)
    return nvml
