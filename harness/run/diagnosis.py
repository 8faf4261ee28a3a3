"""Diagnose this machine: the device, libraries, corpora and adapters that each suite needs."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import psutil

from harness.config.loader import LoadedBenchmark
from harness.datasets.corpus_folders import Absence, find
from harness.errors import HarnessError
from harness.measure.device import cores, missing_gpu
from harness.measure.environment import library_versions, processor_name
from harness.run.plan.adapter_workers import describe

GIB = 2**30
WANTED_DISK_GIB = 5

LIBRARIES = ("torch", "torchaudio", "torchvision", "speechbrain", "timm", "lightning_fabric")

ONE_OF = {"models": "model", "losses": "loss"}

Finding = dict[str, str]


def diagnose(loaded: LoadedBenchmark) -> list[Finding]:
    """Look at machine, libraries, corpora and adapters; `missing` findings need a mend."""
    memory = psutil.virtual_memory().total / GIB
    machine = f"{processor_name()}, {cores()} cores, {memory:.0f} GiB"
    return [
        _finding("note", "machine", machine),
        _device(),
        _disk(),
        *(_library(name) for name in LIBRARIES),
        *(_dataset(loaded, name) for name in loaded.benchmark.datasets),
        *(_adapter(loaded, "models", name) for name in loaded.benchmark.models),
        *(_adapter(loaded, "losses", name) for name in loaded.benchmark.losses),
    ]


def _device() -> Finding:
    if why := missing_gpu():
        return _finding("note", "device", f"{why}; jobs run on the processor")
    import torch

    free, total = torch.cuda.mem_get_info()
    name = torch.cuda.get_device_name()
    return _finding("ok", "device", f"{name}, {free / GIB:.1f} of {total / GIB:.1f} GiB free")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / GIB
    state = "ok" if free >= WANTED_DISK_GIB else "missing"
    wanted = "" if state == "ok" else f"; {WANTED_DISK_GIB} GiB are wanted for runs"
    return _finding(state, "disk", f"{free:.0f} GiB free here{wanted}")


def _library(name: str) -> Finding:
    if importlib.util.find_spec(name) is None:
        return _finding("missing", name, "not installed; `make setup` installs it")
    return _finding("ok", name, library_versions().get(name, "installed"))


def _dataset(loaded: LoadedBenchmark, name: str) -> Finding:
    suites = [key for key, suite in loaded.benchmark.suites.items() if name in suite.datasets]
    about = f"dataset {name} ({', '.join(suites) or 'in no suite'})"
    try:
        found = find(loaded, name)
    except HarnessError as error:
        return _finding("missing", about, str(error))
    if isinstance(found, Absence):
        return _finding("note", about, found.message())
    return _finding("ok", about, str(found[1]) if found[0].needs_folder else "embedded")


def _adapter(loaded: LoadedBenchmark, kind: str, name: str) -> Finding:
    table = getattr(loaded.benchmark, kind)[name]
    about = f"{ONE_OF[kind]} {name}"
    try:
        describe(table, loaded.where(kind, name), is_loss=kind == "losses")
    except HarnessError as error:
        return _finding("missing", about, str(error))
    return _finding("ok", about, table.adapter)


def _finding(state: str, about: str, text: str) -> Finding:
    return {"state": state, "about": about, "text": text}
