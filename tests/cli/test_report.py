"""`harness report`: pages of real runs, with crops of the test where they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

from harness.registry.crop_curve import CURVE, CropCurve
from harness.run.job.evaluate_stage import TEST_USES
from tests.tiny import TinyBenchmark

PAGE = "report.html"


def uses(tiny: TinyBenchmark) -> list[dict]:
    path = tiny.record_path("tiny").parents[2] / TEST_USES
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_crops_are_judged_once_kept_and_counted_as_a_use_of_the_test(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    record, path = tiny.record("tiny"), str(tiny.record_path("tiny"))
    before = uses(tiny)
    done = tiny.run("report", path, "--test-crops", "-o", str(tmp_path / "first"))
    assert done.status == 0, done.err
    assert "the test in crops, whole utterances" in done.err
    kept = tiny.stage(record, "evaluate") / CURVE
    curve = CropCurve.model_validate_json(kept.read_text())
    assert [(point.seconds, point.count) for point in curve.points] == [
        (None, 1), (0.5, 1), (0.5, 2), (0.5, 4), (0.5, 8)
    ]  # fmt: skip
    # Whole utterances are judged as the record was, by the same weights and lists.
    own = record["metrics"]["eer"]
    assert curve.points[0].metric.value == own["value"]
    assert (curve.points[0].metric.low, curve.points[0].metric.high) == (own["low"], own["high"])
    (use,) = uses(tiny)[len(before) :]
    earlier = next(each for each in before if each["seed"] == 0)
    same = ("model", "loss", "seed", "recipe", "configuration")
    assert {name: use[name] for name in same} == {name: earlier[name] for name in same}
    assert use["evaluation"].startswith("test-crops-")
    # What is kept is shown without being asked for, and judged no second time.
    content = kept.read_bytes()
    done = tiny.run("report", path, "--test-crops", "-o", str(tmp_path / "second"))
    assert done.status == 0, done.err
    assert kept.read_bytes() == content
    assert len(uses(tiny)) == len(before) + 1
    pages = [(tmp_path / name / PAGE).read_text() for name in ("first", "second")]
    assert pages[0] == pages[1]
    assert "EER by number of crops" in pages[0]


def test_crops_need_the_weights(tiny: TinyBenchmark, tmp_path: Path) -> None:
    record, path = tiny.record("tiny"), str(tiny.record_path("tiny"))
    weights = next(tiny.stage(record, "train").glob("*.safetensors"))
    weights.unlink()
    before = uses(tiny)
    done = tiny.run("report", path, "--test-crops", "-o", str(tmp_path / "page"))
    assert done.status == 2
    assert f"{weights}: not here" in done.err
    assert uses(tiny) == before


def test_two_seeds_stand_side_by_side_in_a_page_and_in_markdown(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    paths = [str(tiny.record_path("tiny", seed)) for seed in (0, 7)]
    done = tiny.run("report", *paths, "--markdown", "-o", str(tmp_path))
    assert done.status == 0, done.err
    page, text = (tmp_path / PAGE).read_text(), (tmp_path / "report.md").read_text()
    for name in ("seed 0", "seed 7", "Recall@1", "Train/Loss"):
        assert name in page
        assert name in text
    named = {line.split("](")[1].rstrip(")") for line in text.splitlines() if "](" in line}
    assert named
    assert all((tmp_path / each).is_file() for each in named)


def test_crops_run_the_adapters_code_in_a_worker_alone(tiny: TinyBenchmark, tmp_path: Path) -> None:
    module = tiny.folder / "tiny_models.py"
    told = tmp_path / "imported"
    tell = f"import sys\nopen({str(told)!r}, 'a').write(sys.argv[0] + '\\n')\n"
    module.write_text(module.read_text() + tell)
    path = str(tiny.record_path("tiny"))
    done = tiny.run("report", path, "--test-crops", "-o", str(tmp_path / "page"))
    assert done.status == 0, done.err
    # A worker that is a copy of a prepared process is called as that one was, by `python -m`.
    assert {Path(line).name for line in told.read_text().splitlines()} <= {"worker.py", "-m"}


def test_crops_are_not_embedded_by_another_version_of_the_adapter(
    tiny: TinyBenchmark, tmp_path: Path
) -> None:
    module = tiny.folder / "tiny_models.py"
    module.write_text(module.read_text().replace("version = 1", "version = 2"))
    before = uses(tiny)
    path = str(tiny.record_path("tiny"))
    done = tiny.run("report", path, "--test-crops", "-o", str(tmp_path / "page"))
    assert done.status == 2
    assert "was trained by version 1" in done.err
    assert uses(tiny) == before
