"""Systems read, named, calibrated and fused: against a plain fit, and what cannot be done."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from harness.errors import RequestError
from harness.metrics.cllr import cllr, min_cllr
from harness.metrics.detection import eer
from harness.metrics.operating_point import OperatingPoint
from harness.trials.systems import calibrate_systems, read_systems, system_names
from harness.trials.text_lines import ScoreFileError
from harness.trials.trial_list import read_trials

EVEN = OperatingPoint(0.5)
PAIRS = [(f"m{enrol}", f"t{test}") for enrol in range(12) for test in range(12)]
IS_TARGET = np.array([enrol[1:] == test[1:] for enrol, test in PAIRS])


def put(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def scored(path: Path, scores) -> Path:
    lines = [f"{e} {t} {score!r}" for (e, t), score in zip(PAIRS, scores.tolist(), strict=True)]
    return put(path, lines[::-1])


def drawn(seed: int, gain: float, stretch: float = 1.0):
    noise = np.random.default_rng(seed).normal(size=len(PAIRS))
    return stretch * (noise + gain * IS_TARGET) + 0.3


@pytest.fixture
def trials(tmp_path: Path) -> Path:
    lines = [f"{e} {t} {int(same)}" for (e, t), same in zip(PAIRS, IS_TARGET, strict=True)]
    return put(tmp_path / "trials", lines)


def objective(llrs, prior: float) -> float:
    """Weighted cross-entropy in nats at a prior; at one half it is Cllr times ln 2."""
    shift = math.log(prior / (1 - prior))
    missed = np.logaddexp(0, -llrs[IS_TARGET] - shift).mean()
    accepted = np.logaddexp(0, llrs[~IS_TARGET] + shift).mean()
    return float(prior * missed + (1 - prior) * accepted)


def sides(scores):
    return scores[IS_TARGET], scores[~IS_TARGET]


def test_systems_share_the_first_ones_list(tmp_path, trials):
    first, second = drawn(0, 1), drawn(1, 2)
    paths = [scored(tmp_path / "one.txt", first), scored(tmp_path / "two.txt", second)]
    held, systems = read_systems(paths, read_trials(trials))
    assert held.is_target.tolist() == IS_TARGET.tolist()
    assert {name: scores.tolist() for name, scores in systems.items()} == {
        "one": first.tolist(),
        "two": second.tolist(),
    }
    rows = zip(PAIRS, first.tolist(), IS_TARGET, strict=True)
    labelled = put(tmp_path / "own", [f"{e} {t} {s!r} {int(same)}" for (e, t), s, same in rows])
    held, again = read_systems([labelled, *paths], None)
    assert held.path == labelled
    assert [scores.tolist() for scores in again.values()] == [
        first.tolist(),
        first.tolist(),
        second.tolist(),
    ]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["ecapa.txt", "b/resnet.v2.scores.gz"], ["ecapa", "resnet.v2"]),
        (["a/scores.txt", "b/scores.txt", "c.txt"], ["a/scores.txt", "b/scores.txt", "c"]),
        (["a.txt", "a.csv"], ["a.txt", "a.csv"]),
        (["scores", ".hidden"], ["scores", ".hidden"]),
        (["s.txt", "d/s.txt", "s.txt.old"], ["s.txt", "d/s.txt", "s.txt.old"]),
    ],
)
def test_no_two_systems_have_one_name(paths, names):
    assert system_names([Path(path) for path in paths]) == names


def test_a_file_given_twice_is_refused():
    with pytest.raises(RequestError, match=r"^a\.txt: given twice; give each"):
        system_names([Path("a.txt"), Path("b.txt"), Path("./a.txt")])


def test_no_file_at_all_is_refused():
    with pytest.raises(RequestError, match="no score file; give at least one"):
        read_systems([], None)


@pytest.mark.parametrize("point", [EVEN, OperatingPoint(0.05), OperatingPoint(0.1, 10, 1)])
def test_other_trials_make_the_scale_and_offset(tmp_path, trials, point):
    tuned, judged = drawn(2, 2, stretch=0.1), np.linspace(-1, 1, 7)
    made = calibrate_systems(
        {"one": judged}, trials, [scored(tmp_path / "tuning", tuned)], point, fuse=False
    )
    odds = point.c_miss * point.p_target / (point.c_fa * (1 - point.p_target))
    prior = odds / (1 + odds)
    best = minimize(
        lambda ab: objective(ab[0] * tuned + ab[1], prior), [1.0, 0.0], options={"gtol": 1e-9}
    )
    assert list(made) == ["one"]
    assert made["one"] == pytest.approx(best.x[0] * judged + best.x[1], abs=1e-3)


def test_calibrating_keeps_the_order_and_mends_the_ratios(tmp_path, trials):
    scores = drawn(3, 2, stretch=0.05)
    path = scored(tmp_path / "tuning", scores)
    made = calibrate_systems({"one": scores}, trials, [path], EVEN, fuse=False)["one"]
    assert eer(*sides(made)).value == eer(*sides(scores)).value
    assert min_cllr(*sides(made)) == pytest.approx(min_cllr(*sides(scores)), abs=1e-12)
    assert min_cllr(*sides(made)) <= cllr(*sides(made)) < cllr(*sides(scores))


def test_systems_are_matched_by_place_whatever_their_names(tmp_path, trials):
    first, second = drawn(4, 1, stretch=0.1), drawn(5, 3, stretch=7)
    paths = [scored(tmp_path / "z", first), scored(tmp_path / "a", second)]
    systems = {"one": first, "two": second}
    together = calibrate_systems(systems, trials, paths, EVEN, fuse=False)
    for (name, scores), path in zip(systems.items(), paths, strict=True):
        alone = calibrate_systems({name: scores}, trials, [path], EVEN, fuse=False)
        assert together[name].tolist() == alone[name].tolist()


@pytest.mark.parametrize("prior", [0.01, 0.5])
@pytest.mark.parametrize("gains", [(1, 1), (0, 1.5), (1, 0.5, 1)])
def test_on_its_own_tuning_trials_the_fusion_is_no_worse_than_its_parts(
    tmp_path, trials, gains, prior
):
    systems = {f"s{seed}": drawn(seed, gain) for seed, gain in enumerate(gains)}
    paths = [scored(tmp_path / name, scores) for name, scores in systems.items()]
    made = calibrate_systems(systems, trials, paths, OperatingPoint(prior), fuse=True)
    assert list(made) == [*systems, "fusion"]
    costs = {name: objective(llrs, prior) for name, llrs in made.items()}
    assert all(costs["fusion"] <= cost + 1e-9 for cost in costs.values())


def test_requests_that_do_not_fit_are_refused(tmp_path, trials):
    one = {"one": drawn(0, 1)}
    path = scored(tmp_path / "tuning", drawn(1, 1))
    with pytest.raises(RequestError, match="0 calibration score files for 1 systems"):
        calibrate_systems(one, trials, [], EVEN, fuse=False)
    with pytest.raises(RequestError, match="--fuse: there is one system"):
        calibrate_systems(one, trials, [path], EVEN, fuse=True)
    with pytest.raises(RequestError, match="tuning: given twice"):
        calibrate_systems(one | {"two": drawn(2, 1)}, trials, [path, path], EVEN, fuse=False)
    other = scored(tmp_path / "other", drawn(2, 1))
    with pytest.raises(RequestError, match="called 'fusion', like the fusion of all; rename"):
        calibrate_systems(one | {"fusion": drawn(2, 1)}, trials, [path, other], EVEN, fuse=True)


def test_tuning_files_that_cannot_be_used_are_named(tmp_path, trials):
    path = scored(tmp_path / "flat", np.zeros(len(PAIRS)) + 0.5)
    with pytest.raises(RequestError, match=r"flat: no calibration can be fitted to it: .*0\.5"):
        calibrate_systems({"one": drawn(0, 1)}, trials, [path], EVEN, fuse=False)
    short = put(tmp_path / "short", ["m0 t0 0.5", "m1 t1 0.25"])
    with pytest.raises(ScoreFileError, match=r"short: .*142 lines of 144 of the list without"):
        calibrate_systems({"one": drawn(0, 1)}, trials, [short], EVEN, fuse=False)
