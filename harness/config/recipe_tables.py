"""Tables within a recipe: sampler, learning rate, schedules, augmentation, a teacher."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from harness.config.numbers import (
    MOST_AT_ONCE,
    BatchSize,
    Count,
    Range,
    Rate,
    Seed,
    SeveralCount,
    Share,
    ShareBelowOne,
)
from harness.config.picture_tables import PictureAugment
from harness.config.tables import ConfigTable

Decibel = Annotated[float, Range(-200, 200)]
Decibels = tuple[Decibel, Decibel]
"""The lowest and the highest signal-to-noise ratio; between them it is drawn uniformly."""


HeadValue = Annotated[float, Range(-(10**6), 10**6)]
"""A margin or a scale."""

Speed = Annotated[float, Range(0.5, 2)]

Concentration = Annotated[float, Range(0, 1_000)]
"""Both parameters of a Beta distribution; 1 is uniform."""


class Optimizer(ConfigTable):
    """An optimiser and its peak learning rate."""

    name: Literal["sgd", "adam", "adamw"] = "adamw"
    lr: Rate = 1e-3
    weight_decay: Annotated[float, Range(0, 100)] = 0.0
    momentum: ShareBelowOne = 0.9
    nesterov: bool = True


class Sampler(ConfigTable):
    """Batches of so many labels with so many items each (P x K), in place of items as they come."""

    added: ClassVar[tuple[str, ...]] = ("hard",)

    speakers: SeveralCount = Field(description="labels a batch, all different")
    utterances: BatchSize = Field(description="items of each of them")
    hard: ShareBelowOne = Field(
        default=0.0, description="share of the labels drawn as the others' nearest"
    )

    @property
    def batch(self) -> int:
        """Items a step."""
        return self.speakers * self.utterances

    @model_validator(mode="after")
    def _means_something(self) -> Sampler:
        if self.batch > MOST_AT_ONCE:
            raise ValueError(
                f"speakers x utterances are {self.batch:,}; give {MOST_AT_ONCE:,} at most"
            )
        if self.hard and self.anchors == self.speakers:
            raise ValueError(
                f"hard ({self.hard:g}) of {self.speakers} speakers is none; give more of either"
            )
        return self

    @property
    def anchors(self) -> int:
        """Labels of a batch that come in turn; the others are the nearest of these."""
        return max(1, self.speakers - round(self.hard * self.speakers))


class LearningRate(ConfigTable):
    """The learning rate over a run: linear warm-up, then a shape between the peak and `final`."""

    added: ClassVar[tuple[str, ...]] = ("cycles", "growth", "from_start")

    shape: Literal["constant", "cosine", "exponential", "cyclic", "warm-restarts"] = "cosine"
    warmup: ShareBelowOne = Field(default=0.05, description="share of all steps")
    final: Annotated[float, Range(0, 1, above=True)] = Field(
        default=0.01, description="lowest over peak learning rate"
    )
    cycles: Annotated[float, Range(0, 10_000, above=True)] = Field(
        default=1.0, description="triangles or restarted cosines in what follows the warm-up"
    )
    growth: Annotated[float, Range(1, 1_000)] = Field(
        default=1.0, description="length of a cosine over the one before"
    )
    from_start: bool = Field(
        default=False, description="the shape begins with the run, and the warm-up scales it"
    )

    @model_validator(mode="after")
    def _cycles_mean_something(self) -> LearningRate:
        if self.cycles != 1 and self.shape not in ("cyclic", "warm-restarts"):
            raise ValueError(f"cycles: of what? {self.shape} has none; take it out")
        if self.growth != 1 and self.shape != "warm-restarts":
            raise ValueError(f"growth: of what? {self.shape} never restarts; take it out")
        if self.shape == "warm-restarts" and self.cycles % 1:
            raise ValueError(f"cycles ({self.cycles:g}): give a whole number of cosines")
        return self


class Rise(ConfigTable):
    """A value of the head over a run: low before `start`, its full value from `end` on.

    A plain number in its place holds the value there for the whole run.
    """

    added: ClassVar[tuple[str, ...]] = ("initial_value", "final_value", "stairs")

    initial: Share = Field(default=0.0, description="low over full value")
    initial_value: HeadValue | None = Field(default=None, description="or the low value itself")
    final_value: HeadValue | None = Field(
        default=None, description="full value; else the loss's own"
    )
    shape: Literal["linear", "exponential"] = "exponential"
    start: Share = Field(default=0.0, description="share of all steps")
    end: Share = Field(default=0.5, description="share of all steps")
    stairs: Count | None = Field(
        default=None, description="equal steps in which it rises; else with every training step"
    )

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, given: Any) -> Any:
        """Take a number for a value that never changes."""
        number = isinstance(given, int | float) and not isinstance(given, bool)
        return {"final_value": given, "end": 0.0} if number else given

    @model_validator(mode="after")
    def _check_order(self) -> Rise:
        if self.end < self.start:
            raise ValueError(f"end ({self.end}) comes before start ({self.start})")
        if self.initial and self.initial_value is not None:
            raise ValueError("give either initial (a share) or initial_value")
        return self


class Noise(ConfigTable):
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
    def _check_order(self) -> Noise:
        for kind in ("noise", "speech", "music"):
            low, high = getattr(self, kind)
            if high < low:
                raise ValueError(f"{kind}: the highest ratio ({high}) is below the lowest ({low})")
        if not self.kinds:
            raise ValueError("kinds: name at least one of noise, speech, music")
        return self


class Reverb(ConfigTable):
    """Rooms in which training crops are put."""

    source: str = Field(
        default="simulated",
        description="`simulated`, or a folder of impulse responses in RIRS_NOISES' layout; "
        "relative ones lie under $HARNESS_DATA",
    )


class Augment(ConfigTable):
    """Random augmentation of training inputs, in the order of the keys."""

    added: ClassVar[tuple[str, ...]] = ("pictures", "mixup", "cutmix", "mixed")

    speeds: tuple[Speed, ...] = Field(
        default=(),
        description="of crops, each as likely as another; each makes classes of its own",
    )
    probability: Share = Field(default=0.6, description="that a crop gets reverberation or noise")
    both: bool = Field(
        default=False, description="of the crops that get something, a third get both"
    )
    reverb: Reverb | None = None
    noise: Noise | None = None
    frequency_mask: Annotated[int, Range(0, 10**6)] = Field(
        default=0, description="widest masked band, in bins"
    )
    time_mask: Annotated[int, Range(0, 10**6)] = Field(
        default=0, description="longest masked stretch, in frames"
    )
    pictures: PictureAugment | None = Field(default=None, description="changes of pictures")
    mixup: Concentration = Field(
        default=0.0,
        description="alpha of the Beta distribution of two items' shares in one; 0 mixes none",
    )
    cutmix: Concentration = Field(
        default=0.0, description="the same for a rectangle of one picture laid on another"
    )
    mixed: Share = Field(default=1.0, description="probability that an item is mixed at all")

    @property
    def mixes(self) -> bool:
        """True if items are mixed, and with them their labels."""
        return bool(self.mixup or self.cutmix)

    @property
    def on_waveforms(self) -> bool:
        """True if the waveform itself is changed."""
        return bool(self.speeds or self.reverb or self.noise)

    @property
    def class_factor(self) -> int:
        """Classes of a classifier over labels: a voice at another speed is another voice."""
        return max(1, len(self.speeds))

    @model_validator(mode="after")
    def _means_something(self) -> Augment:
        if len(set(self.speeds)) < len(self.speeds):
            raise ValueError("speeds: one comes twice")
        if "probability" in self.model_fields_set and not (self.reverb or self.noise):
            raise ValueError("probability: of what? give noise or reverb, as in noise = {}")
        if self.both and not (self.reverb and self.noise):
            raise ValueError("both: give reverb and noise, as in reverb = {}, noise = {}")
        if "mixed" in self.model_fields_set and not self.mixes:
            raise ValueError("mixed: by what? give mixup or cutmix, as in mixup = 0.2")
        return self

    def _defaults(self) -> set[str]:
        plain = ("speeds", "reverb", "noise", "both")
        unused = super()._defaults() | {name for name in plain if not getattr(self, name)}
        return unused if self.reverb or self.noise else unused | {"probability"}


class Distill(ConfigTable):
    """An entry of the suite whose trained network teaches another (knowledge distillation).

    Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015,
    arXiv:1503.02531.
    """

    model: str
    recipe: str
    loss: str | None = Field(default=None, description="else the student's own")
    seed: Seed | None = Field(
        default=None, description="of the teacher's training; else the student's own"
    )
    weight: Share = Field(default=0.5, description="of the teacher's answers against the labels")
    temperature: Annotated[float, Range(0, 1_000, above=True)] = 4.0


def in_parts(batch: int, part: int | None, word: str = "") -> str:
    """Describe a batch, and the micro-batches of a gradient accumulation.

    Args:
        batch: items of a training step.
        part: the most items of it that are computed together; None for all of them.
        word: what is said of the batch.

    >>> in_parts(128, 32), in_parts(56, 19, "used"), in_parts(64, None)
    ('128 = 4 x 32', '56 used = 3 x 19', '64')
    """
    named = f"{batch} {word}".rstrip()
    return f"{named} = {math.ceil(batch / part)} x {part}" if part else named


def items_in_part(batch: int, parts: int) -> int | None:
    """Return the items of the largest of even parts; None if the batch is computed at once.

    >>> items_in_part(56, 3), items_in_part(64, 1)
    (19, None)
    """
    return math.ceil(batch / parts) if parts > 1 else None
