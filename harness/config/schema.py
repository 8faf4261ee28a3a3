"""What a benchmark file may say, as frozen typed objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

Profile = Literal["quick", "full"]
Track = Literal["recipe", "matched"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
"""What an entry may be called: names become folders of runs, packs and keys of the lock."""


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Component(BaseModel):
    """Something named by an import path; its other keys are the fields of that class."""

    model_config = ConfigDict(frozen=True, extra="allow")

    adapter: str = Field(description="import path, `package.module:Class`")

    @property
    def fields(self) -> dict[str, Any]:
        """The keys that belong to the adapter's class."""
        return dict(self.model_extra or {})


class SplitRule(Table):
    """A seeded, unit-disjoint split: how many units go to validation and test.

    The rest trains. Units are taken in the order of sha256(seed:unit), so that a unit's place
    does not depend on the order of the manifest. A corpus that brings its own test split leaves
    `test` out.
    """

    seed: int = 0
    validation: PositiveInt
    test: PositiveInt | None = None


class Published(Table):
    """What others say of a corpus that nobody here has read yet: its lock until somebody has.

    Counts are held against the lists (`"train+validation"` is the two together); checksums
    against the archives. Nothing is pinned by them.
    """

    source: str
    counts: dict[str, dict[Literal["units", "items", "trials", "targets"], int]] = {}
    archives: dict[str, str] = Field(default={}, description="file name -> md5, parts joined")


class TrialRule(Table):
    """A trial list drawn to a size and a difficulty, spread evenly over the speakers."""

    count: PositiveInt = Field(description="how many trials, exactly")
    targets: float = Field(default=0.5, gt=0, lt=1, description="share of target trials")
    cross_session: float | None = Field(
        default=None, ge=0, le=1, description="share of the targets; else as they come"
    )
    same_gender: float | None = Field(
        default=None, ge=0, le=1, description="share of the nontargets; else as they come"
    )
    seed: int = 0


class FreezeRule(Table):
    """How a fixed subset is cut from a corpus: so many utterances in all, whole speakers apart.

    Speakers and utterances are taken in the order of sha256(seed:id).
    """

    count: PositiveInt = Field(description="how many utterances, all splits together")
    seed: int = 0
    validation: PositiveInt | None = Field(
        default=None, description="how many speakers; else all of the corpus's own side"
    )
    test: PositiveInt | None = Field(
        default=None, description="how many speakers; else all of the corpus's own side"
    )
    speakers: int | None = Field(
        default=None, ge=2, description="how many speakers train; else all that are left"
    )


class Dataset(Component):
    """A corpus with the facts a table must state of it."""

    title: str = ""
    synthetic: bool = False
    licence: str
    publish_scores: bool = False
    source: str = Field(default="", description="where to get it")
    path: str = Field(default="", description="folder; relative ones lie under $HARNESS_DATA")
    of: str | None = Field(
        default=None, description="a dataset whose keys hold here too, but for split and trials"
    )
    freeze: FreezeRule | None = Field(default=None, description="how a fixed subset was cut")
    frozen: str | None = Field(
        default=None, description="the subset's list of ids; a path beside the benchmark file"
    )
    published: Published | None = None
    join_seconds: PositiveFloat | None = Field(
        default=None,
        description="short neighbours of one training speaker are joined to at least so long",
    )
    split: SplitRule | None = None
    trials: PositiveInt | None = Field(
        default=None, description="all pairs of a split's items, at most so many nontargets"
    )
    draw_trials: TrialRule | None = Field(
        default=None, description="or a list drawn to a size and a difficulty"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Dataset:
        if self.trials is not None and self.draw_trials is not None:
            raise ValueError("give either trials or draw_trials")
        if self.freeze is not None and self.frozen is None:
            raise ValueError("freeze says how a list is made; frozen must say where it lies")
        if self.frozen is not None and self.split is not None:
            raise ValueError("the frozen list holds the split; take split out")
        return self


class Optimizer(Table):
    """An optimiser and its peak learning rate."""

    name: Literal["sgd", "adam", "adamw"] = "adamw"
    lr: PositiveFloat = 1e-3
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = True


class LearningRate(Table):
    """The learning rate over a run: linear warm-up, then a decay from the peak to `final`."""

    shape: Literal["constant", "cosine", "exponential"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1, description="share of all steps")
    final: float = Field(default=0.01, gt=0, le=1, description="last over peak learning rate")


class Rise(Table):
    """A value of the head over a run: low before `start`, its own full value from `end` on."""

    initial: float = Field(default=0.0, ge=0, le=1, description="low over full value")
    shape: Literal["linear", "exponential"] = "exponential"
    start: float = Field(default=0.0, ge=0, le=1, description="share of all steps")
    end: float = Field(default=0.5, ge=0, le=1, description="share of all steps")

    @model_validator(mode="after")
    def _ordered(self) -> Rise:
        if self.end < self.start:
            raise ValueError(f"end ({self.end}) comes before start ({self.start})")
        return self


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

    @model_serializer(mode="wrap")
    def _without_unused(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what changes no sound here: keys of trainings without it stay as they were."""
        document: dict[str, Any] = serialise(self)
        unused = {name for name in ("speeds", "reverb", "noise") if not getattr(self, name)}
        if not self.both:
            unused.add("both")
        if not (self.reverb or self.noise):
            unused.add("probability")
        return {name: value for name, value in document.items() if name not in unused}


class Recipe(Table):
    """How a system is trained: data alone, no code."""

    track: Track = "matched"
    optimizer: Optimizer = Optimizer()
    learning_rate: LearningRate = LearningRate()
    schedules: dict[str, Rise] = {}
    batch: PositiveInt = 32
    crop_seconds: PositiveFloat | None = None
    epochs: PositiveFloat | None = None
    steps: PositiveInt | None = None
    augment: Augment = Augment()
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    clip_norm: PositiveFloat | None = None
    validations: PositiveInt = Field(default=2, description="evenly spaced, the last at the end")
    checkpoints: PositiveInt = Field(default=10, description="resume points over the run")
    select: Literal["best", "last", "average"] = "best"
    average_last: PositiveInt = 1

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        return self


class Override(Table):
    """A change of the recipe for the entries that match; an absent key matches all."""

    profile: Profile | None = None
    dataset: str | None = None
    model: str | None = None
    loss: str | None = None
    set: dict[str, Any] = Field(description="recipe keys and their values")


class Exclusion(Table):
    """Entries that a suite leaves out, and why."""

    dataset: str | None = None
    model: str | None = None
    loss: str | None = None
    reason: str


class ProfilePlan(Table):
    """What one profile of a suite runs."""

    recipe: str
    seeds: tuple[int, ...] = (0,)


class Suite(Table):
    """datasets x models x losses x recipe x seeds, judged by one task under one protocol."""

    title: str
    task: str = Field(description="import path, `package.module:Class`")
    parameters: dict[str, Any] = Field(default={}, description="fields of the task's class")
    protocol: PositiveInt = 1
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    losses: tuple[str, ...]
    profiles: dict[Profile, ProfilePlan]
    overrides: tuple[Override, ...] = ()
    exclude: tuple[Exclusion, ...] = ()


class Budget(Table):
    """The card that every entry is held against."""

    gpu_memory: str = "6 GiB"


class Benchmark(Table):
    """A whole benchmark file."""

    base: str | None = Field(
        default=None, description="a benchmark to add to; 'trialboard' is ours"
    )
    budget: Budget = Budget()
    datasets: dict[Name, Dataset] = {}
    models: dict[Name, Component] = {}
    losses: dict[Name, Component] = {}
    recipes: dict[Name, Recipe] = {}
    suites: dict[Name, Suite] = {}
