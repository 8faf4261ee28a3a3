"""Memory that ran out while a job ran: what was tried goes into its row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import JobFailed
from harness.measure.memory_use import is_out_of_memory
from harness.run.job.spec import JobSpec


class OutOfMemory(JobFailed):
    """An allocator had no memory left; the message says what was tried."""


@contextmanager
def telling_memory(doing: str) -> Iterator[None]:
    """Turn an allocator's refusal into `OutOfMemory`; every other error stays what it is.

    Args:
        doing: what is done inside, with its batch.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not (isinstance(error, MemoryError) or is_out_of_memory(error)):
            raise
        asked = str(error).partition("\n")[0][:200]
        raise OutOfMemory(f"out of memory {doing}" + (f": {asked}" if asked else "")) from error


def at_batch(spec: JobSpec) -> str:
    """The batch of a job's training, for `telling_memory`; empty where nothing is trained."""
    if spec.recipe is None:
        return ""
    crop = f" of {spec.recipe.crop_seconds:g} s crops" if spec.recipe.crop_seconds else ""
    return f" at batch {spec.recipe.batch}{crop}"
