"""`harness evaluate`: weights that were made elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.tiny import TinyBenchmark


def test_the_weights_of_a_run_give_its_numbers(tiny: TinyBenchmark, tmp_path: Path) -> None:
    record = tiny.record("tiny", 7)
    weights = tmp_path / "from elsewhere.safetensors"
    shutil.copyfile(tiny.stage(record, "train") / "weights.safetensors", weights)
    done = tiny.run(
        "evaluate", "--checkpoint", str(weights), "--model", "tiny", "--dataset", "voices",
        "--suite", "own", "--json",
    )  # fmt: skip
    assert done.status == 0, done.err
    (table,) = done.json["tables"]
    row = next(row for row in table["rows"] if row["track"] == "checkpoint")
    assert row["metrics"]["eer"]["value"] == record["metrics"]["eer"]["value"]
    assert row["loss"] is None
    assert done.json["ran"] == 1
