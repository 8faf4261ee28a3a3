"""A disk that is full ends a training with its own reason, and never spoils what was kept."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from harness.errors import StorageError
from harness.train.checkpoint import load_resume, load_weights, save_resume, save_weights
from harness.train.tensorboard import Curves

SMALL, LARGE = {"w": torch.ones(4)}, {"w": torch.ones(10_000)}


@pytest.fixture(autouse=True)
def quiet_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorBoard's own thread raises what it met, beside what `Curves` makes of it."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)


@pytest.fixture
def limited() -> Iterator[None]:
    """Files may not grow beyond 10,000 bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("limited")
def test_a_checkpoint_that_does_not_fit_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, SMALL)
    with pytest.raises(StorageError, match=f"at {path}: .* the same command again"):
        save_weights(path, LARGE)
    assert load_weights(path)["w"].shape == (4,)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("limited")
def test_a_resume_point_that_does_not_fit_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "resume.pt"
    save_resume(path, {"system": SMALL, "step": 1})
    with pytest.raises(StorageError, match=f"at {path}: .* the same command again"):
        save_resume(path, {"system": LARGE, "step": 2})
    state = load_resume(path)
    assert state is not None
    assert state["step"] == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("limited")
def test_curves_that_do_not_fit_are_given_up_with_the_reason(tmp_path: Path) -> None:
    curves = Curves(tmp_path / "curves", 1)
    curves.add(1, {"Train/Loss": 1.0})
    curves.flush()
    assert curves.lost == ""
    for step in range(2, 400):
        curves.add(step, {"Train/Loss": 1.0})
    curves.flush()
    curves.close()
    assert f"at {tmp_path / 'curves'}" in curves.lost


def test_curves_without_a_folder_are_given_up_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    curves = Curves(tmp_path / "taken" / "curves", 1)
    curves.add(1, {"Train/Loss": 1.0})
    curves.close()
    assert curves.lost.startswith(str(tmp_path / "taken"))
