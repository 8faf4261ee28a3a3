"""States kept for an audit: whatever weights a recipe chooses, training goes on from each alike."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.config.recipes import FineTune, Recipe
from harness.train.kept_states import DamagedStateError, go_back
from harness.train.training_progress import FINAL
from tests.train.small_training import RECIPE, StopError, trained

WAYS: dict[str, dict[str, Any]] = {
    "best": {},
    "last": {"select": "last"},
    "average": {"select": "average", "average_last": 3},
}


class _ReachedError(Exception):
    pass


def choosing(first: str, second: str) -> Recipe:
    """A recipe that chooses its weights so, and those of its fine-tuning so, if it has one."""
    tune = FineTune(steps=4, lr=0.02, checkpoints=4, **WAYS[second]) if second else None
    return RECIPE.model_copy(update={**WAYS[first], "fine_tune": tune})


def reached(kept: Path, recipe: Recipe, work: Path, begin: tuple[int, str], end: int) -> str:
    """Go on from a kept state to the step of another; gives the hash there."""
    work.mkdir()
    go_back(kept, *begin, work, (end,))

    def stop(_step: int, digest: str) -> None:
        raise _ReachedError(digest)

    with pytest.raises(_ReachedError) as found:
        trained(work, recipe, kept=stop)
    return str(found.value)


@pytest.mark.parametrize(
    ("first", "second", "steps"),
    [
        ("last", "", [0, 2, 4, 6]),
        ("average", "best", [0, 5, 10]),
        ("last", "average", [0, 3, 7, 10]),
        ("best", "last", [0, 2, 4, 6, 8, 10]),  # one of them where fine-tuning begins
    ],
)
def test_training_goes_on_alike_from_every_state_also_of_one_that_was_cut_off(
    tmp_path: Path, first: str, second: str, steps: list[int]
) -> None:
    recipe, place, whole = choosing(first, second), tmp_path / "kept", tmp_path / "whole"
    quiet, _ = trained(whole, recipe, keep_states=len(steps))
    with pytest.raises(StopError):  # within the training, or on the first step of its fine-tuning
        trained(place, recipe, stop_at=7 if second else 5, keep_states=len(steps))
    result, _ = trained(place, recipe)
    assert result.states == quiet.states
    assert [step for step, _ in result.states] == steps
    for begin, (end, digest) in pairwise(result.states):
        assert reached(place, recipe, tmp_path / f"from-{begin[0]}", begin, end) == digest
    work = tmp_path / "end"
    work.mkdir()
    go_back(place, *result.states[-1], work, ())
    again, _ = trained(work, recipe)
    weights = [(each / FINAL).read_bytes() for each in (whole, place, work)]
    assert weights[0] == weights[1] == weights[2]
    assert again.selected_step == result.selected_step == quiet.selected_step


def _swapped(kept: Path, _: Path) -> None:
    one, other = kept / "state-2.pt", kept / "state-4.pt"
    content = one.read_bytes()
    shutil.copy(other, one)
    other.write_bytes(content)


def _of_another_run(kept: Path, other: Path) -> None:
    shutil.copy(other / "state-4.pt", kept)


def _edited(kept: Path, _: Path) -> None:
    state = torch.load(kept / "state-4.pt", weights_only=True)
    state["optimizer"]["state"][0]["exp_avg"].view(-1)[0] += 1e-7
    torch.save(state, kept / "state-4.pt")


def _cut(kept: Path, _: Path) -> None:
    content = (kept / "state-4.pt").read_bytes()
    (kept / "state-4.pt").write_bytes(content[: len(content) // 2])


def _absent(kept: Path, _: Path) -> None:
    (kept / "state-4.pt").unlink()


def _other_chosen(kept: Path, other: Path) -> None:
    shutil.copy(other / "state-4.safetensors", kept)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_swapped, "state-4.pt: this is not the state that was kept"),
        (_of_another_run, "state-4.pt: this is not the state that was kept"),
        (_edited, "state-4.pt: this is not the state that was kept"),
        (_cut, "state-4.pt: this kept state is damaged"),
        (_absent, "state-4.pt: this kept state is absent"),
        (_other_chosen, "state-4.safetensors: these are not the weights that were kept"),
    ],
)
def test_a_state_that_is_not_the_one_kept_is_named(tmp_path: Path, damage: Any, said: str) -> None:
    kept, other, work = tmp_path / "kept", tmp_path / "other", tmp_path / "work"
    states = dict(trained(kept, RECIPE, keep_states=4)[0].states)
    trained(other, RECIPE, keep_states=4, seed=4)
    damage(kept, other)
    work.mkdir()
    with pytest.raises(DamagedStateError, match=said):
        go_back(kept, 4, states[4], work, ())
    assert [*work.iterdir()] == []
    assert not [*kept.glob("*.damaged-*")]  # an audit changes nothing of what it judges
