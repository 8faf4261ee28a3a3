"""A record as the Hugging Face hub reads it: `.eval_results/*.yaml` and a model card.

The format is that of https://huggingface.co/docs/hub/eval-results, as huggingface_hub 2.4 reads it
(`EvalResultEntry`): a list of results, each with a dataset of the hub and a task of its
`eval.yaml`. The hub knows no interval, so that stands in the notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.board.record_paths import record_path
from harness.board.standing.figures import plain
from harness.errors import RequestError, nearest
from harness.records.files import write_text
from harness.records.record import Metric, MetricFacts, Record
from harness.use.model_card import forbids_commerce, metric_row

RESULTS = ".eval_results/trialboard.yaml"
CARD = "README.md"
DEFAULT_TASK = "default"

_PLACE = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(:[\w.-]+)?")


@dataclass(frozen=True)
class HubDataset:
    """A dataset of the hub.

    Attributes:
        id: owner and name.
        task: of its `eval.yaml`.
    """

    id: str
    task: str = DEFAULT_TASK


def parse_hub_datasets(texts: Iterable[str]) -> dict[str, HubDataset]:
    """Read every `DATASET=OWNER/NAME[:TASK]` of a call.

    Raises:
        RequestError: one is written otherwise.

    >>> parse_hub_datasets(["voices=me/voices:trials"])
    {'voices': HubDataset(id='me/voices', task='trials')}
    """
    found = {}
    for text in texts:
        name, _, place = text.partition("=")
        if not name or not _PLACE.fullmatch(place):
            raise RequestError(
                f"--hub-dataset {text!r}: write DATASET=OWNER/NAME or DATASET=OWNER/NAME:TASK"
            )
        owner, _, task = place.partition(":")
        found[name] = HubDataset(owner, task or DEFAULT_TASK)
    return found


def hub_files(
    record: Record, datasets: Mapping[str, HubDataset], source: str = ""
) -> dict[str, str]:
    """Return the files of a model's repository on the hub: its results and its card.

    Args:
        record: with a result.
        datasets: name of a dataset of the benchmark -> where it is on the hub.
        source: address of the published tables.

    Raises:
        RequestError: the record's dataset is not among them, or its figures are only claimed.
    """
    name = record.dataset.fold.of if record.dataset.fold else record.dataset.name
    if name not in datasets:
        raise RequestError(
            f"{name}: a result on the hub names a dataset of the hub; give --hub-dataset "
            f"{name}=OWNER/NAME ({nearest(name, datasets)})"
        )
    if record.trust == "claimed":
        raise RequestError(f"{record.entry}: its figures are only claimed, and nothing shows them")
    results = yaml.safe_dump(
        [eval_result(record, datasets[name], source)], sort_keys=False, allow_unicode=True
    )
    return {RESULTS: results, CARD: card(record)}


def eval_result(record: Record, dataset: HubDataset, source: str = "") -> dict[str, Any]:
    """Return a record's primary metric as an entry of `.eval_results`; rates in percent."""
    protocol = record.protocol
    metric, facts = record.metrics[protocol.primary], protocol.facts[protocol.primary]
    entry: dict[str, Any] = {
        "dataset": {"id": dataset.id, "task_id": dataset.task},
        "value": float(plain(metric.value, facts)),
    }
    if record.ended:
        entry["date"] = record.ended
    if source:
        entry["source"] = {"url": source, "name": protocol.suite_title or protocol.suite}
    entry["notes"] = _notes(record, metric, facts)
    return entry


def _notes(record: Record, metric: Metric, facts: MetricFacts) -> str:
    protocol, parts = record.protocol, [f"{facts.title} {facts.unit}".rstrip()]
    parts.append("higher is better" if facts.higher_is_better else "lower is better")
    if metric.low is not None and metric.high is not None:
        parts.append(f"95 % over {record.dataset.unit}s: {_ends(metric, facts)}")
    parts.append(f"suite {protocol.suite}, {protocol.profile}, protocol {protocol.version}")
    if record.seed is not None:
        parts.append(f"seed {record.seed}")
    parts.append(f"trust: {record.trust}")
    if record.searched > 1:
        parts.append(f"{record.searched} configurations tried")
    if record.dataset.synthetic:
        parts.append("synthetic data")
    return "; ".join(parts)


def _ends(metric: Metric, facts: MetricFacts) -> str:
    return f"{plain(metric.low or 0.0, facts)} to {plain(metric.high or 0.0, facts)}"


def card(record: Record) -> str:
    """Return a model card of a record, with the `model-index` of older readers."""
    protocol, data = record.protocol, record.dataset
    known = [name for name in protocol.facts if name in record.metrics]
    bars = forbids_commerce(data.licence)
    index = {
        "name": f"{record.entry} ({data.name})",
        "results": [
            {
                "task": {"type": protocol.suite, "name": protocol.suite_title},
                "dataset": {"name": data.title or data.name, "type": data.name},
                "metrics": [
                    {
                        "type": name,
                        "name": protocol.facts[name].title,
                        "value": float(plain(record.metrics[name].value, protocol.facts[name])),
                    }
                    for name in known
                ],
            }
        ],
    }
    front = {
        "license": "other",
        "license_name": "see-licence-of-the-data",
        "tags": ["trialboard", protocol.suite, *(["not-for-commercial-use"] if bars else [])],
        "model-index": [index],
    }
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    made = "synthetic data" if data.synthetic else "recordings"
    seed = "" if record.seed is None else f", seed {record.seed}"
    notes = [f"- {note}" for note in record.notes]
    parts = [
        f"---\n{head}---",
        f"# {record.entry}, judged on {data.title or data.name}",
        f"Recipe {record.recipe_name or 'none'}{seed}, by code {record.code[:12]}; judged on "
        f"{made} under suite `{protocol.suite}`, profile `{protocol.profile}`, protocol "
        f"{protocol.version}. Trust: {record.trust}. Selected on: "
        f"{record.selected_on or 'nothing'}; {record.searched} tried.",
        "## Results on the held-out test",
        "\n".join(
            ["| metric | value |", "|---|---|"]
            + [metric_row(record.metrics[name], protocol.facts[name]) for name in known]
        ),
        *(["## Notes", "\n".join(notes)] if notes else []),
        "## Intended use",
        f"It was judged on {data.name} alone: on other data its errors are unknown.",
        "## Licence of the data",
        f"{data.name}{f' ({data.source})' if data.source else ''}: {data.licence}."
        + (" This model is not for commercial use." if bars else ""),
    ]
    return "\n\n".join(parts) + "\n"


def write_hub_files(
    records: Iterable[Record],
    folder: Path,
    datasets: Mapping[str, HubDataset],
    source: str = "",
) -> list[Path]:
    """Write a folder for each record: what belongs into the repository of its model.

    Nothing is written if a record cannot be.

    Args:
        records: with results.
        folder: that receives the folders, named as published records are.
        datasets, source: as of `hub_files`.

    Returns:
        The files.
    """
    made = {
        folder / Path(record_path(record)).stem / name: text
        for record in records
        for name, text in hub_files(record, datasets, source).items()
    }
    for path, text in made.items():
        write_text(path, text)
    return list(made)
