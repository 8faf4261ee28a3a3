"""Fills the tables of `memory.md` from what `harness measure --json` gave.

`python -m docs.memory runs/measured.json ...`, from the root of the repository. What was measured
on a processor fills the table of models, what was measured on a GPU that of predictions.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tabulate import tabulate

from docs.marks import filled
from harness.records.files import write_text

PAGE = Path(__file__).with_suffix(".md")
MODELS, GPU = "models", "predicted and measured"
MIB, GIB = 2**20, 2**30
NONE = "-"

Document = dict[str, Any]
Row = dict[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the tables of which there is something new; the others stay."""
    parser = argparse.ArgumentParser(prog="python -m docs.memory", description=__doc__)
    parser.add_argument("measured", nargs="+", type=Path, help="of harness measure --json")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to fill; its own")
    parser.add_argument("--gpu", action="store_true", help="leave the table of processors alone")
    asked = parser.parse_args(arguments)
    try:
        documents = [read(path) for path in asked.measured]
        text = asked.page.read_text(encoding="utf-8")
        for name, table in tables(documents, (GPU,) if asked.gpu else (MODELS, GPU)):
            text = filled(text, name, table)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 2
    write_text(asked.page, text)
    return 0


def read(path: Path) -> Document:
    """What a call measured.

    Raises:
        ValueError: the file is not what `harness measure --json` gives.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != 1 or "models" not in document:
        raise ValueError(f"{path}: not of harness measure --json, schema 1")
    return document


def tables(
    documents: Sequence[Document], names: Sequence[str] = (MODELS, GPU)
) -> Iterator[tuple[str, str]]:
    """The tables that something was measured for, of those named; each with its Markdown."""
    for name in names:
        row = _model if name == MODELS else _compared
        parts = [
            f"{_place(each)}:\n\n{_table([row(model) for model in _done(each)])}"
            for each in documents
            if _done(each) and _on_gpu(each) == (name == GPU)
        ]
        if parts:
            yield name, "\n\n".join(parts)


def _done(document: Document) -> list[Document]:
    return [model for model in document["models"] if model["state"] == "done"]


def _on_gpu(document: Document) -> bool:
    return bool(document["environment"]["device"] != "cpu")


def _place(document: Document) -> str:
    """What the rows of a table share."""
    where = document["environment"]
    name = where["device"] if _on_gpu(document) else where["processor"]
    options = sorted({option for model in document["models"] for option in model["options"]})
    return (
        f"{name}, {where['threads']} threads, torch {where['libraries']['torch']}; shapes of "
        f"{document['dataset']} in suite {document['suite']}, profile {document['profile']}; "
        f"budget {document['budget']['usable'] / GIB:.3g} GiB"
        + (f"; with {', '.join(options)}" if options else "")
    )


def _model(model: Document) -> Row:
    """What a network costs, whatever it is trained on."""
    told = model["training_prediction"]
    at_once = model["micro_batch"] or model["batch"]
    every = max(each["threads"] for each in model["latencies"])
    return {
        "model": model["model"],
        "parameters": f"{model['parameters']:,}",
        f"GMAC, {model['macs_input']}": f"{model['macs'] / 1e9:.2f}",
        "batch": model["plan"],
        "activations an item, MiB": f"{told['activations'] / MIB / at_once:.1f}" if told else NONE,
        "step: peak, reserved, GiB": f"{_gib(told['peak'])}, {_gib(told['reserved'])}"
        if told
        else NONE,
        "fits at once: trained, embedded": ", ".join(
            _count(model[f"largest_{use}_batch"]) for use in ("training", "inference")
        ),
        "items/s trained": f"{model['training_per_second']:.3g}",
        f"{model['throughput_unit']}/s embedded (batch)": _embedded(model),
        "latency, ms: all threads": _latencies(model, every),
        "one thread": _latencies(model, 1),
        "first result, s": f"{model['first_result_seconds']:.1f}",
    }


def _compared(model: Document) -> Row:
    """What was predicted of a step, beside what a GPU's allocator took."""
    told, seen = model["training_prediction"], model["training_memory"]["bytes"]
    every = max(each["threads"] for each in model["latencies"])
    return {
        "model": model["model"],
        "batch": model["plan"],
        "predicted, GiB": _gib(told["reserved"]) if told else NONE,
        "measured, GiB": _gib(seen),
        "measured more by": f"{seen / told['reserved'] - 1:+.1%}" if told else NONE,
        "items/s trained": f"{model['training_per_second']:.3g}",
        f"{model['throughput_unit']}/s embedded (batch)": _embedded(model),
        "latency, ms": _latencies(model, every),
    }


def _gib(size: int) -> str:
    return f"{size / GIB:.2f}"


def _count(items: int | None) -> str:
    return NONE if items is None else f"{items:,}"


def _embedded(model: Document) -> str:
    return f"{model['inference_per_second']:.3g} ({model['inference_batch']})"


def _latencies(model: Document, threads: int) -> str:
    """Medians, the shortest item first."""
    found = [each for each in model["latencies"] if each["threads"] == threads]
    return ", ".join(f"{1e3 * each['p50']:.0f}" for each in found) or NONE


def _table(rows: list[Row]) -> str:
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


if __name__ == "__main__":
    raise SystemExit(main())
