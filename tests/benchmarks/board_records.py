"""Published records by the thousand, as a busy leaderboard has them, the same on every machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.board.record_paths import is_record, scores_path
from harness.records.documents import digest, readable_json, sha256
from harness.records.record import SCHEMA

ROOT = Path(__file__).resolve().parent.parent.parent
LIKE = ROOT / "leaderboards/records/matched/quick/speechocean762"
"""Where there is a real record; the others are like it."""

ENTRIES = 800
"""Entries of a table: three quarters have three seeds, the others one."""

SUITE = 10
"""Tables of a suite."""

SCORES = b"scores"
"""Beside each record, so that it is ranked."""

UNITS = 50
STAGES = ("train", "evaluate", "measure")
METRICS = ("eer", "min_dcf")
COSTS = ("training_per_second", "inference_per_second", "latency_p50", "latency_p95")

_HOLE = re.compile('"(@[^"]+)"|(%[a-z]+%)')


def write_records(folder: Path, tables: int, entries: int = ENTRIES) -> int:
    """Write the records of some tables below a folder.

    Args:
        folder: where the tables lie.
        tables: how many.
        entries: of each, a multiple of four.

    Returns:
        How many records there are.
    """
    for table in range(tables):
        place = folder / f"records/suite-{table // SUITE}/quick/voices-{table}"
        place.mkdir(parents=True, exist_ok=True)
        pieces = _HOLE.split(readable_json(_template(table)))
        for name, numbers in _records(table, entries):
            (place / f"{name}.json").write_text(_filled(pieces, numbers), encoding="utf-8")
            (place / scores_path(name)).write_bytes(SCORES)
    return tables * entries * 5 // 2


def _template(table: int) -> dict[str, Any]:
    """A real record of which numbers and names are holes: `"@..."` are numbers, `%...%` words."""
    like = next(path for path in LIKE.glob("campplus-aam-seed0-*.json") if is_record(path.name))
    document: dict[str, Any] = json.loads(like.read_text(encoding="utf-8"))
    units = [f"speaker-{number:04}" for number in range(UNITS)]
    document["schema"] = SCHEMA
    document["protocol"] |= {"suite": f"suite-{table // SUITE}", "suite_title": ""}
    document["protocol"]["digest"] = digest(["rules", table])
    document["dataset"] |= {"name": f"voices-{table}", "title": "", "lock": digest(table)}
    document["artefacts"]["scores"] = {"sha256": sha256(SCORES), "bytes": len(SCORES)}
    document["model"]["name"] = "%model%"
    document["seed"] = "@seed"
    for name, stage in document["stages"].items():
        stage["key"] = f"%{name}%"
        stage["inputs"]["model"]["name"] = "%model%"
    document["metrics"] |= {
        name: {"value": f"@{name}", "low": f"@{name} low", "high": f"@{name} high", "unit": unit}
        for name, unit in zip(METRICS, ("%", ""), strict=True)
    }
    document["left_one_out"] = {
        name: {unit: f"@{name} {unit}" for unit in units} for name in METRICS
    }
    document["resources"] |= {name: f"@{name}" for name in COSTS}
    document["resources"]["cpu_wait"] = 0.01
    return document


def _records(table: int, entries: int) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The name of each record's file, and what its holes are filled with."""
    rng = np.random.default_rng(table)
    shared = rng.normal(0, 0.15, UNITS)
    for entry in range(entries):
        rate = float(np.exp(rng.normal(np.log(0.05), 0.4)))
        hard = shared + rng.normal(0, 0.1, UNITS)
        speed = float(np.exp(rng.normal(0, 0.8)))
        for seed in range(3 if entry < entries * 3 // 4 else 1):
            drawn = rate * float(np.exp(rng.normal(0, 0.05)))
            keys = {f"%{name}%": digest([table, entry, seed, name]) for name in STAGES}
            words = {**keys, "%model%": f"network-{entry:03}", "@seed": str(seed)}
            numbers = _numbers(drawn, hard, speed * float(np.exp(rng.normal(0, 0.02))))
            yield f"network-{entry:03}-aam-seed{seed}-{keys['%train%'][:12]}", words | numbers


def _numbers(rate: float, hard: NDArray[np.float64], speed: float) -> dict[str, str]:
    numbers = {
        "@training_per_second": 30 * speed,
        "@inference_per_second": 90 * speed,
        "@latency_p50": 0.04 / speed,
        "@latency_p95": 0.05 / speed,
    }
    for name, value in zip(METRICS, (rate, min(1.0, 8 * rate)), strict=True):
        left = value * (1 + 0.02 * (hard - hard.mean()))
        numbers |= {f"@{name}": value, f"@{name} low": 0.8 * value, f"@{name} high": 1.2 * value}
        numbers |= {f"@{name} speaker-{i:04}": float(each) for i, each in enumerate(left)}
    return {name: repr(value) for name, value in numbers.items()}


def _filled(pieces: list[str | Any], filled: Mapping[str, str]) -> str:
    """A record's text; of three pieces in a row, one is text and one of two is a hole."""
    texts, numbers, words = pieces[::3], pieces[1::3], pieces[2::3]
    holes = [filled[number or word] for number, word in zip(numbers, words, strict=True)]
    return "".join(part for both in zip(texts, [*holes, ""], strict=True) for part in both)
