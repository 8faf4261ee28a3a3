"""A copy of real published records in a git repository of its own, to be tampered with."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.board.publishing.published_tables import build
from harness.config.loader import LoadedBenchmark, load
from harness.records.documents import readable_json

ROOT = Path(__file__).resolve().parents[2]
DIGITS = Path("records", "image", "quick", "digits")


def git(repository: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(repository), *who, *arguments], check=True)


@dataclass(frozen=True)
class Copy:
    """A repository with a benchmark and published tables.

    Attributes:
        top: the work tree; its first commit holds everything.
    """

    top: Path

    @property
    def folder(self) -> Path:
        return self.top / "leaderboards"

    @property
    def loaded(self) -> LoadedBenchmark:
        return load(self.top / "benchmark.toml")

    def record(self, model: str = "efficientnet-b0") -> Path:
        """A record on the digits, which scikit-learn ships."""
        names = (self.folder / DIGITS).glob(f"{model}-*.json")
        return next(path for path in names if "details" not in path.name)

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def commit(self) -> None:
        git(self.top, "add", "--all")
        git(self.top, "commit", "--quiet", "-m", "Change")


def make_copy(top: Path) -> Copy:
    """The digits' records with their tables, committed."""
    copy = Copy(top)
    (copy.folder / DIGITS).parent.mkdir(parents=True)
    for name in ("benchmark.toml", "benchmark.lock"):
        shutil.copy(ROOT / name, top)
    shutil.copytree(ROOT / "leaderboards" / DIGITS, copy.folder / DIGITS)
    build(copy.folder)
    git(top, "init", "--quiet")
    copy.commit()
    return copy


def edit(record: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record's document, spelled as the harness spells it."""
    document = json.loads(record.read_text())
    change(document)
    record.write_text(readable_json(document))
