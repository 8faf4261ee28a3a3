"""The tables of the page on memory are what `harness measure` gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from docs.memory import GPU, MODELS, PAGE, main
from harness.config.imports import construct
from harness.config.loader import load
from tests.board.published_copy import ROOT

GIB = 2**30


def measured(device: str, batches: tuple[int, ...] = (32,)) -> dict[str, Any]:
    """What a call gives that measures one network at some batches."""
    on_gpu = device != "cpu"
    threads = [2] if on_gpu else [1, 2]
    return {
        "schema": 1,
        "suite": "speaker",
        "profile": "quick",
        "dataset": "open-26666",
        "budget": {"usable": 5 * GIB},
        "environment": {
            "device": device,
            "processor": "A processor",
            "threads": 2,
            "libraries": {"torch": "2.14.1"},
        },
        "models": [
            {
                "model": "net",
                "state": "done",
                "options": [],
                "plan": f"{batch}",
                "batch": batch,
                "micro_batch": None,
                "parameters": 1_234_567,
                "macs": 1_500_000_000,
                "macs_input": "2 s of audio",
                "training_prediction": {
                    "activations": batch * 3 * 2**20,
                    "peak": GIB,
                    "reserved": 2 * GIB,
                },
                "training_memory": {"bytes": int(2.1 * GIB), "counted": "gpu"},
                "largest_training_batch": 1_200,
                "largest_inference_batch": None,
                "training_per_second": 61.4,
                "inference_per_second": 150.2,
                "inference_batch": 16,
                "throughput_unit": "seconds of audio",
                "first_result_seconds": 4.04,
                "latencies": [
                    {"seconds": seconds, "threads": count, "p50": 0.02 * seconds / count}
                    for seconds in (2.0, 5.0)
                    for count in threads
                ],
            }
            for batch in batches
        ]
        + [{"model": "broken", "state": "failed", "options": []}],
    }


def shown(page: Path, name: str) -> list[list[str]]:
    """The rows of a table without its heading."""
    text = page.read_text(encoding="utf-8")
    _, _, rest = text.partition(f"<!-- {name} -->")
    block, _, _ = rest.partition(f"<!-- end of {name} -->")
    lines = [line for line in block.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    copy = tmp_path / "memory.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def fill(page: Path, *documents: dict[str, Any], gpu: bool = False) -> int:
    paths = [page.with_name(f"{number}.json") for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_text(json.dumps(document))
    return main([*map(str, paths), "--page", str(page), *(["--gpu"] if gpu else [])])


def test_a_processors_figures_fill_the_table_of_models(page):
    before = shown(page, GPU)
    assert fill(page, measured("cpu")) == 0
    assert shown(page, MODELS) == [
        ["net", "1,234,567", "1.50", "32", "3.0", "1.00, 2.00", "1,200, -", "61.4", "150 (16)",
         "20, 50", "40, 100", "4.0"],
    ]  # fmt: skip
    assert shown(page, GPU) == before


def test_a_gpus_figures_stand_beside_what_was_predicted_at_every_batch(page):
    before = shown(page, MODELS)
    assert fill(page, measured("A card", (16, 64)), measured("cpu"), gpu=True) == 0
    assert shown(page, GPU) == [
        ["net", batch, "2.00", "2.10", "+5.0%", "61.4", "150 (16)", "20, 50"]
        for batch in ("16", "64")
    ]
    assert "A card, 2 threads, torch 2.14.1; shapes of open-26666" in page.read_text()
    assert shown(page, MODELS) == before


def test_filling_again_changes_nothing(page):
    fill(page, measured("A card"))
    once = page.read_bytes()
    fill(page, measured("A card"))
    assert page.read_bytes() == once


def test_the_page_shows_every_model_that_takes_sound():
    models = load(ROOT / "benchmark.toml").benchmark.models
    kinds = {
        name: construct(table.adapter, table.fields, name).inputs().kind
        for name, table in models.items()
    }
    assert [row[0] for row in shown(PAGE, MODELS)] == [
        name for name, kind in kinds.items() if kind == "audio"
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "no JSON"),
        ("[]", "not of harness measure --json, schema 1"),
        ('{"schema": 2, "models": []}', "not of harness measure --json, schema 1"),
    ],
)
def test_another_file_is_refused_and_the_page_stays(page, content, complaint, capsys):
    before, other = page.read_bytes(), page.with_name("other.json")
    other.write_text(content)
    assert main([str(other), "--page", str(page)]) == 2
    assert f"{other}: {complaint}" in capsys.readouterr().err
    assert page.read_bytes() == before


def test_a_page_without_a_place_for_the_table_is_told(page, capsys):
    page.write_text("# Another page")
    assert fill(page, measured("cpu")) == 2
    assert "write <!-- models --> and <!-- end of models --> into it" in capsys.readouterr().err
