"""Source of networks in another project's checkout: found, kept by its content, imported alone.

The packages of such projects import, when they are imported, much that their networks do not
need. Here only the files that a network's module imports are run, under their own names, and
those names are gone afterwards: two checkouts of one project can serve side by side.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from adapters.upstream_imports import Files, closure, import_from

Place = tuple[str, Path | None]
"""A place of a checkout in words, with the folder if there is one."""


@dataclass(frozen=True)
class Project:
    """A project whose networks can be used.

    Attributes:
        title: its name.
        package: its Python package, the folder of a checkout that holds the source.
        variable: environment variable that names a checkout.
    """

    title: str
    package: str
    variable: str


@dataclass(frozen=True)
class NetworkSource:
    """Source files of a network.

    Attributes:
        module: the module that defines it.
        name: its name there.
        files: module -> file, of that module and of all that it imports of its project.
        digest: sha256 of these files and their names.
    """

    module: str
    name: str
    files: Files
    digest: str

    def build(self, arguments: dict[str, object]) -> object:
        """Import the module and call the network's class or function."""
        with import_from(self.files, self.module) as module:
            return getattr(module, self.name)(**arguments)


def find_source(
    project: Project, network: str, *, checkout: str = "", digest: str = ""
) -> NetworkSource:
    """Find a network, and keep a copy of its source for later processes.

    Args:
        project: the network's project.
        network: class or function, with as much of its module before it as makes it unique.
        checkout: the folder, relative ones below $HARNESS_DATA; empty if nobody names one.
        digest: the required hash of the source; empty if it may be any.

    Raises:
        ValueError: there is no checkout, no such network, or its source is another one.
    """
    kept = _store(digest) if digest and not checkout else None
    if kept is not None and kept.is_dir():
        return _source(project, kept, network)
    found = _source(project, _root(project, checkout), network)
    if digest and found.digest != digest:
        raise ValueError(
            f"the source of {network} here hashes to {found.digest[:12]}, not to "
            f"{digest[:12]}; give the checkout that was used, or leave `source` out"
        )
    return _source(project, _keep(found), network)


def _source(project: Project, root: Path, network: str) -> NetworkSource:
    module, name = _locate(project, root, network)
    files = closure(root, project.package, module)
    digest = hashlib.sha256()
    for each in sorted(files):
        digest.update(f"{each} {hashlib.sha256(files[each].read_bytes()).hexdigest()}\n".encode())
    return NetworkSource(module, name, files, digest.hexdigest())


def _locate(project: Project, root: Path, network: str) -> tuple[str, str]:
    """Return module and name of a network; its last names are enough if they are unique."""
    defined = [
        ".".join((*file.relative_to(root).with_suffix("").parts, name))
        for file in sorted((root / project.package / "models").rglob("*.py"))
        for name in re.findall(r"^(?:class|def) ([A-Za-z]\w*)", file.read_text("utf-8"), re.M)
    ]
    found = [name for name in defined if f".{name}".endswith(f".{network}")]
    if len(found) == 1:
        module, _, name = found[0].rpartition(".")
        return module, name
    if found:
        raise ValueError(f"network {network!r} is several: {', '.join(found)}; write one of these")
    names = sorted({name.rpartition(".")[2] for name in defined})
    close = get_close_matches(network.rpartition(".")[2], names, n=3)
    near = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(names)}"
    raise ValueError(f"{project.title} has no network {network!r}; {near}")


def _root(project: Project, checkout: str) -> Path:
    """Return the folder above the package.

    Raises:
        ValueError: it is nowhere.
    """
    places = [_checkout_folder(checkout)] if checkout else [_variable(project), _package(project)]
    for _, folder in places:
        for root in (folder, folder.parent) if folder else ():
            if (root / project.package / "models").is_dir():
                return root
    raise ValueError(
        f"no checkout of {project.title} (a folder with {project.package}/models) at "
        f"{', nor at '.join(words for words, _ in places)}; give its path as `checkout`, relative "
        f"to $HARNESS_DATA or absolute, set ${project.variable} to it, or install the package "
        f"{project.package}"
    )


def _checkout_folder(checkout: str) -> Place:
    folder = Path(checkout).expanduser()
    root = os.environ.get("HARNESS_DATA")
    if folder.is_absolute():
        return str(folder), folder
    if not root:
        return f"$HARNESS_DATA/{checkout} ($HARNESS_DATA is not set)", None
    return str(Path(root) / folder), Path(root).resolve() / folder


def _variable(project: Project) -> Place:
    value = os.environ.get(project.variable)
    words = f"${project.variable} ({value or 'not set'})"
    return words, Path(value).expanduser().resolve() if value else None


def _package(project: Project) -> Place:
    found = importlib.util.find_spec(project.package)
    folders = list(found.submodule_search_locations or ()) if found else []
    words = f"the installed package {project.package} ({'found' if folders else 'not installed'})"
    return words, Path(folders[0]) if folders else None


def _store(digest: str) -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "trialboard" / "networks" / digest


def _keep(source: NetworkSource) -> Path:
    """Copy a source below its digest, unless it is there already.

    Raises:
        ValueError: nothing can be written there.
    """
    target = _store(source.digest)
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copy = Path(folder) / "copy"
            for module, file in source.files.items():
                parts = module.split(".") + (["__init__"] if file.name == "__init__.py" else [])
                place = copy.joinpath(*parts).with_suffix(".py")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
            try:
                copy.rename(target)
            except OSError:  # whoever was faster has put the same content there
                if not target.is_dir():
                    raise
    except OSError as error:
        raise ValueError(
            f"a copy of the network's source cannot be kept in {target.parent} "
            f"({error.strerror}); set $XDG_CACHE_HOME to a folder that can be written"
        ) from error
    return target
