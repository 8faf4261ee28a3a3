"""The arithmetic of a GPU: what is set, what is named, what is recorded."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from harness.config.recipes import Recipe
from harness.measure.environment import environment, environment_digest
from harness.measure.rounding import (
    FFT_PLANS,
    arithmetic,
    arithmetic_facts,
    flags,
    half_precision_hint,
    name_in_no_order,
)


def settings() -> dict[str, Any]:
    options: Any = torch.utils.deterministic
    return {
        "convolutions": torch.backends.cudnn.allow_tf32,
        "products": torch.backends.cuda.matmul.allow_tf32,
        "cudnn": torch.backends.cudnn.deterministic,
        "all": torch.are_deterministic_algorithms_enabled(),
        "raises": not torch.is_deterministic_algorithms_warn_only_enabled(),
        "fills": options.fill_uninitialized_memory,
    }


def test_flags_hold_for_a_block_and_are_set_back() -> None:
    before = settings()
    with flags(tf32=True, deterministic=False):
        assert settings()["convolutions"]
        assert settings()["products"]
        with flags(tf32=False, deterministic=True):
            assert settings() == {
                "convolutions": False, "products": False, "cudnn": True, "all": True,
                "raises": False, "fills": False,
            }  # fmt: skip
        assert not settings()["cudnn"]
        assert not settings()["all"]
    assert settings() == before
    with pytest.raises(ZeroDivisionError), flags(tf32=True, deterministic=True):
        raise ZeroDivisionError
    assert settings() == before


def test_nothing_is_set_for_a_processor() -> None:
    before = settings()
    with arithmetic(torch.device("cpu"), tf32=False):
        assert settings() == before


@pytest.mark.parametrize(("device", "place"), [("cuda:1", 1), ("cuda", 0)])
def test_a_gpus_plans_of_transforms_are_few(
    monkeypatch: pytest.MonkeyPatch, device: str, place: int
) -> None:
    class Cache:
        max_size = 4096

    caches = (Cache(), Cache())
    monkeypatch.setattr(torch.backends.cuda, "cufft_plan_cache", caches)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    with arithmetic(torch.device(device)):
        assert settings()["cudnn"]
        assert not settings()["convolutions"]
    assert caches[place].max_size == FFT_PLANS


def test_an_operation_that_does_not_repeat_runs_and_is_named() -> None:
    found: set[str] = set()
    values = torch.zeros(3)
    with warnings.catch_warnings(record=True) as others:
        warnings.simplefilter("ignore")
        with flags(tf32=False, deterministic=True), name_in_no_order(found):
            values.put_(torch.tensor([0, 2]), torch.tensor([1.0, 2.0]))
            warnings.simplefilter("always")
            warnings.warn("something else", stacklevel=1)
    assert found == {"put_"}
    assert values.tolist() == [1.0, 0.0, 2.0]
    assert [str(each.message) for each in others] == ["something else"]


def test_a_gpus_arithmetic_is_part_of_its_environment_alone() -> None:
    recipe = Recipe(steps=1)
    assert arithmetic_facts("cpu", recipe) == {}
    facts = arithmetic_facts("cuda", recipe)
    assert facts["training"] == "float32, deterministic" == facts["evaluation"]
    fast = Recipe(steps=1, tf32=True, deterministic=False)
    assert arithmetic_facts("cuda", fast)["training"] == "TF32, not deterministic"
    here = environment("cpu", threads=1)
    assert "arithmetic" not in here.model_dump()
    digests = {
        environment_digest(here.model_copy(update={"arithmetic": each}))
        for each in ({}, facts, arithmetic_facts("cuda", fast))
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("card", "precision", "hinted"),
    [
        ("NVIDIA GeForce GTX 1660 SUPER", "16-mixed", True),
        ("NVIDIA GeForce GTX 1650", "bf16-mixed", True),
        ("NVIDIA GeForce GTX 1660", "32-true", False),
        ("NVIDIA GeForce RTX 2060", "16-mixed", False),
        ("NVIDIA GeForce GTX 1080", "16-mixed", False),
    ],
)
def test_cards_whose_half_precision_fails_are_known(
    card: str, precision: str, hinted: bool
) -> None:
    hint = half_precision_hint(card, precision)
    assert (card in hint and '"32-true"' in hint) if hinted else hint == ""
