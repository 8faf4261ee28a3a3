"""Jobs that a call has still to run, of which other calls on the same folder take their share."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from harness.errors import PathError, StorageError
from harness.records.lease import Lease, take_lease
from harness.records.lease_file import find_lease
from harness.records.record import Record
from harness.run.events import ProgressEvent, Watch
from harness.run.job.record_writing import build_failure, is_complete, mend_record
from harness.run.job.spec import JobSpec
from harness.run.job_states import NoteWriter

POLL = 1.0
"""Seconds between two looks at jobs that other calls run."""


class JobQueue:
    """Gives out each job once, with the lease of its folder; any thread may take one.

    Args:
        jobs: all of a call, in their order.
        known: digest of a job -> its record when the call was planned. A job that has a later one
            by the time that its lease is free was run by another call. None: nobody else's record
            counts.
        watch: is told of jobs that other calls run.
    """

    def __init__(
        self, jobs: Sequence[JobSpec], known: Mapping[str, Record | None] | None, watch: Watch
    ) -> None:
        self._left, self._known, self._watch = list(jobs), known, watch
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._told: set[str] = set()
        for job in jobs:
            NoteWriter(job).begin()

    def take(self) -> tuple[JobSpec, Lease | Record] | None:
        """Wait for a job that nobody runs.

        Returns:
            The job, and its lease; or its record, where there is nothing to run any more. None if
            `stop` was called meanwhile.
        """
        while not self._stopped.is_set():
            with self._lock:
                for job in self._left:
                    if taken := self._try(job):
                        self._left.remove(job)
                        return job, taken
                waiting = [job for job in self._left if job.digest not in self._told]
                self._told |= {job.digest for job in waiting}
            for job in waiting:
                self._tell(job)
            self._stopped.wait(POLL)
        return None

    def put_back(self, job: JobSpec) -> None:
        """Take a job back whose lease was lost: another call runs it, or it is run anew."""
        with self._lock:
            self._left.append(job)
            self._told.discard(job.digest)

    def stop(self) -> None:
        """Let nobody wait any more."""
        self._stopped.set()

    def _try(self, job: JobSpec) -> Lease | Record | None:
        try:
            lease = take_lease(job.folder)
        except (PathError, StorageError) as error:
            return build_failure(job, "failed", str(error))
        record = self._made_elsewhere(job) if lease else None
        if lease is None or record is None:
            return lease
        NoteWriter(job).end()
        lease.release()
        return record

    def _made_elsewhere(self, job: JobSpec) -> Record | None:
        """Return the record that another call has made of a job since this one was planned."""
        if self._known is None or job.only is not None:
            return None
        record, before = mend_record(job), self._known.get(job.digest)
        is_later = record and (before is None or record.attempt > before.attempt)
        return record if record and (is_later or is_complete(job, record)) else None

    def _tell(self, job: JobSpec) -> None:
        found = find_lease(job.folder)
        holder = found.content.holders[-1] if found and found.content else None
        by = f" on {holder.host}, process {holder.pid}" if holder else ""
        message = f"{job.title}: another call runs it{by}; waiting for its record"
        self._watch(ProgressEvent("message", message))
