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
from harness.board.record_paths import details_path, scores_path
from harness.board.record_store import record_files
from harness.config.loader import LoadedBenchmark, load
from harness.records.documents import readable_json, sha256_file
from tests.places import ROOT

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
        return next(path for path in self.records() if path.name.startswith(f"{model}-"))

    def records(self) -> list[Path]:
        return record_files(self.folder)

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def commit(self) -> None:
        git(self.top, "add", "--all")
        git(self.top, "commit", "--quiet", "-m", "Change")

    def make_new(self, record: Path) -> None:
        """Commit everything but a record and what lies beside it, which stay in the work tree."""
        beside = {path: path.read_bytes() for path in record.parent.glob(f"{record.stem}*")}
        for path in beside:
            path.unlink()
        build(self.folder)
        self.commit()
        for path, content in beside.items():
            path.write_bytes(content)


def make_copy(top: Path) -> Copy:
    """The digits' records with their tables, committed."""
    copy = Copy(top)
    (copy.folder / DIGITS).parent.mkdir(parents=True)
    for name in ("benchmark.toml", "benchmark.lock"):
        shutil.copy(ROOT / name, top)
    git(top, "init", "--quiet")
    copy.commit()
    shutil.copytree(ROOT / "leaderboards" / DIGITS, copy.folder / DIGITS)
    for signature in copy.folder.rglob("*.sig"):
        signature.unlink()
    _name_code(copy)
    build(copy.folder)
    copy.commit()
    return copy


def _name_code(copy: Copy) -> None:
    """Let the first commit be the code of all records, as a new repository has no other."""
    asked = ["git", "-C", str(copy.top), "rev-parse", "HEAD"]
    commit = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

    def known(document: dict[str, Any]) -> None:
        document["code"] = commit
        for stage in document["stages"].values():
            if stage.get("code"):
                stage["code"] = commit

    for path in copy.records():
        edit(path, known)
        rebind(path)


def rebind(record: Path) -> None:
    """Let the details beside a record be of it as it is now."""
    details = record.with_name(details_path(record.name))
    document = json.loads(details.read_text())
    details.write_text(readable_json(document | {"record": sha256_file(record)}))


def edit(record: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a record's document, spelled as the harness spells it."""
    document = json.loads(record.read_text())
    change(document)
    record.write_text(readable_json(document))


def forbid_scores(copy: Copy) -> None:
    """Let no scores of the digits be published, by the benchmark and by each record."""
    config = copy.top / "benchmark.toml"
    head, name, rest = config.read_text().partition("[datasets.digits]")
    rest = rest.replace("publish_scores = true", "publish_scores = false", 1)
    config.write_text(head + name + rest)
    for path in copy.records():
        if json.loads(path.read_text())["dataset"]["publish_scores"]:
            edit(path, lambda document: document["dataset"].update(publish_scores=False))
            rebind(path)
            (copy.folder / scores_path(copy.name(path))).unlink(missing_ok=True)
