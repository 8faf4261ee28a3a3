"""How many items of each class train, as a job tells its loss."""

from __future__ import annotations

from pathlib import Path

from harness.config.loader import load
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.run.job.context import JobContext
from harness.run.plan.jobs import plan_checkpoint
from harness.run.plan.request import CheckpointEntry, RunRequest, listing_state
from tests.tiny import make_tiny


def test_counts_are_those_of_the_training_split_by_class(tmp_path: Path) -> None:
    tiny = make_tiny(tmp_path / "own")
    manifest = tiny.folder / "voices" / "manifest.tsv"
    head, *lines = manifest.read_text().splitlines()
    kept = [line for line in lines if int(line[5]) <= 3 - int(line[1:3]) % 3]  # s05-u2: 5 and 2
    manifest.write_text("\n".join([head, *kept]) + "\n")
    (tmp_path / "weights.pt").write_bytes(b"")
    loaded = load(tiny.config)
    request = RunRequest(suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    listing = list_dataset(loaded, "voices", "quick")
    here = {"voices": listing_state(loaded, listing)}
    entry = CheckpointEntry(tmp_path / "weights.pt", "tiny")
    parts = JobContext(plan_checkpoint(loaded, request, here, entry).jobs(here)[1])
    vars(parts)["dataset"] = open_dataset(loaded, listing, tmp_path / "cache")
    found = dict(zip(parts.dataset.classes, parts.counts, strict=True))
    assert found == {label: 4 - int(label[1:]) % 3 for label in parts.dataset.classes}
    assert len(set(parts.counts)) > 1
