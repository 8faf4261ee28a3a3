"""The design's floors: an import only ever points down, and there are no circles."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS = {
    "harness": 0,
    "harness.errors": 0,
    "harness.metrics": 1,
    "harness.scoring": 1,
    "harness.records": 1,
    "harness.config": 1,
    "harness.recipes": 1,
    "harness.adapter": 2,
    "harness.measure": 2,
    "harness.data": 2,
    "harness.scorefiles": 2,
    "harness.tasks": 3,
    "harness.train": 3,
    "harness.testing": 3,
    "harness.job": 4,
    "harness.plan": 5,
    "harness.execute": 5,
    "harness.submit": 5,
    "harness.diagnosis": 5,
    "harness.campaign": 6,
    "harness.verify": 6,
    "harness.rejudging": 6,
    "harness.details": 6,
    "harness.reproduction": 6,
    "harness.history": 6,
    "harness.board": 6,
    "harness.cli": 7,
}

TORCH = {"torch", "torchaudio", "torchvision", "timm", "speechbrain", "lightning_fabric"}
WITHOUT_TORCH = (0, 1, 5, 6, 7)
"""Floors whose modules import no torch when they are imported."""


def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted((ROOT / "harness").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def room(module: str) -> str:
    return next(
        name
        for name in sorted(FLOORS, key=len, reverse=True)
        if f"{module}.".startswith(f"{name}.")
    )


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in inner}
    return names


def at_import(tree: ast.Module) -> set[str]:
    plain = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return imported(ast.Module(body=plain, type_ignores=[]))


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module):
    floor = FLOORS[room(module)]
    ours = {name for name in imported(MODULES[module]) if name.split(".")[0] == "harness"}
    upward = {name for name in ours if FLOORS[room(name)] > floor}
    assert upward == set()


def test_there_are_no_circles():
    graph = {module: at_import(tree) & set(MODULES) - {module} for module, tree in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert len(order) == len(MODULES)


@pytest.mark.parametrize(
    "module", [module for module in sorted(MODULES) if FLOORS[room(module)] in WITHOUT_TORCH]
)
def test_the_ground_and_the_commands_import_no_torch(module):
    assert {name.split(".")[0] for name in at_import(MODULES[module])} & TORCH == set()


def test_adapters_import_nothing_of_the_harness_but_the_interface():
    paths = list((ROOT / "adapters").rglob("*.py"))
    assert paths
    for path in paths:
        ours = {
            name
            for name in imported(ast.parse(path.read_text(encoding="utf-8")))
            if name.split(".")[0] == "harness"
        }
        assert ours <= {"harness.adapter"}, path
