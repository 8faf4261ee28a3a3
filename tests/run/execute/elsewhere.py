"""Jobs of the small benchmark for executors on other machines, asked without a command line."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.config.loader import load
from harness.config.tables import ExecutorTable
from harness.run.events import ProgressEvent
from harness.run.execute.executor import (
    Answer,
    Executor,
    StoppedError,
    choose_executor,
    make_executor,
)
from harness.run.job.limits import Limits
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.request import RunRequest
from tests.places import EXAMPLES, ROOT
from tests.run.execute.test_supervisor import wait_until
from tests.tiny import TinyBenchmark, planned_jobs

PAGE = ROOT / "docs" / "cluster.md"
ONE = ("--loss", "aam", "--seeds", "7")
EXAMPLE = EXAMPLES / "my_executors.py"
GREEDY = """

@dataclass(frozen=True, kw_only=True)
class Greedy(Tiny):
    \"\"\"Fills the memory that its container gives it.\"\"\"

    def build(self):
        trunk = super().build()
        trunk.struck = lambda embedding: [bytearray(b"1" * 2**26) for _ in range(1000)]
        return trunk
"""


@dataclass
class Asked:
    """A job that is asked for in a thread of its own.

    Attributes:
        answer: once it has ended; None if its executor was stopped.
        events: that came of it.
    """

    executor: Executor
    job: JobSpec
    answer: Answer | None = None
    events: list[ProgressEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        try:
            self.answer = self.executor.ask(self.job, self.executor.slots[0], self.events.append)
        except StoppedError:
            self.answer = None

    def wait(self, condition: Callable[[], bool], seconds: float = 120) -> None:
        """Wait for something that happens before it ends."""
        wait_until(lambda: condition() or not self._thread.is_alive(), seconds=seconds)
        assert condition(), self.answer

    def let_through(self, gate: Path) -> Answer:
        """Let it go on to its end; on a busy machine measuring takes as many steps once more."""
        self.wait(lambda: gate.unlink(missing_ok=True) or self.answer is not None, seconds=480)
        answer = self.ended()
        assert answer is not None
        return answer

    def ended(self) -> Answer | None:
        """Wait for its end."""
        self._thread.join(timeout=480)
        assert not self._thread.is_alive()
        return self.answer


def table(**fields: Any) -> ExecutorTable:
    """A table of `[executors]`."""
    return ExecutorTable.model_validate(fields)


def engine(name: str, **fields: Any) -> Executor:
    """An executor of ours for one job at a time, by the fields of its table."""
    return make_executor(choose_executor(name, {name: table(**fields)}), "cpu", 1)


def job_of(tiny: TinyBenchmark, model: str = "tiny", seed: int = 7, **limits: float) -> JobSpec:
    """A job of the benchmark, with the speech packed already."""
    request = RunRequest(
        suite="own" if model == "tiny" else "faulty", profile="quick", runs=tiny.runs,
        device="cpu", threads=1, datasets=("voices",), models=(model,), losses=("aam",),
        seeds=(seed,), limits=Limits(**limits),
    )  # fmt: skip
    # The module of another test's benchmark is imported by a worker that is left, and found first
    # where its folder still is in the path.
    path = sys.path.copy()
    sys.path[:] = [each for each in path if not Path(each, "tiny_models.py").exists()]
    WORKERS.close()
    try:
        planned = planned_jobs(load(tiny.config), request)
    finally:
        WORKERS.close()
        sys.path[:] = path
    return next(job for job in planned if not job.is_baseline)


def documented(name: str) -> tuple[str, ...]:
    """The words of docs/cluster.md's command with an executor, for one job and its baseline."""
    wanted = re.compile(
        rf"^(?:RAY_ADDRESS=auto )?harness (run .*--executor {name}\b.*)$", re.MULTILINE
    )
    (words,) = wanted.findall(PAGE.read_text(encoding="utf-8"))
    return (*words.split(), *ONE)


def add_executor(tiny: TinyBenchmark, name: str, text: str) -> None:
    """Give the benchmark file a table of an executor, and the example's module beside it."""
    shutil.copy(EXAMPLE, tiny.folder)
    with tiny.config.open("a") as file:
        file.write(f"\n[executors.{name}]\n{text}\n")


def add_greedy(tiny: TinyBenchmark) -> None:
    """Give the benchmark a network that takes memory without end."""
    with (tiny.folder / "tiny_models.py").open("a") as file:
        file.write(GREEDY)
    tiny.edit('models = ["nan",', 'models = ["greedy", "nan",')
    with tiny.config.open("a") as file:
        file.write('\n[models.greedy]\nadapter = "tiny_models:Greedy"\n')


def python_folders() -> list[str]:
    """Folders that this interpreter and its libraries are read from."""
    places = {sys.prefix, sys.base_prefix, *(place for place in sys.path if Path(place).is_dir())}
    return sorted(places)
