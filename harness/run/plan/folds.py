"""Which fold of what a dataset is, and by what its folds are known to belong together."""

from __future__ import annotations

from harness.config.loader import LoadedBenchmark
from harness.records import record
from harness.records.documents import digest
from harness.run.plan.protocol import rests_on
from harness.run.plan.request import RunRequest, Source


def record_fold(
    loaded: LoadedBenchmark, request: RunRequest, source: Source
) -> record.RecordedFold | None:
    """The fold as a record holds it; None where a dataset is judged as a whole.

    Each fold has a lock and a protocol digest of its own. What all of them share are the corpus
    and the rules by which it is cut, compared and judged.
    """
    listing = source.listing
    if listing.fold is None:
        return None
    config, fold = listing.config, listing.fold
    shared = {
        "manifest": source.lock.manifest,
        "content": source.lock.content,
        "split": config.split and config.split.model_dump(),
        "trials": config.trials,
        "draw_trials": config.draw_trials and config.draw_trials.model_dump(),
    }
    lock = digest(shared)
    return record.RecordedFold(
        of=fold.of,
        index=fold.index,
        folds=fold.folds,
        lock=lock,
        protocol=digest(rests_on(loaded, request.suite, lock)),
    )
