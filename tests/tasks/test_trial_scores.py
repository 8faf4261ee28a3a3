"""Scores of trials whose models are enrolled by several items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from harness.metrics.detection import eer
from harness.tasks.task import Lists, Side
from harness.tasks.trial_scores import cohort_of, score_trials
from harness.tasks.verification import Verification
from harness.trials.index import Models, TrialIndex

MODELS = Models(np.array(["x", "y"]), np.array([0, 0, 1]), np.array([0, 1, 2]))
ENROL, TEST = np.array([0, 1, 1, 0]), np.array([3, 3, 4, 4])
TARGET = np.array([True, False, True, False])
TRIALS = TrialIndex(ENROL, TEST, TARGET, np.array(["k"] * 4), MODELS)


def embeddings(rows: int = 5, seed: int = 0) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.normal(size=(rows, 6)).astype(np.float32)


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def test_a_model_is_the_mean_of_its_embeddings_as_they_are() -> None:
    values = embeddings().astype(float)
    enrolled = [(values[0] + values[1]) / 2, values[2]]
    wanted = [cosine(enrolled[e], values[t]) for e, t in zip(ENROL, TEST, strict=True)]
    np.testing.assert_allclose(score_trials(embeddings(), TRIALS), wanted, atol=1e-6)


def test_the_mean_is_not_that_of_unit_vectors() -> None:
    values = embeddings()
    longer = values.copy()
    longer[0] *= 10
    assert abs(score_trials(values, TRIALS) - score_trials(longer, TRIALS)).max() > 0.01


@pytest.mark.parametrize("top", [None, 3, 300])
def test_models_are_normalised_by_their_own_cohort_scores(top: int | None) -> None:
    """By those of the nearest speakers: all six where there are no more than `top`."""
    values, others = embeddings(), embeddings(12, seed=1)
    units = pd.DataFrame({"unit": [f"s{n // 2}" for n in range(12)]})
    training = Side(others, Lists(units))
    cohort = cohort_of(training, normalise=True, top=top, centre=True)
    found = score_trials(values, TRIALS, cohort)

    centre = others.astype(float).mean(axis=0)
    moved = values.astype(float) - centre
    enrolled = [(moved[0] + moved[1]) / 2, moved[2]]
    speakers = (others - centre).reshape(6, 2, 6).mean(axis=1)

    def statistics(one: np.ndarray) -> tuple[float, float]:
        nearest = sorted((cosine(one, each) for each in speakers), reverse=True)[:top]
        return float(np.mean(nearest)), float(np.std(nearest))

    for trial, (e, t) in enumerate(zip(ENROL, TEST, strict=True)):
        score = cosine(enrolled[e], moved[t])
        (m1, s1), (m2, s2) = statistics(enrolled[e]), statistics(moved[t])
        wanted = 0.5 * ((score - m1) / s1 + (score - m2) / s2)
        assert found[trial] == pytest.approx(wanted, abs=1e-4)


def test_a_models_speaker_is_that_of_its_items() -> None:
    items = pd.DataFrame({"unit": list("aabcabcd")})
    models = Models(np.array(["x", "y", "z"]), np.array([0, 0, 1, 2]), np.arange(4))
    enrol, test = np.divmod(np.arange(12), 4)
    target = enrol == test
    trials = TrialIndex(enrol, test + 4, target, np.where(target, "target", "nontarget"), models)
    side = Side(embeddings(8), Lists(items, (), trials))
    kept = Verification(resamples=20).score(side, side, None)
    left = Verification(resamples=20).judge(side.lists, kept).left_one_out["eer"]
    scores, units = kept["scores"], items["unit"].to_numpy()
    assert sorted(left) == ["a", "b", "c", "d"]
    for speaker, value in left.items():
        rows = (units[models.first[enrol]] != speaker) & (units[test + 4] != speaker)
        wanted = eer(scores[rows & target], scores[rows & ~target]).value
        assert value == pytest.approx(wanted, abs=1e-9)
