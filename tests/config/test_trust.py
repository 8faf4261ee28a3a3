"""A safe call runs code of listed packages alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness.config.imports import load_class
from harness.config.loader import load
from harness.config.trust import TRUSTED, check_trusted, trust_only
from harness.data.reading.sources import allow_command
from harness.errors import ConfigError, DataError


@pytest.fixture
def _safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRUSTED, "")
    trust_only(["theirs", "own.models"])


@pytest.mark.parametrize("module", ["harness.tasks.task", "adapters.timm", "theirs.a"])
@pytest.mark.usefixtures("_safe")
def test_what_is_listed_is_trusted(module: str) -> None:
    check_trusted(module, "models.a.adapter")


@pytest.mark.parametrize("module", ["os", "theirs_too", "own", "own.other", "adapters.upstream"])
@pytest.mark.usefixtures("_safe")
def test_what_is_not_listed_is_refused(module: str) -> None:
    with pytest.raises(ConfigError, match=r"models.a.adapter: .* is of no trusted package"):
        check_trusted(module, "models.a.adapter")


def test_a_checkout_has_to_be_named_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TRUSTED, "")
    trust_only(["adapters.upstream"])
    check_trusted("adapters.upstream", "models.a.adapter")


@pytest.mark.usefixtures("_safe")
def test_no_class_of_an_unlisted_module_is_imported() -> None:
    with pytest.raises(ConfigError, match="'antigravity' is of no trusted package"):
        load_class("antigravity:Geohash", "executors.mine.class")
    assert "antigravity" not in sys.modules


@pytest.mark.usefixtures("_safe")
def test_the_files_folder_is_not_importable(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text('base = "trialboard"\n')
    load(tmp_path / "benchmark.toml")
    assert str(tmp_path.resolve()) not in sys.path


@pytest.mark.usefixtures("_safe")
def test_no_command_of_a_list_runs() -> None:
    with pytest.raises(DataError, match="a call without --safe lets it"):
        allow_command("sph2pipe a.sph", "wav.scp:1", allowed=True)


def test_a_call_that_is_not_safe_trusts_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TRUSTED, raising=False)
    check_trusted("anything", "models.a.adapter")
    assert allow_command("sox", "wav.scp:1", allowed=True) == "sox |"
