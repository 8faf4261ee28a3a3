"""Entries that may be chosen: whether each fits a card, and how long each takes here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pydantic import ValidationError

from harness.adapter import CHECKPOINTING
from harness.config.loader import LoadedBenchmark
from harness.config.schema import Budget
from harness.errors import RequestError
from harness.run.job.spec import JobSpec
from harness.run.plan.call_plan import Tell
from harness.run.plan.durations import Duration
from harness.run.plan.jobs import plan_jobs
from harness.run.plan.request import RunRequest, listing_states
from harness.run.session import CallEstimate, find_datasets, forecast

Name = tuple[str, str]
"""Model and loss: what a command line selects by."""


@dataclass(frozen=True)
class Candidate:
    """One model and loss of a suite on one dataset.

    Attributes:
        jobs: of each seed, in the order of the seeds; of every recipe that the suite has for it.
        durations: of each job.
        memory: bytes of a GPU that a training step takes; None if it cannot be predicted.
        settings: recipe keys that make it fit, as `--set` gives them.
        why_not: the reason why it does not fit, or cannot be run; empty if it can.
    """

    jobs: tuple[JobSpec, ...]
    durations: tuple[Duration, ...]
    memory: int | None
    settings: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def name(self) -> Name:
        """Model and loss."""
        loss = self.jobs[0].loss
        return self.jobs[0].model.name, loss.name if loss else ""

    @property
    def title(self) -> str:
        """The name for people."""
        return " + ".join(filter(None, self.name))

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that were planned, in order."""
        return tuple(dict.fromkeys(job.seed or 0 for job in self.jobs))

    @property
    def fits(self) -> bool | None:
        """Whether it fits the card; None if its memory cannot be predicted."""
        return False if self.why_not else None if self.memory is None else True

    @property
    def done(self) -> int:
        """Seeds of which nothing is left to run."""
        return sum(self.seconds(seed) == 0 for seed in self.seeds)

    def seconds(self, seed: int) -> float | None:
        """Return the duration of what is still to be run of a seed; None if it is not known."""
        pairs = zip(self.jobs, self.durations, strict=True)
        left = [each.left for job, each in pairs if (job.seed or 0) == seed]
        known = [each for each in left if each is not None]
        return sum(known) if len(known) == len(left) else None

    @property
    def seed_seconds(self) -> float | None:
        """The whole duration of one seed, whatever of it is done; None if it is not known.

        Of one that is done, and was not measured, nothing is known; seeds take equally long.
        """
        pairs = list(zip(self.jobs, self.durations, strict=True))
        for seed in self.seeds:
            own = [each.parts for job, each in pairs if (job.seed or 0) == seed]
            if all(own):
                return sum(sum(parts.values()) for parts in own)
        return None

    @property
    def why_unknown(self) -> str:
        """The reason why its duration is not known; empty if it is."""
        return next((each.why for each in self.durations if each.why), "")


def list_candidates(
    loaded: LoadedBenchmark, request: RunRequest, memory: str, tell: Tell
) -> tuple[list[Candidate], CallEstimate]:
    """Return every entry of a request on its one dataset, and the forecast that they are from.

    Args:
        loaded: the benchmark.
        request: the call, with all seeds that may be run.
        memory: of the card, as `6 GiB`.
        tell: receives messages for a person who waits.

    Raises:
        RequestError: memory is no size, or leaves nothing beside the driver's.
        CorpusAbsent: the dataset is not here.
    """
    smaller = _with_card(loaded, memory)
    found = forecast(loaded, request, tell)
    fitted = {job.digest: job for job in found.jobs}
    if smaller is not loaded:
        here, _ = find_datasets(loaded, request)
        planned = plan_jobs(smaller, request, listing_states(loaded, here), tell)
        # The two plans differ in what memory alone changes, and go through the same entries.
        fitted = dict(zip([job.digest for job in found.jobs], planned, strict=True))
    groups: dict[Name, list[tuple[JobSpec, Duration]]] = defaultdict(list)
    for job, duration in zip(found.jobs, found.durations, strict=True):
        if job.recipe is not None:  # neither a baseline nor an ensemble of others
            groups[job.model.name, job.loss.name if job.loss else ""].append((job, duration))
    limit = smaller.benchmark.budget.usable
    return [_candidate(group, fitted, limit) for group in groups.values()], found


def _candidate(
    group: Sequence[tuple[JobSpec, Duration]], fitted: dict[str, JobSpec], limit: int
) -> Candidate:
    ordered = sorted(group, key=lambda pair: pair[0].seed or 0)
    jobs = tuple(job for job, _ in ordered)
    within = [fitted[job.digest] for job in jobs]
    told = [job.prediction.reserved for job in within if job.prediction is not None]
    settings, why = _settings(jobs[0], within[0])
    refused = next((job.refused for job in within if job.refused), "")
    if not refused and told and max(told) > limit:
        refused = "takes more than there is, whatever is done"
    return Candidate(
        jobs=jobs,
        durations=tuple(duration for _, duration in ordered),
        memory=max(told, default=None),
        settings=settings,
        why_not=refused or why,
    )


def _settings(asked: JobSpec, fitted: JobSpec) -> tuple[tuple[str, ...], str]:
    """Return what makes an entry fit, and the reason why a command line cannot say it."""
    if fitted.model.fields.get(CHECKPOINTING) != asked.model.fields.get(CHECKPOINTING):
        return (), (
            f"fits with activations computed again alone: give models.{asked.model.name} "
            f"{CHECKPOINTING} = true"
        )
    if asked.recipe is None or fitted.recipe is None:
        return (), ""
    found = []
    if (part := fitted.recipe.micro_batch) != asked.recipe.micro_batch:
        found.append(f"micro_batch={part}")
    tuned, before = fitted.recipe.fine_tune, asked.recipe.fine_tune
    if tuned and before and tuned.micro_batch != before.micro_batch:
        found.append(f"fine_tune.micro_batch={tuned.micro_batch}")
    return tuple(found), ""


def _with_card(loaded: LoadedBenchmark, memory: str) -> LoadedBenchmark:
    """Return the benchmark with a smaller card; as it is if that is not smaller.

    Of a larger one nothing more may be used: the card is part of the protocol.
    """
    own = loaded.benchmark.budget
    try:
        budget = Budget(gpu_memory=memory, reserved=own.reserved)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise RequestError(f"--memory: {why}") from error
    if budget.usable >= own.usable:
        return loaded
    return replace(loaded, benchmark=loaded.benchmark.model_copy(update={"budget": budget}))
