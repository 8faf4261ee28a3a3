"""Import of some modules of a package without the package: no other file of it is run."""

from __future__ import annotations

import ast
import importlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

Files = dict[str, Path]
"""Files by the names of their modules."""

_ALONE = threading.RLock()
"""Held while names of a foreign package are in `sys.modules`."""


@contextmanager
def import_from(files: Files, module: str) -> Iterator[ModuleType]:
    """Import a module of a package out of these files alone.

    Within the context the package's names mean these files; before and after, they mean others.

    Args:
        files: the module's file and those of all that it imports of its package.
        module: its full name.
    """
    package = module.partition(".")[0]
    finder = _Finder(files)
    with _ALONE:
        aside = _remove_modules(package)
        sys.meta_path.insert(0, finder)
        try:
            yield importlib.import_module(module)
        finally:
            sys.meta_path.remove(finder)
            _remove_modules(package)
            sys.modules.update(aside)


def closure(root: Path, package: str, module: str) -> Files:
    """Return the files that a module needs of its package, its own among them.

    A package's `__init__` is one of them only if a file imports a name of it.

    Args:
        root: the folder above the package.
        package: the package's name.
        module: the module's full name.
    """
    files: Files = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        initial = root.joinpath(*name.split("."), "__init__.py")
        file = next((path for path in (_path(root, name), initial) if path.is_file()), None)
        if file is None or name in files:
            continue
        files[name] = file
        waiting += [each for each in _imports(root, name, file) if _inside(each, package)]
    return files


def _imports(root: Path, module: str, file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if (_path(root, alias.name)).is_file())
        if isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:  # the dots before it are resolved
                up = node.level - (file.name == "__init__.py")
                parts = module.split(".")[: -up or None]
                start = ".".join([*parts, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{start}.{alias.name}"
                yield inner if _path(root, inner).is_file() else start


def _path(root: Path, module: str) -> Path:
    return root.joinpath(*module.split(".")).with_suffix(".py")


def _inside(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def _remove_modules(package: str) -> dict[str, ModuleType]:
    """Take a package's modules out of `sys.modules`, and return them."""
    names = [name for name in sys.modules if _inside(name, package)]
    return {name: sys.modules.pop(name) for name in names}


class _Finder(MetaPathFinder):
    """Finds the given files, and bare packages above them."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the file of a module, or an empty package."""
        del path, target
        file = self.files.get(fullname)
        if file is not None:
            inner: list[str] | None = [] if file.name == "__init__.py" else None
            return spec_from_file_location(fullname, file, submodule_search_locations=inner)
        if any(name.startswith(f"{fullname}.") for name in self.files):
            return ModuleSpec(fullname, None, is_package=True)
        return None
