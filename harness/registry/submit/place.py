"""The table that a submission joins: its data, its rules, its task, and its lists as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from harness.config.loader import LoadedBenchmark
from harness.datasets.listing import HELD_OUT, Listing, list_dataset
from harness.datasets.lock import dataset_pin, read_lock
from harness.errors import ConfigError, RequestError
from harness.records.documents import readable_json
from harness.records.files import write_text
from harness.records.record import RecordedComponent
from harness.run.job.context import make_task
from harness.run.job.spec import JobSpec
from harness.run.plan.protocol import common_fields, make_protocol, pin_protocols
from harness.run.plan.request import DatasetState, RunRequest, suite_datasets
from harness.tasks.task import Task

TRACK = "submitted"

CLASSES = "spk2id.json"
"""Classes of a training by their labels, under the name that recipes of the field give it."""

FOREIGN_ADAPTER = "elsewhere"
"""Stands for the adapter of a system that nobody here can build."""


@dataclass(frozen=True)
class Place:
    """One table's data and rules, as `harness run` would record them.

    Attributes:
        loaded: the benchmark.
        listing: the dataset's lists, which are the locked ones.
        task: of the suite.
        common: the fields that all of the table's jobs share.
    """

    loaded: LoadedBenchmark
    listing: Listing
    task: Task
    common: dict[str, Any]

    def job(self, name: str, content: str) -> JobSpec:
        """Return a submission as a job of which nothing is run; it says where its record lies.

        Args:
            name: of the entry.
            content: hash of all that was received of it.
        """
        model = RecordedComponent(name=name, adapter=FOREIGN_ADAPTER, version=1, fields={})
        return JobSpec(**self.common, model=model, track=TRACK, checkpoint_sha256=content)

    def hold_protocol(self, job: JobSpec, *, pin: bool) -> None:
        """Check the table's rules against the lock, and pin them there if they are new.

        Args:
            job: a job of the table.
            pin: False leaves the lock as it is.

        Raises:
            LockError: the protocol changed and its version did not.
        """
        protocol = job.protocol
        name = f"{protocol.suite}/{protocol.profile}/{self.listing.name}"
        pinned = read_lock(self.loaded.lock_path).protocols.get(name)
        there = pinned and (pinned.version, pinned.digest)
        refused = there and there[0] >= protocol.version
        if there != (protocol.version, protocol.digest) and (pin or refused):
            pin_protocols(self.loaded, [job])


def find_place(loaded: LoadedBenchmark, request: RunRequest) -> Place:
    """Find the table of a suite, a profile and one dataset.

    Raises:
        ConfigError: there is no such suite, profile or dataset, or the dataset has folds.
        CorpusAbsent: the dataset is not on this machine.
        LockError: it is not the locked one.
        RequestError: its content is not pinned, so that nobody could tell what was scored.
    """
    names = suite_datasets(loaded, request)
    if len(names) != 1:
        raise ConfigError(
            f"{request.datasets[0]} is judged by folds, each by a network of its own; submit each "
            f"of {', '.join(names)} by itself"
        )
    listing = list_dataset(loaded, names[0], request.profile)
    pinned = dataset_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    if pinned is None or not pinned[0].content:
        raise RequestError(
            f"{listing.key}: not pinned in {loaded.lock_path.name}, so nobody could tell what was "
            f"scored; `harness data check {listing.name} --profile {request.profile} --full` "
            "pins it"
        )
    source = DatasetState(listing, pinned[0])
    protocol = make_protocol(loaded, request.suite, request.profile, source.lock)
    # Nothing is measured of what was computed elsewhere.
    common = {**common_fields(loaded, request, source, protocol), "environment": None}
    return Place(loaded, listing, make_task(loaded, request.suite), common)


def write_lists(listing: Listing, folder: Path) -> list[Path]:
    """Write the locked lists, for whoever computes scores or embeddings of them elsewhere.

    Returns:
        `items.tsv`, with a header: every item's name, split, label and file. `test-trials.tsv` and
        `validation-trials.tsv`, without one: `enrol test target|nontarget`. `test-models.tsv`
        if trials enrol models of several items: `model item`. Fields are separated by tabs.
        `spk2id.json`: each label of training with its class, as networks number them.
    """
    columns = ["id", "split", "unit", "label", "source"]
    tables: dict[str, pd.DataFrame] = {"items": listing.items[columns]}
    for split in HELD_OUT:
        table = listing.trial_tables.get(split)
        if table is None:
            continue
        labels = table.trials["target"].map({True: "target", False: "nontarget"})
        tables[f"{split}-trials"] = table.trials[["enrol", "test"]].assign(label=labels)
        if table.models is not None:
            tables[f"{split}-models"] = table.models
    written = []
    for name, rows in tables.items():
        path, header = folder / f"{name}.tsv", name == "items"
        write_text(path, rows.to_csv(sep="\t", index=False, header=header, lineterminator="\n"))
        written.append(path)
    classes = {label: place for place, label in enumerate(listing.classes)}
    write_text(folder / CLASSES, readable_json(classes))
    return [*written, folder / CLASSES]
