"""An executor that runs jobs in the tests' own process: nothing is started."""

from __future__ import annotations

from dataclasses import replace

from harness.measure.device import Device
from harness.run.events import ProgressEvent, Watch
from harness.run.execute.executor import Answer
from harness.run.job.spec import JobSpec
from harness.run.job.stages import answer_job


class Here:
    """One slot on the processor."""

    slots = ("cpu",)

    def __init__(self, device: Device, workers: int) -> None:
        del device, workers

    def ask(self, job: JobSpec, slot: str, watch: Watch) -> Answer:
        """Run a job."""

        def told(event: ProgressEvent) -> None:
            watch(replace(event, job=job))

        return Answer(answer_job(job, told), "", "")

    def stop(self) -> None:
        """Nothing goes on by itself."""
