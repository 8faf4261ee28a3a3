"""Exports that cannot be opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.use.exported_network import open_export, require_libraries


def test_an_absent_library_names_its_extra() -> None:
    require_libraries("json")
    with pytest.raises(RequestError) as refused:
        require_libraries("json", "no_library_has_this_name")
    assert str(refused.value) == (
        "no_library_has_this_name: not installed; install the extra: "
        "pip install 'trialboard[export]'"
    )


def test_a_folder_without_facts_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no model\.json is there"):
        open_export(tmp_path, "embedding")


def test_facts_of_another_schema_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"schema": 7}))
    with pytest.raises(RequestError, match="schema 7; this program reads 1"):
        open_export(tmp_path, "embedding")
