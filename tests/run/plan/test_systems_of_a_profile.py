"""Systems that one profile of a suite has alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.config.loader import load
from harness.config.merging import builtin_benchmark
from harness.errors import ConfigError
from harness.run.plan.request import RunRequest, suite_entries

LOADED = load(builtin_benchmark())


def models(profile: str, *asked: str) -> set[str]:
    where = {"runs": Path("runs"), "device": "cpu", "threads": 1}
    request = RunRequest(suite="image", profile=profile, models=asked, **where)
    entries = suite_entries(LOADED.suite("image"), request, "open-characters")
    return {each.model for each in entries}


def test_the_full_profile_has_native_sizes_and_further_networks():
    small = {"efficientnet-b0", "efficientnet-b1", "efficientnet-b2"}
    assert models("quick") == small
    assert models("full") == small | {
        "efficientnet-b0-224",
        "efficientnet-b1-240",
        "efficientnet-b2-260",
        "resnet18",
        "mobilenetv3-large",
        "convnext-nano",
    }


def test_one_that_is_asked_for_in_the_other_profile_is_refused_with_the_mend():
    assert models("full", "resnet18") == {"resnet18"}
    with pytest.raises(ConfigError, match="its full profile alone; add --profile full"):
        models("quick", "resnet18")


def test_a_key_that_says_nothing_is_left_out_of_the_written_table():
    systems = LOADED.benchmark.suites["image"].systems
    assert "profile" not in systems[0].model_dump()
    assert systems[-1].model_dump()["profile"] == "full"
