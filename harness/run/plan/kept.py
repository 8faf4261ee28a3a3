"""Answers that planning keeps on disk, each beside all that it rests on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import PathError, StorageError
from harness.records.documents import readable_json
from harness.records.files import read_text, write_text

Answer = TypeVar("Answer", bound=BaseModel)


class KeptFile(BaseModel):
    """A file of one answer."""

    inputs: dict[str, Any]
    predicted: dict[str, Any]


class KeptAnswers:
    """Answers in files of a folder; in memory alone where the folder cannot be written.

    Args:
        what: the answers, in the plural, for the message that they are not kept.
        tell: receives that message, once.
    """

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        self._what, self._tell = what, tell
        self._unkept: dict[Path, BaseModel] = {}

    def read(self, path: Path, kind: type[Answer]) -> Answer | None:
        """Return an answer; None if it is not there or another version wrote it."""
        unkept = self._unkept.get(path)
        if isinstance(unkept, kind):
            return unkept
        try:
            return kind.model_validate(KeptFile.model_validate_json(read_text(path)).predicted)
        except (PathError, ValidationError):
            return None

    def keep(self, path: Path, rests_on: dict[str, Any], answer: BaseModel) -> None:
        """Keep an answer; the next call makes it anew where the disk takes none."""
        content = KeptFile(inputs=rests_on, predicted=answer.model_dump(mode="json"))
        try:
            write_text(path, readable_json(content.model_dump()))
        except (PathError, StorageError) as error:
            if not self._unkept:
                self._tell(f"{self._what} are not kept: {error}")
            self._unkept[path] = answer
