"""CN-Celeb's own size, with invented sound: prepared, trained for a step, scored, published."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.config.merging import builtin_benchmark
from tests.data.full_size import write_full_size
from tests.places import ROOT
from tests.tiny import COMMAND

pytestmark = pytest.mark.long

SUITE = ("--suite", "speaker", "--dataset", "cnceleb")


def call(folder: Path, *arguments: str) -> str:
    """Run a command in a process of its own; what it took is shown with `pytest -s`."""
    surroundings = os.environ | {"HARNESS_DATA": str(folder / "corpora"), "PYTHONPATH": str(ROOT)}
    before = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    told = f"{' '.join(arguments[:2])}: {time.monotonic() - before:.0f} s, {most:.2f} GiB at most"
    sys.stderr.write(f"{told}\n")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_corpus_of_full_size_goes_from_its_files_to_a_table(tmp_path: Path) -> None:
    write_full_size(tmp_path / "corpora" / "cnceleb")
    for name in ("benchmark.toml", "benchmark.lock"):
        source = builtin_benchmark().with_name(name)
        (tmp_path / name).write_bytes(source.read_bytes())
    counts = json.loads(call(tmp_path, "data", "prepare", "cnceleb", "--json"))["counts"]
    assert counts["train"]["units"] + counts["validation"]["units"] == 2_793
    assert (counts["test"]["trials"], counts["test"]["targets"]) == (3_484_292, 17_755)

    settings = ("--set", "steps=1", "--set", "checkpoints=1", "--device", "cpu")
    call(tmp_path, "run", *SUITE, "--model", "ecapa-512", *settings)
    call(tmp_path, "publish", "--folder", "published")
    page = (tmp_path / "published" / "speaker.md").read_text("utf-8")
    assert "3,484,292 trials" in page
    assert "Unpinned: cnceleb agrees with its published counts" in page
    assert "ecapa-512 + aam" in page
    call(tmp_path, "board", "check", "--folder", "published")
