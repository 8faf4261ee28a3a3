"""Watch trainings of a runs folder from outside: which run, how far they are, how they ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from harness.errors import RequestError
from harness.records.files import read_text
from harness.records.lease import is_leased
from harness.records.record_files import read_record
from harness.run.folder import find_run, is_running
from harness.run.job.results import INPUTS, RESULT, stage_name
from harness.series.latest import LatestValues

T = TypeVar("T")
Seen_co = TypeVar("Seen_co", covariant=True)
State = Literal["runs", "done", "stopped"]

IDLE_LOOKS = 5
"""Looks with nothing running after which a call is taken to have ended: its next job may be about
to start."""


@dataclass(frozen=True)
class WatchedTraining:
    """One training.

    Attributes:
        folder: of its stage.
        inputs: of its stage.
        latest: its last values.
    """

    folder: Path
    inputs: Mapping[str, Any]
    latest: LatestValues

    @property
    def title(self) -> str:
        """Its name for a person: dataset, model, loss, recipe and seed."""
        inputs = self.inputs
        system = [inputs["model"]["name"]]
        system += [inputs["loss"]["name"]] if inputs.get("loss") else []
        # The stage does not name its recipe; the series does, as the end of the entry.
        begins = f"{'+'.join(system)}+"
        recipe = self.latest.entry.rpartition("-seed")[0].removeprefix(begins)
        if not self.latest.entry.startswith(begins):
            recipe = "extended" if inputs.get("parent") else ""
        parts = (" + ".join(system), recipe, f"seed {inputs['seed']}")
        return f"{inputs['dataset']['name']}: {', '.join(filter(None, parts))}"

    @property
    def state(self) -> State:
        """Whether it runs now, is done, or was stopped and will go on from a resume point."""
        if (self.folder / RESULT).exists():
            return "done"
        return "runs" if is_leased(self.folder) else "stopped"


class Watcher:
    """Looks at trainings again and again.

    Args:
        runs: the folder of runs.
        asked: trainings to look at, each by its run, its folder, or a part of its title or key;
            none for all that run at a look.

    Raises:
        RequestError: there is no such folder, or one that is asked for is in none.
    """

    def __init__(self, runs: Path, asked: Sequence[str] = ()) -> None:
        if not runs.is_dir():
            raise RequestError(f"{runs}: no such folder; --runs names another")
        self._runs = runs
        self._seen: dict[Path, WatchedTraining] = {}
        self._idle = 0
        every = list(self._all()) if asked else []
        for each in every:
            each.latest.update()  # its title is whole then
        for text in asked:
            found = [each for each in every if self._is_meant(text, each)]
            if not found:
                known = "; ".join(each.title for each in every) or "none"
                raise RequestError(f"{text}: no such training under {runs}; there are {known}")
            self._seen |= {each.folder: each for each in found}
        self._takes_all = not asked

    def look(self) -> list[WatchedTraining]:
        """Return the trainings with what they have written by now."""
        if self._takes_all:
            new = (each for each in self._all() if each.folder not in self._seen)
            self._seen |= {each.folder: each for each in new if each.state == "runs"}
        for each in self._seen.values():
            each.latest.update()
        return list(self._seen.values())

    def goes_on(self) -> bool:
        """Return whether there is something to look at again."""
        if any(each.state == "runs" for each in self._seen.values()):
            self._idle = 0
            return True
        if not self._takes_all or not self._seen:
            return self._takes_all and is_running(self._runs)
        if is_running(self._runs):
            return True
        self._idle += 1
        return self._idle < IDLE_LOOKS

    def _all(self) -> Iterable[WatchedTraining]:
        for path in sorted((self._runs / "stages").glob(f"train-*/{INPUTS}")):
            folder = path.parent
            yield WatchedTraining(folder, json.loads(read_text(path)), LatestValues(folder))

    def _is_meant(self, text: str, training: WatchedTraining) -> bool:
        if text in training.title or text in training.folder.name:
            return True
        if Path(text).resolve() == training.folder.resolve():
            return True
        try:
            stage = read_record(find_run(self._runs, Path(text))).stages.get("train")
        except RequestError:
            return False
        return stage is not None and training.folder.name == stage_name("train", stage.key)


class Looks(Protocol[Seen_co]):
    """Looks at something again and again."""

    def look(self) -> Seen_co:
        """Return what is seen now."""

    def goes_on(self) -> bool:
        """Return whether there is something to look at again."""


def follow(watcher: Looks[T], show: Callable[[T], None], wait: Callable[[], None]) -> None:
    """Show what a watcher sees until nothing goes on any more.

    Args:
        watcher: looks at it.
        show: receives what is seen at each look.
        wait: waits between two looks.
    """
    show(watcher.look())
    while watcher.goes_on():
        wait()
        show(watcher.look())
