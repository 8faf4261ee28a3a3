"""Stored fingerprints of every model and loss that the benchmark names: `make fingerprints`.

An entry is stored anew where its version was raised, or where another environment computes the
same numbers within rounding; other numbers under the same version are refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.records.documents import readable_json
from harness.records.files import write_text
from harness.testing import Fingerprint, check_fingerprint, fingerprint
from tests.entries import BENCHMARK, made

STORED = Path(__file__).with_suffix(".json")
NAMES = [
    (section, name) for section in ("models", "losses") for name in getattr(BENCHMARK, section)
]


def stored() -> dict[tuple[str, str], Fingerprint]:
    document = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    return {
        (section, name): read(entry)
        for section, entries in document.items()
        for name, entry in entries.items()
    }


def read(entry: dict[str, Any]) -> Fingerprint:
    numbers = {name: tuple(entry[name]) for name in ("projections", "losses")}
    return Fingerprint(version=entry["version"], environment=entry["environment"], **numbers)


def store() -> None:
    before, document = stored(), {"models": {}, "losses": {}}
    for section, name in NAMES:
        adapter, known = made(section, name), before.get((section, name))
        if known is not None and known.version == type(adapter).version:
            check_fingerprint(adapter, known)
        document[section][name] = asdict(fingerprint(adapter))
    write_text(STORED, readable_json(document))


if __name__ == "__main__":
    store()
