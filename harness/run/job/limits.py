"""The time that a job may take, and the time that it may be silent."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MOST_HOURS, MOST_MINUTES = 24 * 366, 24 * 60 * 7
"""The longest limits that can be asked for: a year and a week."""

SILENCE_MINUTES = 30.0
"""No step, batch or repeat of a measurement takes as long on hardware that trains at all."""


class Limits(BaseModel):
    """Limits of a job; no result depends on them.

    Attributes:
        job_hours: of the whole job, whatever it does; None for no limit, since a training may
            take days.
        silence_minutes: without any progress; what is known to be quiet for long (scoring, the
            baseline, waiting for another call) is exempt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job_hours: float | None = Field(default=None, gt=0, le=MOST_HOURS, allow_inf_nan=False)
    silence_minutes: float = Field(
        default=SILENCE_MINUTES, gt=0, le=MOST_MINUTES, allow_inf_nan=False
    )
