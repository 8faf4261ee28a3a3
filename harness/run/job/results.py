"""Results of a job's stages, and other answers that are kept on disk. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import DataError, PathError, RequestError, StorageError
from harness.records.costs import Resources
from harness.records.damage import DamagedFile, set_aside
from harness.records.documents import digest, readable_json, sha256_file
from harness.records.files import atomic_file, read_bytes, read_text, write_text
from harness.records.lease import POLL, confirm_lease, take_lease
from harness.records.record import Stage, State
from harness.train.training_progress import FINAL as WEIGHTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harness.tasks.task import Scores

Answer = TypeVar("Answer", bound=BaseModel)
Wait = Callable[[bool], None]

KEY_DIGITS = 16
"""Of a stage's key, in the name of its folder."""

RESULT = "result.json"
INPUTS = "inputs.json"
SCORES = "scores.npz"

EMBEDDINGS = "embeddings.npz"
"""Test embeddings of an evaluation, for pictures of them; nothing is judged by this file."""

OWN = "own"
"""Key of a result's hash of all the rest of it; older results lack it."""

ARTEFACTS = {"checkpoint": WEIGHTS, "scores": SCORES}
"""Key of a result -> file of its stage, whose hash the result holds."""

FLOAT16_EXPONENT = 15
"""Values below 2 to this power fit float16."""

PACKED = 64
"""How many times its own size a file's arrays may take; those of `save_scores` are not packed."""

NOTES = "notes"
"""Key of a result: what its row must say of it."""

ITEM_SECONDS = 2.0
"""Length of the sounds behind every figure that does not name another."""

FIRST_RESULT = "first result"
"""The part of measuring that ends with a process's first embedding."""


SILENCE = "waiting for other jobs to stand still"
"""The part of a job in which its machine is not quiet enough yet to measure."""


def stage_name(name: str, key: str) -> str:
    """Return what the folder of a stage's files is called."""
    return f"{name}-{key[:KEY_DIGITS]}"


def stage_folder(runs: Path, name: str, key: str) -> Path:
    """Return the folder of a stage's files, for all jobs that share it."""
    return runs / "stages" / stage_name(name, key)


class Measurement(BaseModel):
    """The costs of a system, or the reason why they are not known.

    Attributes:
        state, reason: as in a record.
        resources: the figures; where memory ran out, those that were taken all the same.
        first_result_seconds: from the start of a process to its first embedding.
        notes: on the figures, for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: State
    reason: str = ""
    resources: Resources = Resources()
    first_result_seconds: float | None = None
    notes: tuple[str, ...] = ()


class TimedShapes(BaseModel):
    """The shapes of a dataset for a timing trial, which decodes none of it.

    Attributes:
        classes: labels of the training split.
        crop_seconds: length of a sound in a step of each training of the recipe.
        item_seconds: length of a sound that is embedded; 0 for pictures.
        together: items that are embedded at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: int
    crop_seconds: tuple[float, ...]
    item_seconds: float
    together: int


class Speed(BaseModel):
    """The speed of a system on one machine.

    Attributes:
        start: seconds from the start of a process to its first embedding.
        steps: seconds of a step of each training of the recipe.
        item: seconds to embed one item.
        measuring: seconds that measuring it will take.
        waited: share of the trial's time that its threads had no processor.
        why: the reason why the timing trial failed; empty if it did not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: float = 0.0
    steps: tuple[float, ...] = ()
    item: float = 0.0
    measuring: float = 0.0
    waited: float = 0.0
    why: str = ""


def find_result(folder: Path) -> dict[str, Any] | None:
    """Return a stage's result; None if it has not ended well yet, or is to be made again."""
    try:
        return read_result(folder)
    except DamagedFile:
        return None


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return a stage's result; None if it has not ended well yet.

    Raises:
        DamagedFile: the file is not what was written, or is another stage's; ours are whole or
            absent.
    """
    path = folder / RESULT
    if not path.exists():
        return None
    try:
        result = dict(json.loads(read_text(path)))
        stage = Stage.model_validate(result["stage"])
        if result.pop(OWN, None) not in (None, digest(result)):
            raise ValueError("it is not what was written")
        if not folder.name.endswith(f"-{stage.key[:KEY_DIGITS]}"):
            raise DamagedFile(
                f"{path}: the result of another stage, {stage.key[:KEY_DIGITS]}; `harness run` "
                "makes its own again"
            )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedFile(
            f"{path}: not the result of a stage; `harness run` makes it again"
        ) from error
    return result


def difference_in_files(folder: Path, result: dict[str, Any]) -> tuple[Path, str] | None:
    """Return the first file of a stage that is not the one that its result names, and why."""
    for artefact, name in ARTEFACTS.items():
        named, path = result.get(artefact), folder / name
        if not named:
            continue
        if not path.is_file():
            return path, "absent"
        if sha256_file(path) != named["sha256"]:
            return path, f"not the one with the sha256 {named['sha256'][:12]} that was written"
    return None


def run_stage(
    folder: Path,
    stage: Stage,
    code: str,
    make: Callable[[Path], dict[str, Any]],
    wait: Wait = lambda _: None,
) -> dict[str, Any]:
    """Return a stage's result, running the stage if it is missing or its files are damaged.

    Two processes that want the same stage wait for one another; the second finds its result.

    Args:
        folder: holds the stage's files.
        stage: its key and all that went into it, kept beside the result.
        code: the commit that runs it, kept too: a later job that finds the result names this one.
        make: does the work in that folder and returns what is to be kept.
        wait: told when it begins and ends to wait for another process.

    Raises:
        LeaseLost: this process stood still for so long that another one took the stage over.
    """
    with turn(folder, wait):
        try:
            found = read_result(folder)
        except DamagedFile as error:
            found = None
            set_aside(folder / RESULT, str(error))
        if found is not None:
            wrong = difference_in_files(folder, found)
            if wrong is None:
                return found
            set_aside(*wrong)
            set_aside(folder / RESULT, f"{wrong[0].name} is {wrong[1]}")
        write_text(folder / INPUTS, readable_json(stage.inputs))
        began = monotonic()
        result = make(folder)
        spent = {"seconds": round(monotonic() - began, 3), "finished": utc_now(), "code": code}
        kept = {**result, "stage": stage.model_copy(update=spent).model_dump()}
        confirm_lease(folder)
        write_text(folder / RESULT, readable_json({**kept, OWN: digest(kept)}))
        return kept


@contextmanager
def turn(folder: Path, wait: Wait = lambda _: None) -> Iterator[None]:
    """Hold the lease of a folder, and tell if another process has to be waited for.

    Args:
        folder: what is worked in.
        wait: called with True before waiting, with False after it; not at all if nobody waits.
    """
    lease = take_lease(folder)
    if lease is None:
        wait(True)
        while lease is None:
            sleep(POLL)
            lease = take_lease(folder)
        wait(False)
    try:
        yield
    finally:
        lease.release()


def measured(result: dict[str, Any]) -> tuple[Resources, tuple[str, ...]]:
    """Return the figures of the result of `measure`, and the notes on them."""
    figures = {key: value for key, value in result.items() if key not in ("stage", NOTES)}
    return Resources(**figures), tuple(result.get(NOTES, ()))


def utc_now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class KeptFile(BaseModel):
    """A file of one answer; `own` is the hash of the rest, which older files lack."""

    inputs: dict[str, Any]
    predicted: dict[str, Any]
    own: str = ""

    @property
    def sealed(self) -> KeptFile:
        """The same with its hash."""
        rest = self.model_dump(exclude={"own"})
        return self.model_copy(update={"own": digest(rest)})


class KeptAnswers:
    """Answers in files of a folder; in memory alone if the folder cannot be written.

    Args:
        what: the answers, in the plural, for the message that they are not kept.
        tell: receives that message, once.
    """

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        self._what, self._tell = what, tell
        self._is_told = False
        self._unkept: dict[Path, BaseModel] = {}

    def read(self, path: Path, rests_on: dict[str, Any], kind: type[Answer]) -> Answer | None:
        """Return an answer; None if it is not there, is damaged or another version wrote it."""
        unkept = self._unkept.get(path)
        if isinstance(unkept, kind):
            return unkept
        try:
            found = KeptFile.model_validate_json(read_bytes(path))
            why = "it is not what was written"
            if found.own in ("", found.sealed.own):
                if digest(found.inputs) == digest(rests_on):
                    return kind.model_validate(found.predicted)
                why = "it answers another question"
        except PathError:
            return None
        except ValidationError as error:
            why = str(error).partition("\n")[0]
        set_aside(path, why)
        return None

    def keep(self, path: Path, rests_on: dict[str, Any], answer: BaseModel) -> None:
        """Keep an answer; if the disk takes none, the next call makes it anew."""
        content = KeptFile(inputs=rests_on, predicted=answer.model_dump(mode="json"))
        try:
            write_text(path, readable_json(content.sealed.model_dump()))
        except (PathError, StorageError) as error:
            if not self._is_told:
                self._tell(f"{self._what} are not kept: {error}")
            self._is_told = True
            self.remember(path, answer)

    def remember(self, path: Path, answer: BaseModel) -> None:
        """Give an answer for the rest of this call, and make it anew in the next one."""
        self._unkept[path] = answer


def save_scores(path: Path, scores: Scores) -> None:
    """Write the arrays of one evaluation as one file."""
    import numpy as np

    with atomic_file(path) as file:
        np.savez(file, **scores)  # type: ignore[arg-type]


def save_embeddings(path: Path, outputs: NDArray[np.float32], most: int) -> bool:
    """Write embeddings in float16, if they take at most so many bytes and all are finite.

    Values beyond float16's range are divided by a power of two, the same for all: directions and
    neighbours stay.

    Args:
        path: the file.
        outputs: `[items, size]`.
        most: bytes that they may take.
    """
    import numpy as np

    if 2 * outputs.size > most or not np.isfinite(outputs).all():
        return False
    _, exponent = np.frexp(np.abs(outputs).max(initial=0.0))
    halves = np.ldexp(outputs, -max(0, int(exponent) - FLOAT16_EXPONENT)).astype(np.float16)
    with atomic_file(path) as file:
        np.savez(file, embeddings=halves)
    return True


def load_scores(path: Path) -> Scores:
    """Read the arrays of one evaluation.

    Raises:
        DataError: the file is absent, or no evaluation wrote it.
    """
    from harness.records.npz import read_arrays

    try:
        return read_arrays(path, None, PACKED * path.stat().st_size)
    except (OSError, RequestError) as error:
        raise DataError(f"{path}: no file of scores ({error})") from error
