"""The Ray executor: each job is a task of a Ray cluster."""

from __future__ import annotations

import logging
import os
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import RequestError
from harness.run.execute import node
from harness.run.execute.executor import Answer
from harness.run.execute.remote import RemoteExecutor, RemoteJob, import_engine

ADDRESS = "RAY_ADDRESS"

REACHED = 10.0
"""Seconds for a cluster's port to open."""

_CONNECTING = threading.Lock()

QUIET = {"log_to_driver": False, "configure_logging": False}


def run_node(folder: str) -> None:
    """Run a job on the node that Ray chose."""
    node.run(Path(folder))


@dataclass
class RayExecutor(RemoteExecutor):
    """Runs jobs as tasks of the Ray cluster that is there, else of one on this machine.

    Attributes:
        address: of the cluster; else `$RAY_ADDRESS`, else a cluster of this machine that runs.
        resources: custom ones of each job, as in `{ fast_disk = 1.0 }`: it runs on nodes with them.
        labels: that its node must have, as in `{ "ray.io/accelerator-type" = "H200" }`.
        memory_gb: that Ray sets aside for each job; 0 for none.
        gpus: of each job that is planned for CUDA.
        retries: how often a job begins again whose node is lost, from its last checkpoint.
    """

    address: str = ""
    resources: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    memory_gb: float = 0.0
    gpus: float = 1.0
    retries: int = 3

    def __post_init__(self) -> None:
        """Check that Ray is installed; the first job connects.

        Raises:
            RequestError: it is not.
        """
        super().__post_init__()
        self._ray = import_engine("ray", "ray")

    def start(self, job: RemoteJob) -> Any:
        """Submit a task; it waits until a node has the resources."""
        self._connect()
        options = {
            "num_cpus": job.spec.threads + job.spec.data_workers,
            "num_gpus": self.gpus if job.spec.device == "cuda" else 0,
            "resources": self.resources,
            "label_selector": self.labels,
            "memory": int(self.memory_gb * 2**30) or None,
            "max_retries": self.retries,
            "name": job.spec.title,
        }
        # Each job has a process of its own, whose environment it may change.
        task = self._ray.remote(max_calls=1)(run_node)
        return task.options(**options).remote(str(job.folder))

    def ended(self, handle: Any) -> Answer | None:
        """Return why a task ended: its node was lost, or its code raised."""
        ray = self._ray
        try:
            if not ray.wait([handle], timeout=0)[0]:
                return None
            ray.get(handle)
        except ray.exceptions.OutOfMemoryError as error:
            told = f"Ray ended it for lack of memory: {_first(error)}"
            return Answer(None, told, str(error), "oom")
        except ray.exceptions.RayError as error:
            return Answer(None, f"Ray lost it: {_first(error)}", str(error))
        return Answer(None, "its task ended without an answer", "")

    def end(self, handle: Any) -> None:
        """Cancel a task, and end its process."""
        with suppress(self._ray.exceptions.RayError):  # a cluster that is gone runs nothing
            if not self._ray.wait([handle], timeout=0)[0]:
                self._ray.cancel(handle, force=True)

    def _connect(self) -> None:
        """Connect this process to the cluster, once.

        A cluster of this machine ends with the thread that started it, so that is one which stays.

        Raises:
            RequestError: a cluster was named, and does not answer.
        """
        ray, named = self._ray, self.address or os.environ.get(ADDRESS, "")
        done: Future[None] = Future()

        def connect() -> None:
            logging.getLogger("ray").setLevel(logging.ERROR)
            try:
                _check_port(named)
                try:
                    ray.init(address=named or "auto", **QUIET)
                except ConnectionError:
                    if named:
                        raise
                    ray.init(address="local", include_dashboard=False, **QUIET)
            except (OSError, RuntimeError, ValueError) as error:
                done.set_exception(error)
            else:
                done.set_result(None)
                threading.Event().wait()

        with _CONNECTING:
            if ray.is_initialized():
                return
            threading.Thread(target=connect, daemon=True).start()
            try:
                done.result()
            except (OSError, RuntimeError, ValueError) as error:
                raise RequestError(
                    f"--executor ray: no cluster at {named or 'this machine'}: {_first(error)}; "
                    f"`ray status` shows whether one runs, ${ADDRESS} names it"
                ) from error


def _check_port(address: str) -> None:
    """Open the port of an address once, since Ray itself goes on trying for minutes.

    Raises:
        OSError: nobody answers there.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()


def _first(error: Exception) -> str:
    """Return the first line of an error."""
    return str(error).strip().partition("\n")[0]
