"""Scores that are nearly another entry's, or made of labels: told, and not refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.board.record_paths import scores_path
from harness.errors import RequestError
from harness.records.record_files import read_record
from harness.registry.submit.likeness import CLOSE, HARD, PERFECT, closeness, ranks_of
from harness.run.job.results import load_scores
from tests.places import RECORDS
from tests.registry.submit.conftest import Site

SEEDS = sorted((RECORDS / "matched/quick/speechocean762").glob("ecapa-512-*[0-9a-f].json"))
CLASSES = sorted((RECORDS / "loss/quick/open-impacts").glob("spectrogram*[0-9a-f].json"))


def rescored(site: Site, change: Callable[[float, int], float]) -> list[str]:
    lines = [line.split() for line in site.lines()]
    return [f"{a} {b} {change(float(s), n):.6f}" for n, (a, b, s) in enumerate(lines)]


@pytest.mark.parametrize(("files", "name"), [(SEEDS, "scores"), (CLASSES, "logits")])
def test_trainings_that_were_published_are_not_close_and_their_noisy_copies_are(
    files: list[Path], name: str
) -> None:
    chosen = [load_scores(Path(scores_path(str(path)))) for path in files[:6]]
    ranks = [ranks_of(scores, [name]) for scores in chosen]
    assert len(ranks) == 6
    assert max(closeness(one, other) for one, other in combinations(ranks, 2)) < CLOSE
    array = chosen[0][name].astype(np.float64)
    spread = (array - array.mean(-1, keepdims=True)).std()
    noisy = array + 0.02 * spread * np.random.default_rng(0).normal(size=array.shape)
    assert closeness(ranks[0], ranks_of({name: noisy}, [name])) > CLOSE


def test_what_cannot_be_compared_is_not_close() -> None:
    scores = np.random.default_rng(0).normal(size=50)
    own = ranks_of({"scores": scores}, ["scores"])
    assert closeness(own, own) == pytest.approx(1)
    assert closeness(own, ranks_of({"scores": scores[1:]}, ["scores"])) == 0
    assert closeness(own, {}) == closeness({}, own) == 0
    for few in (np.zeros(50), scores > 0, np.zeros((50, 3)), scores.reshape(5, 5, 2)):
        assert ranks_of({"scores": few}, ["scores"]) == {}


@pytest.mark.parametrize(
    "change",
    [
        # A rising map under which two trials change places, and noise.
        lambda score, n: np.exp(score) + 0.3 * (n == 5),
        lambda score, n: score + 0.02 * np.random.default_rng(n).normal(),
    ],
    ids=["swap", "noise"],
)
def test_scores_close_to_anothers_are_told_in_the_notes(
    site: Site, change: Callable[[float, int], float]
) -> None:
    filed = site.submit(scores=site.text(site.lines()))
    assert not any("nearly the order" in note for note in filed.record.notes)
    other = site.submit(scores=site.text(rescored(site, change)), name="mine")
    (note,) = (note for note in other.record.notes if "nearly the order" in note)
    assert "nearly the order of theirs (record.json): rank correlation 0.99" in note
    far = site.submit(scores=site.text(site.lines(seed=7)), name="third")
    assert not any("nearly the order" in note for note in far.record.notes)


def test_a_better_file_of_ones_own_is_not_told(site: Site) -> None:
    site.submit(scores=site.text(site.lines()))
    changed = rescored(site, lambda score, n: np.exp(score) + 0.3 * (n == 5))
    assert not any(
        "order of" in note for note in site.submit(scores=site.text(changed)).record.notes
    )


def test_scores_made_of_labels_are_told(site: Site) -> None:
    targets = site.listing.trial_tables["test"].trials["target"].to_numpy()
    labels = site.submit(scores=site.text(rescored(site, lambda _, n: float(targets[n]))))
    assert {HARD, PERFECT} <= set(labels.record.notes)

    def apart(_: float, n: int) -> float:
        return 5.0 * targets[n] + np.random.default_rng(n).uniform()

    hidden = site.submit(scores=site.text(rescored(site, apart)), name="hidden").record.notes
    assert PERFECT in hidden
    assert HARD not in hidden
    usual = site.submit(scores=site.text(site.lines(seed=3)), name="usual").record.notes
    assert not {HARD, PERFECT} & set(usual)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"name": "@everyone"}, "--name '@everyone': '@e' calls somebody"),
        ({"name": "www.a.example"}, "--name .*makes an address"),
        ({"name": "ti\u200bny"}, "--name .*cannot be seen"),
        ({"name": "tіny"}, "--name .*of several scripts"),
        ({"name": "tiny"}, "--name: 'tiny' is, or looks like, this benchmark's own 'tiny'"),
        ({"name": "TINY + AAM"}, "looks like, this benchmark's own 'tiny \\+ aam'"),
        ({"name": "MFCC-statistics"}, "looks like, this benchmark's own 'MFCC statistics'"),
        ({"submitter": "ask @us"}, "--submitter 'ask @us': '@u' calls somebody"),
        ({"system": "see https://a.example"}, "--system .*makes an address"),
        ({"source": "javascript:alert(1)"}, "--source .*makes an address"),
        ({"source": "x" * 1_001}, "--source .*at most 1,000 characters, and it has 1,001"),
    ],
)
def test_what_acts_hides_or_is_anothers_is_refused(
    site: Site, told: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestError, match=said):
        site.submit(scores=site.text(site.lines()), **told)
    assert not list(site.runs.glob("*/*/*/*"))


def test_a_published_name_is_its_submitters(site: Site) -> None:
    filed = site.submit(scores=site.text(site.lines()), submitter="A. Nother")
    assert filed.path is not None
    place = site.folder / "leaderboards" / "records" / "theirs.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(filed.path.read_bytes())
    assert read_record(place).entry == "theirs"
    for told in ({"submitter": "Somebody else"}, {"name": "THEIRS", "submitter": "A. Nother"}):
        with pytest.raises(
            RequestError, match=r"looks like, the name of 'theirs' \(.*theirs\.json"
        ):
            site.submit(scores=site.text(site.lines(seed=1)), **told)
    again = site.submit(scores=site.text(site.lines(seed=1)), submitter="A. Nother")
    assert again.record.entry == "theirs"
