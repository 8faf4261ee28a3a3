"""Systems that tell nothing apart, and files at the ends of what numbers can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from harness.errors import RequestError
from harness.tasks.trial_metrics import NOT_FITTED, ONE_VALUE
from tests.registry.submit.conftest import Site

ALIKE: dict[str, Callable[[int], Any]] = {
    "ones": lambda rows: np.ones((rows, 8), "f4"),
    "halves": lambda rows: np.full((rows, 3), 0.5, "f2"),
    "one direction": lambda rows: np.outer(np.arange(1, rows + 1), [0.3, -0.7, 0.1]),
    "one value": lambda rows: np.ones((rows, 1), "i8"),
    "many values": lambda rows: np.tile(np.random.default_rng(0).normal(size=513), (rows, 1)),
}


@pytest.mark.parametrize("alike", ALIKE)
def test_equal_embeddings_are_judged_with_a_note(site: Site, alike: str) -> None:
    arrays = site.embeddings("train", "validation", "test")
    arrays["embeddings"] = ALIKE[alike](len(arrays["ids"]))
    record = site.submit(embeddings=site.npz(arrays)).record
    assert record.metrics["eer"].value == 0.5
    assert record.metrics["min_dcf"].value == 1.0
    assert {"act_dcf", "cllr"}.isdisjoint(record.metrics)
    assert "threshold" in record.metrics
    assert {ONE_VALUE, NOT_FITTED} <= set(record.notes)
    assert not any("nothing of the validation split" in note for note in record.notes)


def test_equal_embeddings_of_test_alone(site: Site) -> None:
    arrays = site.embeddings("test")
    arrays["embeddings"] = np.ones_like(arrays["embeddings"])
    record = site.submit(embeddings=site.npz(arrays)).record
    assert record.metrics["eer"].value == 0.5
    assert ONE_VALUE in record.notes
    assert NOT_FITTED not in record.notes


def one_value(lines: list[str], value: str) -> list[str]:
    return [f"{line.rsplit(' ', 1)[0]} {value}" for line in lines]


@pytest.mark.parametrize("value", ["0.25", "-3e38", "1e-300", "5"])
def test_equal_scores_are_judged_with_a_note(site: Site, value: str) -> None:
    record = site.submit(
        scores=site.text(one_value(site.lines(), value)),
        validation_scores=site.text(one_value(site.lines("validation"), value), "dev.txt"),
    ).record
    assert record.metrics["eer"].value == 0.5
    assert {ONE_VALUE, NOT_FITTED} <= set(record.notes)


def test_equal_scores_of_validation_leave_the_rest_as_it_is(site: Site) -> None:
    alone = site.submit(scores=site.text(site.lines()), check=True).record
    record = site.submit(
        scores=site.text(site.lines()),
        validation_scores=site.text(one_value(site.lines("validation"), "1.5"), "dev.txt"),
    ).record
    assert record.metrics["eer"] == alone.metrics["eer"]
    assert record.metrics["threshold"].value == 1.5
    assert NOT_FITTED in record.notes
    assert ONE_VALUE not in record.notes


def judged_or_refused(site: Site, **given: Any) -> tuple[float | None, str]:
    """The EER, or the message."""
    try:
        return site.submit(**given).record.metrics["eer"].value, ""
    except RequestError as error:
        return None, str(error)


@pytest.mark.parametrize("factor", [1e-44, 1e-30, 1e30, 3e37])
def test_tiny_and_huge_embeddings_are_judged_or_refused_by_name(site: Site, factor: float) -> None:
    arrays = site.embeddings("test", "validation")
    arrays["embeddings"] = (arrays["embeddings"].astype("f8") * factor).clip(-3e38, 3e38)
    eer, message = judged_or_refused(site, embeddings=site.npz(arrays))
    assert "embeddings" in message if eer is None else 0 <= eer <= 0.5


@pytest.mark.parametrize("factor", ["e-320", "e-200", "e30", "e37"])
def test_tiny_and_huge_scores_are_judged_or_refused_by_name(site: Site, factor: str) -> None:
    given = {
        name: site.text([line + factor for line in site.lines(split)], f"{split}.txt")
        for name, split in (("scores", "test"), ("validation_scores", "validation"))
    }
    plain = site.submit(scores=site.text(site.lines(), "plain.txt"), check=True).record
    eer, message = judged_or_refused(site, **given)
    if eer is None:
        assert "validation scores cannot be calibrated" in message
    else:
        assert eer == pytest.approx(plain.metrics["eer"].value, abs=0.02)


def test_distances_are_judged_as_they_are_with_a_note(site: Site) -> None:
    lines = [line.split() for line in site.lines()]
    far = [f"{enrol} {test} {-float(score)}" for enrol, test, score in lines]
    near = site.submit(scores=site.text(site.lines()), check=True).record
    record = site.submit(scores=site.text(far, "far.txt"), check=True).record
    assert record.metrics["eer"].value == pytest.approx(1 - near.metrics["eer"].value, abs=1e-9)
    notes = [note for note in record.notes if "look like distances" in note]
    assert len(notes) == 1
    assert f"negate them (EER {100 * near.metrics['eer'].value:.2f} %)" in notes[0]
    assert not any("look like distances" in note for note in near.notes)
