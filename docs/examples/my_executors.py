"""An executor of one's own: each job is a command behind another, as behind `nice` or `ssh`."""

import subprocess
from dataclasses import dataclass

from harness.run.execute.executor import Answer
from harness.run.execute.remote import RemoteExecutor, RemoteJob


@dataclass
class Prefixed(RemoteExecutor):
    """Runs each job by a command in front of its own.

    Attributes:
        prefix: words of that command, as in `["ssh", "node7"]`.
    """

    prefix: tuple[str, ...] = ()

    def start(self, job: RemoteJob):
        """Start the command of a job; what it prints goes to a file beside the job's."""
        with (job.folder / "log").open("wb") as log:
            command = [*self.prefix, *job.command]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return process, job.folder / "log"

    def ended(self, handle):
        """Say how the command ended, if it has; a job that answered needs none of this."""
        process, log = handle
        if process.poll() is None:
            return None
        return Answer(None, f"{self.prefix[0]} ended with {process.returncode}", log.read_text())

    def end(self, handle):
        """End the command; all that the job started ends with it."""
        process, _ = handle
        process.terminate()
        process.wait()
