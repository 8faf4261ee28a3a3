"""Checkpoints: whole or absent, and never a program."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.errors import RequestError
from harness.train.checkpoint import (
    average_weights,
    load_resume,
    load_weights,
    save_resume,
    save_weights,
)

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.steps": torch.tensor(7)}


class Malicious:
    """Writes a file when it is unpickled by a reader that trusts it."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.place,)


def test_weights_come_back_and_equal_ones_give_equal_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    save_weights(one, WEIGHTS)
    save_weights(two, {name: value.clone() for name, value in reversed(WEIGHTS.items())})
    assert one.read_bytes() == two.read_bytes()
    _check_equal(load_weights(one), WEIGHTS)


def test_tied_weights_can_be_saved(tmp_path: Path) -> None:
    tied = torch.arange(4.0)
    save_weights(tmp_path / "w.safetensors", {"one": tied, "two": tied, "part": tied[1:3]})
    found = load_weights(tmp_path / "w.safetensors")
    _check_equal(found, {"one": tied, "two": tied, "part": tied[1:3]})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": state},
        lambda state: {"model_state_dict": state, "optimizer_state_dict": {"lr": 0.1}},
        lambda state: {f"module.{name}": value for name, value in state.items()},
    ],
)
def test_torchs_own_format(tmp_path: Path, wrap) -> None:  # type: ignore[no-untyped-def]
    torch.save(wrap(WEIGHTS), tmp_path / "w.pt")
    _check_equal(load_weights(tmp_path / "w.pt"), WEIGHTS)


@pytest.mark.parametrize(
    "save", [torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing))]
)
def test_a_malicious_file_is_refused_and_not_executed(tmp_path: Path, save) -> None:  # type: ignore[no-untyped-def]
    path, trace = tmp_path / "w.pt", tmp_path / "executed"
    save({"a": Malicious(trace)}, path)
    with pytest.raises(RequestError, match="not a checkpoint of tensors alone"):
        load_weights(path)
    assert not trace.exists()
    with path.open("rb") as file:
        torch.load(file, weights_only=False) if save is torch.save else pickle.load(file)
    assert trace.exists(), "the file would have done it"


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", b"\x80\x04", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_checkpoint(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match="not a checkpoint of tensors alone"):
        load_weights(tmp_path / name)


def test_a_file_without_a_state_dict_or_no_file(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(RequestError, match="no state dict"):
        load_weights(tmp_path / "list.pt")
    with pytest.raises(RequestError, match="no such checkpoint"):
        load_weights(tmp_path / "absent.pt")


NO_NUMBER = (math.nan, math.inf, -math.inf)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16, torch.complex64])
@pytest.mark.parametrize("value", NO_NUMBER)
@pytest.mark.parametrize("save", [save_weights, lambda path, weights: torch.save(weights, path)])
def test_a_weight_that_is_no_number_is_named(
    tmp_path: Path, save: Any, value: float, kind: torch.dtype
) -> None:
    weight = torch.ones(3, 4).to(kind)
    weight[1, 2] = value
    path = tmp_path / "w.pt"
    save(path, {"a.fine": torch.ones(2), "a.\x1bbad": weight, "b": weight})
    said = r"w\.pt: the weight 'a\.\\x1bbad' holds NaN or infinity, and 1 others too"
    with pytest.raises(RequestError, match=said):
        load_weights(path)


def test_a_mask_of_minus_infinity_is_a_number(tmp_path: Path) -> None:
    mask = torch.full((3, 3), -math.inf).triu(1)
    save_weights(tmp_path / "w.safetensors", {"mask": mask, "none": torch.zeros(0)})
    assert torch.equal(load_weights(tmp_path / "w.safetensors")["mask"], mask)


def test_one_number_that_stands_for_many_takes_no_memory(tmp_path: Path) -> None:
    torch.save({"w": torch.tensor([math.inf]).expand(10**12)}, tmp_path / "w.pt")
    with pytest.raises(RequestError, match="the weight 'w' holds NaN or infinity"):
        load_weights(tmp_path / "w.pt")
    torch.save({"w": torch.tensor([1.0]).expand(10**12)}, tmp_path / "w.pt")
    assert load_weights(tmp_path / "w.pt")["w"].shape == (10**12,)


def test_a_false_size_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    torch.save({"w": torch.zeros(7)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    assert content.count(b"K\x07") == 2  # elements of the storage, and of the tensor
    path.write_bytes(content.replace(b"K\x07", b"\x8a\x08" + (2**46).to_bytes(8, "little")))
    with pytest.raises(
        RequestError, match="takes more memory than this machine has, or is damaged"
    ):
        load_weights(path)


def test_a_damaged_resume_point_is_set_aside_and_training_begins_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "resume.pt"
    save_resume(path, {"step": 3, **WEIGHTS})
    whole = path.read_bytes()
    number = whole.index(next(iter(WEIGHTS.values())).numpy().tobytes())
    flipped = whole[:number] + bytes([whole[number] ^ 1]) + whole[number + 1 :]
    evil = pickle.dumps(Malicious(tmp_path / "no"))
    for count, content in enumerate((b"", whole[:-50], evil, flipped), 1):
        path.write_bytes(content)
        assert load_resume(path) is None
        assert path.with_name(f"resume.pt.damaged-{count}").read_bytes() == content
        assert f"set aside as resume.pt.damaged-{count}, training begins" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    path.mkdir()
    with pytest.raises(IsADirectoryError):  # nothing that could be read is called damaged
        load_resume(path)


def test_a_failed_save_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "resume.pt"
    assert load_resume(path) is None
    save_resume(path, {"step": 3, **WEIGHTS})
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        save_resume(path, {"step": 4, "cannot": lambda: None})
    assert list(tmp_path.iterdir()) == [path]
    found = load_resume(path)
    assert found is not None
    assert found["step"] == 3


def test_the_average_by_hand() -> None:
    many = [
        {"w": torch.tensor([1.0, 10.0]), "seen": torch.tensor(1)},
        {"w": torch.tensor([2.0, 20.0]), "seen": torch.tensor(2)},
        {"w": torch.tensor([6.0, 60.0]), "seen": torch.tensor(3)},
    ]
    _check_equal(average_weights(many), {"w": torch.tensor([3.0, 30.0]), "seen": torch.tensor(3)})


def _check_equal(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert set(found) == set(wanted)
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name
