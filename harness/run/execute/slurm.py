"""The Slurm executor: each job is submitted by itself, through submitit."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Literal

from harness.errors import RequestError
from harness.records.record import State
from harness.run.execute import node
from harness.run.execute.executor import Answer
from harness.run.execute.remote import RemoteExecutor, RemoteJob, import_engine

STATES: dict[str, State] = {"TIMEOUT": "timeout", "OUT_OF_MEMORY": "oom"}
"""Slurm's state -> state of a record; all others are failures."""

MARGIN = 10.0
"""Minutes that Slurm grants a job beyond its own time limit, to answer and to end."""

EVERY = 30.0
"""Seconds between two questions for states, whatever the number of jobs."""


class NodeTask:
    """What Slurm runs.

    Args:
        folder: of the job on the shared disk.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __call__(self) -> None:
        """Run the job; again after it was requeued, from its last checkpoint."""
        node.run(Path(self.folder))

    def checkpoint(self) -> Any:
        """Return what is to be run when the job is preempted, or its time in the queue is over.

        Training keeps its own checkpoints, so the same task goes on from the last of them.
        """
        return import_engine("submitit", "slurm").helpers.DelayedSubmission(NodeTask(self.folder))


@dataclass
class SlurmExecutor(RemoteExecutor):
    """Submits each job to Slurm, and cancels it when the caller stops.

    Attributes:
        hours: that one stay on a node may take; a job that has more to do is requeued.
        requeues: how often its time may be over before it is given up; preemption counts for none.
        memory_gb: of each job.
        gpus: of each job that is planned for CUDA.
        parameters: further ones of sbatch, as in `{ partition = "gpu", account = "speech" }`.
        cluster: `local` runs submitit's own processes on this machine, for a trial.
    """

    hours: float = 24.0
    requeues: int = 20
    memory_gb: float = 16.0
    gpus: int = 1
    parameters: dict[str, Any] = field(default_factory=dict)
    cluster: Literal["slurm", "local"] = "slurm"

    def __post_init__(self) -> None:
        """Check that submitit is installed, and Slurm is here.

        Raises:
            RequestError: they are not.
        """
        super().__post_init__()
        self._asked, self._lock = monotonic(), threading.Lock()
        submitit = self._submitit = import_engine("submitit", "slurm")
        self._watcher = None
        if self.cluster == "slurm":
            if submitit.SlurmExecutor.affinity() <= 0:
                raise RequestError(
                    "--executor slurm: there is no srun here; give it on a login node"
                )
            if not keeps_accounts():
                self._watcher = watch_queue(submitit)

    def start(self, job: RemoteJob) -> Any:
        """Submit a job."""
        logs = job.folder / "slurm"
        limit = job.spec.limits.job_hours
        minutes = 60 * min(self.hours, limit) + MARGIN if limit else 60 * self.hours
        engine = self._submitit.AutoExecutor(
            logs, self.cluster, **{f"{self.cluster}_max_num_timeout": self.requeues}
        )
        try:
            engine.update_parameters(
                name=f"harness-{job.spec.digest[:8]}",
                timeout_min=max(1, round(minutes)),
                mem_gb=self.memory_gb,
                cpus_per_task=job.spec.threads + job.spec.data_workers,
                **({"gpus_per_node": self.gpus} if job.spec.device == "cuda" else {}),
                slurm_additional_parameters={"requeue": True, **self.parameters},
            )
            handle = engine.submit(NodeTask(str(job.folder)))
        except (ValueError, self._submitit.core.utils.FailedJobError) as error:
            raise RequestError(f"--executor slurm: the job is not taken: {error}") from error
        if self._watcher is not None:
            handle.watcher = self._watcher
        return handle

    def ended(self, handle: Any) -> Answer | None:
        """Return the state in which Slurm ended a job, with the end of its log."""
        if not handle.done(force_check=self._is_due()):
            return None
        told = str(handle.state).partition(" ")[0]
        why = f"Slurm's job {handle.job_id} ended as {told}, without an answer"
        return Answer(None, why, handle.stderr() or "", STATES.get(told, "failed"))

    def end(self, handle: Any) -> None:
        """Cancel a job."""
        if not handle.done():
            handle.cancel(check=False)

    def _is_due(self) -> bool:
        """Return whether Slurm is to be asked anew, which answers for all jobs at once."""
        with self._lock:
            if monotonic() - self._asked < EVERY:
                return False
            self._asked = monotonic()
            return True


def keeps_accounts() -> bool:
    """Return whether `sacct` answers: a small cluster may keep no accounts of its jobs."""
    command = ["sacct", "--noheader", "--jobs", "1"]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def watch_queue(submitit: Any) -> Any:
    """Return submitit's watcher of Slurm, asking `squeue` in place of `sacct`.

    The queue knows the state of a job for some minutes beyond its end (`MinJobAge`).
    """
    base = type(submitit.SlurmJob.watcher)

    class QueueWatcher(base):  # type: ignore[misc, valid-type]
        def _make_command(self) -> list[str] | None:
            if super()._make_command() is None:
                return None
            return ["squeue", "--me", "--states=all", "--format=%i|%T|%N"]

        def read_info(self, string: bytes | str) -> dict[str, dict[str, str]]:
            text = string if isinstance(string, str) else string.decode()
            found: dict[str, dict[str, str]] = super().read_info(
                text.replace("JOBID|STATE|NODELIST", "JobID|State|NodeList", 1)
            )
            return found

    return QueueWatcher(delay_s=600)
