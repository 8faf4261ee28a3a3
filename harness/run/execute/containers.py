"""The Docker executor: one container a job, without network, with limits of its own."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.loader import load
from harness.datasets.corpus_folders import ROOT_VARIABLE, Absence, find_folder
from harness.errors import RequestError
from harness.records.process_identity import ProcessIdentity, this_process
from harness.run.execute.executor import Answer
from harness.run.execute.remote import NODE, RemoteExecutor, RemoteJob, import_engine
from harness.run.execute.subprocesses import LocalExecutor, card_of
from harness.run.job.spec import JobSpec

CALLER = "org.trialboard.caller"
"""Label of a container: the process that waits for it."""

FIXED = re.compile(r"(.+@)?sha256:[0-9a-f]{64}")


@dataclass
class DockerExecutor(RemoteExecutor):
    """Runs each job in a container of an image that has the harness installed.

    The container sees the benchmark's folder, the dataset's and `mounts` to read, the folder of
    runs to write, under the paths that they have here; nothing else, and no network.

    Attributes:
        image: by digest (`name@sha256:...`) or id (`sha256:...`), so that it cannot change.
        mounts: further folders that jobs read.
        memory_gb: that a job may take; more ends it as out of memory.
        shared_memory_gb: of it, for the batches of data workers.
        python: the interpreter inside the image.
    """

    image: str = ""
    mounts: tuple[str, ...] = ()
    memory_gb: float = 16.0
    shared_memory_gb: float = 2.0
    python: str = "python"

    def __post_init__(self) -> None:
        """Reach the engine, and remove containers whose caller was killed.

        Raises:
            RequestError: the image is not fixed or not here, or no engine answers.
        """
        super().__post_init__()
        if not FIXED.fullmatch(self.image):
            raise RequestError(
                f"executors.docker.image: {self.image!r} names no fixed image; give its digest, "
                "name@sha256:..., or its id, as `docker images --no-trunc` shows it"
            )
        docker = self._docker = import_engine("docker", "docker")
        try:
            self._client = docker.from_env()
            self._client.images.get(self.image)
        except docker.errors.ImageNotFound as error:
            raise RequestError(
                f"executors.docker.image: {self.image} is not here; `docker pull` it first"
            ) from error
        except docker.errors.DockerException as error:
            raise RequestError(
                f"--executor docker: no engine answers: {error}; start it, or set $DOCKER_HOST"
            ) from error
        for each in self._client.containers.list(all=True, filters={"label": CALLER}):
            if ProcessIdentity.model_validate_json(each.labels[CALLER]).is_dead:
                self.end(each)

    @property
    def slots(self) -> tuple[str, ...]:
        """Those of this machine: its cards are shared out as to local jobs."""
        return LocalExecutor(self.device, self.workers).slots

    def start(self, job: RemoteJob) -> Any:
        """Start a container."""
        spec, size = job.spec, 2**30
        try:
            return self._client.containers.run(
                self.image,
                [self.python, "-P", "-m", NODE, str(job.folder)],
                detach=True,
                init=True,
                labels={CALLER: this_process().model_dump_json()},
                user=f"{os.getuid()}:{os.getgid()}",
                working_dir=str(Path.cwd()),
                environment={"HOME": "/tmp"},
                volumes=self._volumes(spec),
                tmpfs={"/tmp": "exec"},
                read_only=True,
                network_mode="none",
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mem_limit=int(self.memory_gb * size),
                memswap_limit=int(self.memory_gb * size),
                shm_size=int(self.shared_memory_gb * size),
                nano_cpus=int(1e9 * (spec.threads + spec.data_workers)),
                pids_limit=4096,
                device_requests=self._cards(job) if spec.device == "cuda" else None,
            )
        except self._docker.errors.APIError as error:
            raise RequestError(f"--executor docker: {error.explanation}") from error

    def ended(self, handle: Any) -> Answer | None:
        """Return why a container ended, with the end of its output."""
        try:
            handle.reload()
        except self._docker.errors.NotFound:
            return Answer(None, "somebody removed its container", "")
        except (self._docker.errors.DockerException, OSError) as error:
            return Answer(None, f"the Docker engine does not answer any more: {error}", "")
        state = handle.attrs["State"]
        if state["Running"] or handle.status == "created":
            return None
        errors = handle.logs(tail=200).decode("utf-8", "replace")
        if state["OOMKilled"]:
            told = f"its container took more than {self.memory_gb:g} GiB (memory_gb)"
            return Answer(None, told, errors, "oom")
        return Answer(None, f"its container ended with status {state['ExitCode']}", errors)

    def end(self, handle: Any) -> None:
        """Remove a container, whatever it does."""
        # Where the engine is gone, the next executor removes what is left.
        with suppress(self._docker.errors.DockerException, OSError):
            handle.remove(force=True, v=True)

    def _volumes(self, spec: JobSpec) -> dict[str, dict[str, str]]:
        """Return what a job sees of this machine; the runs are all that it may write to."""
        loaded = load(spec.benchmark)
        found = find_folder(loaded, spec.dataset.name)
        read = [*map(str, loaded.folders), *self.mounts, os.environ.get(ROOT_VARIABLE, "")]
        read += [] if isinstance(found, Absence) else [str(found[1])]
        weights = [spec.checkpoint, spec.initial and spec.initial.path]
        read += [str(path.parent) for path in weights if path]
        folders = {os.path.realpath(folder) for folder in read if folder}
        # What is named by way of a symbolic link is looked for under that name.
        names = folders | {os.path.abspath(folder) for folder in read if folder}
        mounted = {name: {"bind": name, "mode": "ro"} for name in sorted(names)}
        return mounted | {str(spec.runs): {"bind": str(spec.runs), "mode": "rw"}}

    def _cards(self, job: RemoteJob) -> list[Any]:
        shown = list(card_of(job.slot, self.slots).values())
        chosen = {"device_ids": shown} if shown else {"count": 1}
        return [self._docker.types.DeviceRequest(capabilities=[["gpu"]], **chosen)]
