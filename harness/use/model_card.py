"""The model card of an export: README.md with the metadata that Hugging Face reads."""

from __future__ import annotations

import re
from typing import Any

import yaml

from harness.board.standing.figures import UNKNOWN
from harness.records.record import Metric, MetricFacts, Record
from harness.use.export_facts import TRACED, ExportedFile, ExportFacts
from harness.use.model_facts import Decision, ModelFacts

TASKS = {
    ("embedding", "audio"): "speaker-verification",
    ("logits", "audio"): "audio-classification",
    ("logits", "image"): "image-classification",
}
"""Output and kind of item -> the task's name on the hub."""

NOT_COMMERCIAL = re.compile(r"non-?commercial|\bNC\b|research", re.IGNORECASE)

ALSO_COMMERCIAL = re.compile(r"\bcommercial and non-?commercial\b", re.IGNORECASE)


def forbids_commerce(licence: str) -> bool:
    """Return whether a corpus's licence keeps what is trained on it from commercial use.

    >>> [forbids_commerce(each) for each in ("CC-BY-NC-4.0", "free for research", "CC-BY-4.0")]
    [True, True, False]
    >>> forbids_commerce("free for commercial and non-commercial use")
    False
    """
    return bool(NOT_COMMERCIAL.search(licence)) and not ALSO_COMMERCIAL.search(licence)


def model_card(export: ExportFacts, record: Record) -> str:
    """Return the text of README.md.

    Args:
        export: of the network.
        record: of the run that made it.
    """
    model = export.model
    library = "pytorch" if export.files[0].name == TRACED else "onnx"
    matter = {"library_name": library, **_front_matter(model, record)}
    front = yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)
    parts = [
        f"---\n{front}---",
        f"# {model.entry}, trained on {model.dataset}",
        _made(model, record),
        "## Intended use",
        _use(model),
        "## Files",
        _files(export),
        "## Results on the held-out test",
        _results(record),
        *([_decision(model.decision)] if model.decision else []),
        "## Licence of the data",
        _licence(model),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(model: ModelFacts, record: Record) -> dict[str, Any]:
    task = TASKS.get((model.output, model.kind), "feature-extraction")
    facts = record.protocol.facts
    metrics = [
        {"type": name, "name": facts[name].title, "value": _number(metric, facts[name])}
        for name, metric in model.metrics.items()
        if name in facts
    ]
    result = {
        "task": {"type": task},
        "dataset": {"name": record.dataset.title or model.dataset, "type": model.dataset},
        "metrics": metrics,
    }
    return {
        "license": "other",
        "license_name": "see-licence-of-the-data",
        "pipeline_tag": task if task != "speaker-verification" else "feature-extraction",
        "tags": ["trialboard", task, *(["not-for-commercial-use"] if _bars(model) else [])],
        "model-index": [{"name": f"{model.entry} ({model.dataset})", "results": [result]}],
    }


def _made(model: ModelFacts, record: Record) -> str:
    seed = "" if model.seed is None else f", seed {model.seed}"
    data = "synthetic data" if model.synthetic else "recordings"
    return (
        f"Trained on {data} of {record.dataset.title or model.dataset} under suite "
        f"`{model.suite}`, profile `{model.profile}`{seed}, by code {model.code[:12]}. "
        f"Its record has sha256 `{model.record[:16]}`, its weights `{model.checkpoint[:16]}`."
    )


def _use(model: ModelFacts) -> str:
    if model.output == "logits":
        use = f"It tells which of {len(model.classes)} classes an item is of."
    else:
        use = (
            f"It maps a {'sound' if model.kind == 'audio' else model.kind} to an embedding; the "
            f"cosine of two says how likely both are of one {model.unit}."
        )
    bar = "**Not for commercial use.** " if _bars(model) else ""
    return (
        f"{bar}{use} It was judged on {model.dataset} alone: on other recordings, languages or "
        "channels its errors are unknown, and its threshold and calibration may not hold. It is no "
        "proof of anybody's identity."
    )


def _files(export: ExportFacts) -> str:
    lines = [
        "| file | input | output | bytes | latency | from PyTorch | scores |",
        "|---|---|---|---|---|---|---|",
        *map(_file_row, export.files),
    ]
    first = export.files[0]
    rate = f"{export.sample_rate} Hz, " if export.sample_rate else ""
    _, pytorch = first.milliseconds
    beside = f" ({UNKNOWN}: something else ran beside)" if pytorch == UNKNOWN else ""
    return "\n".join(lines) + (
        f"\n\nInput: {rate}{export.normalisation}. `latency` is of one item alone on one thread, "
        f"where PyTorch takes {pytorch} ms{beside}. `from PyTorch` is the largest difference of "
        f"outputs on {first.items} items of validation, `scores` that of the cosines of all their "
        "pairs. `model.json` has all this for programs."
    )


def _file_row(file: ExportedFile) -> str:
    shape = ", ".join(map(str, file.input_shape))
    scores = "–" if file.score_difference is None else f"{file.score_difference:.1e}"
    cells = (
        f"`{file.name}`",
        f"`{file.input}` [{shape}]",
        f"`{file.output}` [batch, {file.output_size}]",
        f"{file.bytes:,}",
        f"{file.milliseconds[0]} ms",
        f"{file.difference:.1e}",
        scores,
    )
    return f"| {' | '.join(cells)} |"


def _results(record: Record) -> str:
    facts = record.protocol.facts
    rows = [
        metric_row(metric, facts[name]) for name, metric in record.metrics.items() if name in facts
    ]
    return "\n".join(["| metric | value |", "|---|---|", *rows])


def metric_row(metric: Metric, facts: MetricFacts) -> str:
    """Return a metric as a row of a Markdown table."""
    return f"| {facts.title} | {_shown(metric, facts)} |"


def _decision(decision: Decision) -> str:
    calibrated = ""
    if decision.calibration is not None:
        scale, offset = decision.calibration
        calibrated = (
            f" Its natural-log likelihood ratio is {scale:.6g} times the cosine plus {offset:.6g}, "
            "fitted on validation."
        )
    return (
        f"At the threshold of validation, a cosine of {decision.threshold:.6g}, it missed "
        f"{100 * decision.miss.value:.2f} % of {decision.targets:,} target trials of test and "
        f"accepted {100 * decision.false_alarm.value:.2f} % of {decision.nontargets:,} others."
        f"{calibrated}"
    )


def _licence(model: ModelFacts) -> str:
    source = f" ({model.source})" if model.source else ""
    bar = " This model is not for commercial use." if _bars(model) else ""
    return f"{model.dataset}{source}: {model.licence}.{bar}"


def _bars(model: ModelFacts) -> bool:
    return forbids_commerce(model.licence)


def _number(metric: Metric, facts: MetricFacts) -> float:
    return round(metric.value * (100 if facts.unit == "%" else 1), facts.decimals)


def _shown(metric: Metric, facts: MetricFacts) -> str:
    factor = 100 if facts.unit == "%" else 1
    ends = ""
    if metric.low is not None and metric.high is not None:
        low, high = (f"{factor * end:.{facts.decimals}f}" for end in (metric.low, metric.high))
        ends = f" ({low} to {high})"
    return f"{factor * metric.value:.{facts.decimals}f} {facts.unit}".rstrip() + ends
