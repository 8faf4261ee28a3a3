"""The wheel: it holds all that the program reads, and runs without the repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from tests.places import ROOT

PACKAGES = ("harness", "adapters")
SHIPPED = "harness/shipped"
SPEAKER = ("run", "--suite", "speaker", "--profile", "quick")


def build_wheel(project: Path, folder: Path) -> Path:
    """Build a project's wheel with the build backend alone; nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as held:
        return {name: held.read(name) for name in held.namelist()}


def test_the_wheel_holds_every_file_of_the_packages_and_the_benchmark(wheel: Path) -> None:
    """Templates, scripts and style sheets are files of the packages too."""
    found = contents(wheel)
    wanted = {
        path.relative_to(ROOT).as_posix(): path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    wanted |= {f"{SHIPPED}/{name}": ROOT / name for name in ("benchmark.toml", "benchmark.lock")}
    benchmark = tomllib.loads((ROOT / "benchmark.toml").read_text())
    lists = {each["frozen"] for each in benchmark["datasets"].values() if "frozen" in each}
    wanted |= {f"{SHIPPED}/{name}": ROOT / name for name in lists if (ROOT / name).exists()}
    assert {name.split(".")[-1] for name in wanted} >= {"py", "html", "css", "js", "toml", "lock"}
    assert sorted(wanted.keys() - found.keys()) == []
    assert [name for name, path in wanted.items() if found[name] != path.read_bytes()] == []
    others = {name.split("/")[0] for name in found} - set(PACKAGES)
    assert len(others) == 1
    assert others.pop().endswith(".dist-info")


def test_lists_of_frozen_subsets_are_shipped_beside_the_benchmark(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for package in PACKAGES:
        (project / package).mkdir(parents=True)
        shutil.copy(ROOT / package / "__init__.py", project / package)
    for name in ("pyproject.toml", "README.md", "LICENSE", "benchmark.toml", "benchmark.lock"):
        shutil.copy(ROOT / name, project)
    benchmark = tomllib.loads((ROOT / "benchmark.toml").read_text())
    lists = {each["frozen"] for each in benchmark["datasets"].values() if "frozen" in each}
    assert lists
    for name in lists:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(f"of {name}")
    found = contents(build_wheel(project, tmp_path / "wheel"))
    assert {name: found[f"{SHIPPED}/{name}"].decode() for name in lists} == {
        name: f"of {name}" for name in lists
    }


def installed(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a new environment that has the libraries of this one, by their path.

    Path files in a folder that a path file names are not read, so that a checkout which is
    installed for editing into this environment is not on the path of the new one.
    """
    venv.EnvBuilder(symlinks=True).create(folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True)
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    (own / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return folder / "bin"


@pytest.mark.long
def test_the_speaker_suite_runs_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    """One step of one network; the others are built to be planned."""
    assert "harness run --suite $@ --profile quick" in (ROOT / "Makefile").read_text()
    programs, empty = installed(wheel, tmp_path / "environment"), tmp_path / "empty"
    empty.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HARNESS_DATA", "PYTHONPATH")
    }
    environment = kept | {"HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}

    def said(*command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=empty, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = "import adapters, harness; print(adapters.__file__, harness.__file__)"
    for place in said(programs / "python", "-c", where).split():
        assert Path(place).is_relative_to(tmp_path / "environment")

    planned = json.loads(said(programs / "harness", "plan", *SPEAKER[1:], "--json"))
    assert len(planned["jobs"]) > 3
    few = ("--model", "campplus", "--set", "steps=1", "--set", "validations=1", "--device", "cpu")
    json.loads(said(programs / "harness", *SPEAKER, *few, "--json"))
    records = [json.loads(path.read_text()) for path in empty.glob("runs/*/*/**/record.json")]
    assert sorted(record["state"] for record in records) == ["done", "done"]
    assert {record["code"].split()[0] for record in records} == {"release"}
    assert any((record["recipe"] or {}).get("steps") == 1 for record in records)

    # Pages are made with the wheel's own templates, and from what lies in the folder alone.
    said(programs / "harness", "board", "build", "--folder", "tables")
    assert "<main" in (empty / "tables" / "site" / "index.html").read_text()
