"""A stage's result on disk: made once, found again by its key."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from harness.errors import RequestError
from harness.records.documents import readable_json
from harness.records.files import lock, read_text, write_text
from harness.records.record import Stage

RESULT = "result.json"


def find_result(folder: Path) -> dict[str, Any] | None:
    """A stage's result, or None where it has not ended well yet.

    Raises:
        RequestError: the file is none of ours; ours are whole or absent.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    try:
        result = json.loads(read_text(path))
        Stage.model_validate(result["stage"])
    except (ValueError, TypeError, KeyError) as error:
        raise RequestError(
            f"{path}: not the result of a stage; delete its folder to have it made again"
        ) from error
    return dict(result)


def cached_stage(
    folder: Path, stage: Stage, code: str, make: Callable[[Path], dict[str, Any]]
) -> dict[str, Any]:
    """Give a stage's result, making it where it is missing.

    Two processes that want the same stage wait for one another; the second finds it made.

    Args:
        folder: where the stage's files lie.
        stage: its key and all that went into it, kept beside the result.
        code: the commit that runs it, kept too: a later job that finds it made names this one.
        make: does the work in that folder and returns what is to be kept.
    """
    with lock(folder):
        found = find_result(folder)
        if found is not None:
            return found
        write_text(folder / "inputs.json", readable_json(stage.inputs))
        began = monotonic()
        result = make(folder)
        done = _finished(stage, monotonic() - began).model_copy(update={"code": code})
        kept = {**result, "stage": done.model_dump()}
        write_text(folder / RESULT, readable_json(kept))
        return kept


def _finished(stage: Stage, seconds: float) -> Stage:
    return stage.model_copy(update={"seconds": round(seconds, 3), "finished": utc_now()})


def utc_now() -> str:
    """The time, in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
