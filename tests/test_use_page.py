"""The tables after export of the page on use are what `harness export --judge` wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.after_export import PAGE, main
from harness.records.documents import readable_json
from harness.records.record import Metric
from harness.use.after_export import AfterExport, Cost, JudgedFile
from harness.use.export_facts import ExportedFile
from tests.board.conftest import make_record

RUN = make_record(recipe={"steps": 1}, recipe_name="short")


def judged(value: float, latency: float) -> AfterExport:
    """An export of one file, whose error rate is above the run's by a tenth of a point."""
    file = ExportedFile(
        name="model.onnx", input="waveform", input_shape=("batch", "samples"),
        output="embedding", output_size=192, items=16, difference=1e-6, score_difference=1e-6,
        bytes=3 * 2**20, latency=latency, latency_of_pytorch=0.05, cpu_wait=0.01,
    )  # fmt: skip
    own, apart = (
        Metric(value=value, unit="%"),
        Metric(value=0.001, low=-0.002, high=0.004, unit="%"),
    )
    cost = Cost(metric="eer", run=RUN.metrics["eer"], exported=own, difference=apart)
    return AfterExport(
        run=RUN,
        files=(JudgedFile(file=file, sha256="", costs=(cost,), metrics={"eer": own}, record=""),),
        processor="A processor",
        libraries={"onnxruntime": "1.2"},
        made="2026-11-30T09:00:00Z",
    )


@pytest.fixture
def page(tmp_path: Path) -> Path:
    copy = tmp_path / "use.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def fill(page: Path, *documents: AfterExport) -> int:
    paths = [page.with_name(f"{number}.json") for number in range(len(documents))]
    for path, each in zip(paths, documents, strict=True):
        path.write_text(readable_json(each.model_dump(mode="json", by_alias=True)))
    return main([*map(str, paths), "--page", str(page)])


def test_each_run_has_its_table_in_the_order_given(page: Path) -> None:
    assert fill(page, judged(0.051, 0.02), judged(0.061, 0.03)) == 0
    text = page.read_text(encoding="utf-8")
    _, _, after = text.partition("<!-- after export -->")
    block, _, _ = after.partition("<!-- end of after export -->")
    rows = [line for line in block.splitlines() if line.startswith("| `model.onnx`")]
    assert rows == [
        "| `model.onnx` | 5.10 | +0.10 (-0.20 to 0.40) | 3.0 | 20.0 |",
        "| `model.onnx` | 6.10 | +0.10 (-0.20 to 0.40) | 3.0 | 30.0 |",
    ]
    assert block.count("2026-11-30, A processor, onnxruntime 1.2.") == 2
    fill(page, judged(0.051, 0.02), judged(0.061, 0.03))
    assert page.read_text(encoding="utf-8") == text


def test_another_file_is_refused_and_the_page_stays(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, other = page.read_bytes(), page.with_name("other.json")
    other.write_text('{"schema": 2}')
    assert main([str(other), "--page", str(page)]) == 2
    assert f"{other}: an after-export's schema 2" in capsys.readouterr().err
    assert page.read_bytes() == before
