"""What is done to training inputs at random."""

from __future__ import annotations

from typing import Literal

from pydantic import (
    Field,
    PositiveFloat,
    model_validator,
)

from harness.config.tables import Table

Decibels = tuple[float, float]
"""The lowest and the highest signal-to-noise ratio; between them it is drawn uniformly."""


class Noise(Table):
    """Noise added to training crops, at a ratio drawn by its kind (WeSpeaker's by default)."""

    source: str = Field(
        default="embedded",
        description="`embedded`, or a folder: below noise/, speech/ or music/ a file is of that "
        "kind, elsewhere it is noise; relative ones lie under $HARNESS_DATA",
    )
    noise: Decibels = Field(default=(0.0, 15.0), description="dB")
    speech: Decibels = Field(default=(10.0, 30.0), description="dB")
    music: Decibels = Field(default=(5.0, 15.0), description="dB")
    kinds: tuple[Literal["noise", "speech", "music"], ...] = ("noise", "speech", "music")

    @model_validator(mode="after")
    def _ordered(self) -> Noise:
        for kind in ("noise", "speech", "music"):
            low, high = getattr(self, kind)
            if high < low:
                raise ValueError(f"{kind}: the highest ratio ({high}) is below the lowest ({low})")
        if not self.kinds:
            raise ValueError("kinds: name at least one of noise, speech, music")
        return self


class Reverb(Table):
    """Rooms in which training crops are put."""

    source: str = Field(
        default="simulated",
        description="`simulated`, or a folder of impulse responses in RIRS_NOISES' layout; "
        "relative ones lie under $HARNESS_DATA",
    )


class Augment(Table):
    """What is done to training inputs at random, in the order of the keys."""

    speeds: tuple[PositiveFloat, ...] = Field(
        default=(),
        description="of crops, each as likely as another; each makes classes of its own",
    )
    probability: float = Field(
        default=0.6, ge=0, le=1, description="that a crop gets reverberation or noise"
    )
    both: bool = Field(
        default=False, description="of the crops that get something, a third get both"
    )
    reverb: Reverb | None = None
    noise: Noise | None = None
    frequency_mask: int = Field(default=0, ge=0, description="widest masked band, in bins")
    time_mask: int = Field(default=0, ge=0, description="longest masked stretch, in frames")

    @property
    def on_waveforms(self) -> bool:
        """True where sound itself is changed."""
        return bool(self.speeds or self.reverb or self.noise)

    @property
    def class_factor(self) -> int:
        """Classes of a classifier over labels: a voice at another speed is another voice."""
        return max(1, len(self.speeds))

    @model_validator(mode="after")
    def _means_something(self) -> Augment:
        if len(set(self.speeds)) < len(self.speeds):
            raise ValueError("speeds: one comes twice")
        if any(not 0.5 <= speed <= 2 for speed in self.speeds):
            raise ValueError("speeds: give factors from 0.5 to 2, as in [0.9, 1.0, 1.1]")
        if "probability" in self.model_fields_set and not (self.reverb or self.noise):
            raise ValueError("probability: of what? give noise or reverb, as in noise = {}")
        if self.both and not (self.reverb and self.noise):
            raise ValueError("both: give reverb and noise, as in reverb = {}, noise = {}")
        return self

    def _unused(self) -> set[str]:
        unused = {name for name in ("speeds", "reverb", "noise", "both") if not getattr(self, name)}
        return unused if self.reverb or self.noise else unused | {"probability"}
