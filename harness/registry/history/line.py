"""One night of one entry in one environment: a line of its history."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.board.record_paths import slug
from harness.board.standing.costs import amount, cost_of, environment_name, is_disturbed
from harness.errors import RequestError
from harness.records.costs import COSTS, Resources
from harness.records.documents import digest, sha256
from harness.records.provenance import DIRTY
from harness.records.record import Metric, MetricFacts, Record

SCHEMA: Final = 1

FOLDER = "history"
"""Below the folder of published tables."""

HISTORY_COSTS = {name: facts for name, facts in COSTS.items() if "history" in facts.places}

NIGHT = r"^\d{4}-\d{2}-\d{2}$"


class HistoryLine(BaseModel):
    """A line of a history, made from a record; frozen, unknown keys refused.

    Attributes:
        night: the day, UTC, that the record counts for.
        record: sha256 of the record's file.
        code: the commit that ran.
        machine: the environment's name for people; its digest is `environment`.
        entry: the row's name, the same for all its seeds.
        configuration: digest of all that must be the same for two nights to be compared: protocol,
            data, adapters with their fields, recipe.
        metric: facts of the primary metric, whose name is `primary`.
        quality: the primary metric; None where the job has no result.
        training_memory, inference_memory: measured peaks in bytes.
        costs: further quantities whose `CostFacts` name the history, by the names of their fields.
        disturbed: why figures are missing though they were measured; empty where they are not.
        previous: sha256 of the line before, empty for the first.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False
    )

    line_schema: Literal[1] = Field(default=SCHEMA, alias="schema")
    night: str = Field(pattern=NIGHT)
    record: str
    code: str
    suite: str
    profile: str
    dataset: str
    entry: str
    recipe: str | None
    seed: int | None
    configuration: str
    environment: str
    machine: str
    state: str
    reason: str = ""
    primary: str
    metric: MetricFacts
    quality: Metric | None = None
    training_per_second: float | None = None
    inference_per_second: float | None = None
    latency_p50: float | None = None
    training_memory: int | None = None
    inference_memory: int | None = None
    costs: dict[str, float] = Field(default={}, exclude_if=lambda costs: not costs)
    disturbed: str = ""
    previous: str = ""

    @property
    def path(self) -> str:
        """Its file below the folder of published tables."""
        place = PurePosixPath(FOLDER, *map(slug, (self.suite, self.profile, self.dataset)))
        name = slug(f"{self.entry} {self.recipe or ''}")
        return str(place / f"{name}-{self.environment[:8] or 'unknown'}.jsonl")


def line_of(record: Record, content: bytes, night: str | None, source: Path) -> HistoryLine:
    """Make the line of a record.

    Args:
        record: the record.
        content: of its file.
        night: the day that it counts for; None takes the day on which it was finished.
        source: where the record lies, for errors.

    Raises:
        RequestError: the record may not be part of a published history.
    """
    _require_own(record, source)
    slowed = record.resources.gpu_disturbed
    known = {name: cost_of([record], name) for name in HISTORY_COSTS if name not in slowed}
    costs = {
        name: amount(value)
        for name, value in known.items()
        # A predicted peak has no history.
        if value is not None and getattr(value, "counted", "") != "predicted"
    }
    own = {name: costs.pop(name) for name in list(costs) if name in HistoryLine.model_fields}
    return HistoryLine(
        night=night or _night(record, source),
        record=sha256(content),
        code=record.code,
        suite=record.protocol.suite,
        profile=record.protocol.profile,
        dataset=record.dataset.name,
        entry=record.entry,
        recipe=record.recipe_name,
        seed=record.seed,
        configuration=_configuration(record)[:16],
        environment=record.environment_digest,
        machine=environment_name(record),
        state=record.state,
        reason=record.reason,
        primary=record.protocol.primary,
        metric=record.protocol.facts[record.protocol.primary],
        quality=record.metrics.get(record.protocol.primary),
        costs=costs,
        disturbed=_disturbance(record.resources),
        **own,
    )


def _require_own(record: Record, source: Path) -> None:
    """Refuse what was not measured here, or by code that nobody can find again."""
    made_by = [record.code, *(stage.code for stage in record.stages.values())]
    if any(code.endswith(DIRTY) for code in made_by):
        raise RequestError(f"{source}: made by code that is in no commit; commit it and run again")
    if record.trust != "measured":
        raise RequestError(
            f"{source}: its trust is {record.trust!r}; a history holds what was measured here"
        )
    if record.protocol.primary not in record.protocol.facts:
        raise RequestError(
            f"{source}: its protocol has no facts of its primary metric "
            f"{record.protocol.primary!r}; give the task's protocol a MetricFacts for it"
        )


def _night(record: Record, source: Path) -> str:
    """Return the day on which a record, or else its last stage, was finished."""
    day = record.ended[:10]
    if not day:
        raise RequestError(f"{source}: does not say when it was finished; give --night")
    return day


def _configuration(record: Record) -> str:
    """Return the digest of all that two nights must share, code and environment apart."""
    parts: list[Any] = [part.model_dump() for part in (record.model, record.loss) if part]
    rules = [record.protocol.version, record.protocol.digest, record.dataset.lock]
    return digest([*rules, *parts, record.recipe_name, record.recipe, record.track])


def _disturbance(costs: Resources) -> str:
    """Return why figures are set aside: those of all threads, or those that a GPU was slow for."""
    wait = costs.measuring_cpu_wait
    words = [f"its GPU was {words}" for words in dict.fromkeys(costs.gpu_disturbed.values())]
    if is_disturbed(wait):
        words.insert(0, f"something else ran beside: {wait:.0%} of the time had no processor")
    return "; ".join(words)
