"""The lists that are written for others are the locked ones."""

from __future__ import annotations

import json

import pandas as pd

from harness.registry.submit.place import write_lists
from harness.trials.trial_list import read_trials
from tests.registry.submit.conftest import Site


def test_written_trials_are_read_back_as_the_locked_ones(site: Site) -> None:
    items, *trials, classes = write_lists(site.listing, site.folder / "lists")
    assert [path.name for path in trials] == ["validation-trials.tsv", "test-trials.tsv"]
    for path, split in zip(trials, ("validation", "test"), strict=True):
        found = read_trials(path)
        wanted = site.listing.trial_tables[split].trials  # type: ignore[index]
        pairs = [found.pair(place) for place in range(len(found))]
        assert pairs == list(zip(wanted["enrol"], wanted["test"], strict=True))
        assert found.is_target.tolist() == wanted["target"].tolist()
    table = pd.read_csv(items, sep="\t")
    assert table["id"].tolist() == site.listing.items["id"].tolist()
    assert set(table["split"]) == {"train", "validation", "test"}
    assert classes.name == "spk2id.json"
    numbered = json.loads(classes.read_text())
    assert set(numbered) == set(table["label"][table["split"] == "train"])
    assert [*site.listing.classes] == sorted(numbered, key=numbered.__getitem__)
    assert sorted(numbered.values()) == list(range(len(numbered)))


def test_scores_of_the_written_list_are_taken(site: Site) -> None:
    write_lists(site.listing, site.folder)
    lines = (site.folder / "test-trials.tsv").read_text().splitlines()
    scored = [f"{line}\t{len(line) + number / 7}" for number, line in enumerate(lines)]
    assert site.submit(scores=site.text(scored), check=True).record.state == "done"


def test_items_without_trials_are_listed_alone(words: Site) -> None:
    items, _ = write_lists(words.listing, words.folder / "lists")
    assert set(pd.read_csv(items, sep="\t")["label"]) == {"w0", "w1", "w2", "w3"}
