"""WeSpeaker's networks from a checkout, without what its package imports beside them."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest
from torch import nn

MODELS = "wespeaker.models"


def wespeaker_network(file: str, network: str, **arguments: int | str) -> nn.Module:
    """Builds a network of a file of WeSpeaker's models; skips where there is no checkout."""
    folder = Path(os.environ.get("WESPEAKER", "")) / "wespeaker" / "models"
    if "WESPEAKER" not in os.environ or not folder.is_dir():
        pytest.skip("WESPEAKER names no checkout of github.com/wenet-e2e/wespeaker")
    _bare_package("wespeaker")
    package = _bare_package(MODELS)
    package.pooling_layers = _module(folder, "pooling_layers")  # type: ignore[attr-defined]
    built: nn.Module = getattr(_module(folder, file), network)(**arguments)
    return built


def _bare_package(name: str) -> ModuleType:
    package = sys.modules.setdefault(name, ModuleType(name))
    package.__path__ = []
    return package


def _module(folder: Path, name: str) -> ModuleType:
    full = f"{MODELS}.{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, folder / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]
