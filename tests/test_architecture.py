"""The design's floors: an import only ever points down, and there are no circles."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FLOORS = {
    "harness": 0,
    "harness.errors": 0,
    "harness.metrics": 1,
    "harness.records": 1,
    "harness.config": 1,
    "harness.scoring": 2,
    "harness.series": 2,
    "harness.recipes": 2,
    "harness.adapter": 3,
    "harness.measure": 3,
    "harness.trials": 3,
    "harness.health": 3,
    "harness.data": 4,
    "harness.datasets": 5,
    "harness.feeding": 6,
    "harness.tasks": 7,
    "harness.train": 7,
    "harness.testing": 7,
    "harness.budget": 8,
    "harness.run": 9,
    "harness.board": 9,
    "harness.registry": 10,
    "harness.search": 10,
    "harness.report": 11,
    "harness.use": 11,
    "harness.cli": 12,
}

TORCH = {"torch", "torchaudio", "torchvision", "timm", "speechbrain", "lightning_fabric"}
COMPUTING = {
    f"harness.{name}"
    for name in (
        "adapter",
        "measure",
        "feeding",
        "tasks",
        "train",
        "testing",
        "budget",
        "run.job",
        "use.network",
    )
}
"""The rooms that may import torch when they are imported."""


def computes(module: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in COMPUTING)


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


def arrows_between(rooms: dict[str, str]) -> dict[str, set[str]]:
    """Room -> rooms that any of its modules imports anything of, at whatever time."""
    arrows: dict[str, set[str]] = {room: set() for room in rooms.values()}
    for module, home in rooms.items():
        others = imported(MODULES[module]) & set(rooms)
        arrows[home] |= {rooms[other] for other in others} - {home}
    return arrows


def inner_rooms(parent: str) -> dict[str, str]:
    """Module -> folder directly below ``parent``; modules of ``parent`` itself are left out."""
    depth = parent.count(".") + 2
    return {
        module: ".".join(module.split(".")[:depth])
        for module in MODULES
        if module.startswith(f"{parent}.") and module.count(".") >= depth
    }


@pytest.mark.parametrize("parent", sorted(name for name in FLOORS if inner_rooms(name)))
def test_rooms_stand_in_no_circle(parent):
    rooms = inner_rooms(parent)
    order = list(TopologicalSorter(arrows_between(rooms)).static_order())
    assert set(order) == set(rooms.values())


def test_a_public_class_has_a_name_of_its_own():
    found = defaultdict(set)
    for module, tree in MODULES.items():
        for each in tree.body:
            if isinstance(each, ast.ClassDef) and not each.name.startswith("_"):
                found[each.name].add(module)
    assert {name: homes for name, homes in found.items() if len(homes) > 1} == {}


@pytest.mark.parametrize("module", [module for module in sorted(MODULES) if not computes(module)])
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
