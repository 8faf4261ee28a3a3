"""A disk that is full is a row that says so; the others, and the same command, go on."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.tiny import Finished, TinyBenchmark, ended, finished_tiny, plain_environment

NEW = ("run", "--suite", "own", "--loss", "softmax", "--seeds", "0", "--device", "cpu", "--json")

LIMITED = """
import resource, sys
resource.setrlimit(resource.{limit}, ({most}, resource.getrlimit(resource.{limit})[1]))
from harness.cli import main
main()
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyBenchmark:
    tiny = finished_tiny(tmp_path_factory.getbasetemp(), tmp_path_factory.mktemp("full") / "own")
    tiny.run("data", "prepare", "voices")  # a pack belongs to the place of its corpus
    return tiny


def limited(tiny: TinyBenchmark, limit: str, most: int) -> Finished:
    """Run a new job where files may only be so large, or so many of them open."""
    script = LIMITED.format(limit=limit, most=most)
    process = subprocess.Popen(
        [sys.executable, "-c", script, *tiny.arguments(*NEW)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tiny.folder.parent,
        env=plain_environment(),
    )
    return ended(process)


def states(done: Finished) -> dict[str, dict[str, Any]]:
    (table,) = done.json["tables"]
    return {row["model"]: row for row in table["rows"]}


def test_a_full_disk_is_a_row_and_the_same_command_goes_on(tiny: TinyBenchmark) -> None:
    # No record fits either: the row is told all the same.
    full = limited(tiny, "RLIMIT_FSIZE", 1_000)
    rows = states(full)
    assert full.status == 1
    assert rows["MFCC statistics"]["state"] == "done"
    assert rows["tiny"]["state"] == "failed"
    assert f" at {tiny.runs.resolve()}" in rows["tiny"]["reason"]
    assert "the same command again" in rows["tiny"]["reason"]
    assert "Traceback" not in full.err

    again = tiny.run(*NEW)
    assert (again.status, again.json["ran"]) == (0, 1), again.err
    assert states(again)["tiny"]["state"] == "done"
