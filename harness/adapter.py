"""The one interface between a model, a loss and the training loop.

An adapter is a frozen dataclass whose fields are its hyper-parameters, named in
`benchmark.toml` by its import path. Nothing here imports torch, so that reading a
benchmark stays fast; an adapter imports its own library inside `build`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, cast, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor, nn

ADDED: Mapping[str, bool] = {"added": True}
"""Metadata of a field that an adapter got after its first records were published:
`front_end: str = field(default="wespeaker", metadata=ADDED)`. While it has its default, records and
keys leave it out, so that they stay as they were.
"""

CHECKPOINTING = "checkpointing"
"""Name of a model's field, a bool: its network computes activations again instead of keeping them
(gradient checkpointing). The harness sets it if a recipe does not fit the memory budget otherwise.
"""

IN_LOCKSTEP: ContextVar[bool] = ContextVar("IN_LOCKSTEP", default=False)
"""Whether a forward pass shares its batch normalisations' statistics with other parts of its batch
(`batch_norm = "full"` of a recipe). A network that would compute activations again in the backward
pass keeps them then: the other parts are not there a second time.
"""


@dataclass(frozen=True, kw_only=True)
class Fbank:
    """Log-mel filterbank as Kaldi computes it: network input `[batch, frames, bins]`.

    WeSpeaker scales the waveform to the 16-bit range, uses a Hamming window and dithers in
    training; 3D-Speaker keeps -1..1, a Povey window and no dither. The fields hold both.

    Attributes:
        bins: number of mel bins.
        window: analysis window.
        scale: factor on a waveform in -1..1 before analysis (32768 is the 16-bit range).
        dither: standard deviation of the noise added in training, after scaling.
        subtract_mean: subtract each utterance's mean over frames from every bin.
        frame_length_ms, frame_shift_ms: analysis frame, in milliseconds.
        low_hz, high_hz: edges of the mel bank; `high_hz` of 0 is half the sample rate.
        least_frames: fewest frames that the network can embed and train on; recordings and crops
            are held against it before anything is trained.
    """

    bins: int = 80
    window: Literal["hamming", "povey", "hanning", "rectangular"] = "hamming"
    scale: float = 32768.0
    dither: float = 0.0
    subtract_mean: bool = True
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    low_hz: float = 20.0
    high_hz: float = 0.0
    least_frames: int = 1

    kind: ClassVar[str] = "audio"


@dataclass(frozen=True, kw_only=True)
class TfMel(Fbank):
    """Log-mel filterbank of ReDimNet (`TFMelBanks`): network input `[batch, frames, bins]`.

    Unlike Kaldi's, the whole waveform is brought to mean 0 and variance 1 and pre-emphasised,
    frames are centred (half a shift of zeros on either side), a frame keeps its offset, and the
    mel bank takes its half of the transform to span 0 Hz to half the sample rate, both included.

    Attributes:
        bins, window, dither, subtract_mean, frame_length_ms, frame_shift_ms, low_hz, high_hz,
            least_frames: as of `Fbank`.
        scale: factor on the waveform of variance 1.
    """

    bins: int = 72
    scale: float = 1.0
    high_hz: float = 7600.0


@dataclass(frozen=True, kw_only=True)
class Spectrogram:
    """Log-mel spectrogram as a one-channel image: network input `[batch, 1, bins, frames]`.

    Each spectrogram is normalised to zero mean and unit variance over all its cells.

    Attributes:
        bins: number of mel bins.
        frame_length_ms, frame_shift_ms: analysis frame, in milliseconds.
        low_hz, high_hz: edges of the mel bank; `high_hz` of 0 is half the sample rate.
        least_frames: fewest frames that the network can embed and train on; recordings and crops
            are held against it before anything is trained.
    """

    bins: int = 64
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    low_hz: float = 20.0
    high_hz: float = 0.0
    least_frames: int = 1

    kind: ClassVar[str] = "audio"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A square picture, resized: network input `[batch, channels, size, size]`.

    Levels from 0 to 1 have `mean` taken off and are divided by `deviation`; the defaults bring
    them to -1..1.

    Attributes:
        size: side in pixels.
        channels: 3 repeats the channel of grey pictures, and keeps colours; 1 keeps grey pictures
            grey, and makes grey ones of those in colour.
        mean, deviation: of each channel, or one for all.
        interpolation: how pixels between pixels are computed.
        crop: None stretches the whole picture to the square. A share up to 1 keeps the picture's
            proportions, and takes a square from its middle whose side is that share of the shorter
            side, as timm's and torchvision's evaluation do (timm calls it `crop_pct`).
    """

    size: int = 224
    channels: int = 3
    mean: tuple[float, ...] = (0.5,)
    deviation: tuple[float, ...] = (0.5,)
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    crop: float | None = None

    kind: ClassVar[str] = "image"


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A vector that is there already (an embedding of a text, say): `[batch, size]`."""

    size: int

    kind: ClassVar[str] = "vector"


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Vectors of several modalities of one turn, side by side: `[batch, frames, size]`.

    `size` is the sum of the modalities' lengths, in the order text, audio, video. Frames that a
    turn does not have are rows of zeros; with one frame, sequences were pooled by their reader.

    Attributes:
        text, audio, video: length of a modality's vector; 0 if there is none.
        frames: vectors of a turn at most.
    """

    text: int = 0
    audio: int = 0
    video: int = 0
    frames: int = 1

    kind: ClassVar[str] = "vectors"

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Lengths of text, audio and video."""
        return self.text, self.audio, self.video


Input = Fbank | Spectrogram | Image | Vector | Vectors


@dataclass(frozen=True)
class Batch:
    """Labels of a batch, with all that a loss may ask for beside the embeddings.

    Attributes:
        labels: class indices, `[batch]`, int64.
        mix_labels, mix_weights: the second label of a mixed example and the first one's share,
            both `[batch]`, if the recipe mixes.
        teacher: a teacher's logits, `[batch, classes]`, if there is one (distillation).
        pairs: rows of the batch, `[pairs, 2]`: the preferred item first, every two items of
            different grade, if the dataset grades its items; the two views of each item, for a loss
            that asks for `views`.
        grades: what items are ranked by, `[batch]`, higher is preferred, of mean 0 and deviation 1
            over the training split; if the dataset grades its items.
        assigned: the answer of an `AssigningHead` for these items; None before there is one, and
            for a loss that does not ask.
    """

    labels: Tensor
    mix_labels: Tensor | None = None
    mix_weights: Tensor | None = None
    teacher: Tensor | None = None
    pairs: Tensor | None = None
    grades: Tensor | None = None
    assigned: Assigned | None = None


@dataclass(frozen=True)
class Assigned:
    """Targets that a head gave to items by itself, at the start of an epoch.

    Attributes:
        targets: of each item, `[items]`, int64: a cluster, say.
        weights: how far each is trusted, `[items]`, float32.
        statistics: numbers worth a curve, of this epoch.
        vectors: as those of `Head.vectors`.
    """

    targets: Tensor
    weights: Tensor
    statistics: Mapping[str, float] = field(default_factory=dict)
    vectors: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)

    def of(self, rows: Tensor) -> Assigned:
        """Return the targets and weights of some items."""
        return Assigned(self.targets[rows], self.weights[rows])


@dataclass(frozen=True)
class LossOutput:
    """Output of a head.

    Attributes:
        loss: a scalar, mean over the batch.
        logits: `[batch, classes]` as used to decide (margins taken off), or None.
        statistics: numbers worth a curve (a margin, a gradient density); logged as they are. A
            head without logits may call the share of its right decisions `Accuracy`.
    """

    loss: Tensor
    logits: Tensor | None = None
    statistics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemGradients:
    """How hard each item of a batch is, and how much a loss makes of it; items, or pairs of them.

    Attributes:
        norms: gradient norm of the plain loss, 0 (easy) to 1 (hard), `[items]`: of cross-entropy
            |1 - p_y|, half of the L1 norm of its gradient on the logits.
        weighted_norms: the same norm under the loss itself, `[items]`.
        weights: factor on the plain loss's gradient, `[items]`: 1 under cross-entropy.
    """

    norms: Tensor
    weighted_norms: Tensor
    weights: Tensor


class Head(Protocol):
    """The module a loss adapter builds: it owns the classifier's weights.

    A head with a direction for each class may have `class_centres() -> [classes, size]`: batches
    can then draw labels that are hard to tell apart (hard-negative mining). One with something to
    show that is more than a number may have `vectors() -> {name: (values, edges)}`: lists of
    floats, the edges of histograms one more than values, else empty. It is called at the epochs
    that a recipe's `vector_epochs` names. One whose loss compares items may have
    `item_gradients(embeddings, batch) -> ItemGradients`, of its pairs; of any other that decides
    by logits `harness.train.item_gradients` measures them.
    """

    def __call__(self, embeddings: Tensor, batch: Batch) -> LossOutput:
        """Map embeddings `[batch, size]` and their batch to a loss."""

    def logits(self, embeddings: Tensor) -> Tensor:
        """Return class logits `[batch, classes]` with no label known, for deciding."""


class AssigningHead(Protocol):
    """A head whose loss asks for `epoch_embeddings`: it looks at all training items together."""

    def assign(self, embeddings: Tensor, progress: float) -> Assigned:
        """Answer the embeddings of the training items with targets and weights.

        Called before the first step of each epoch; all randomness comes from torch's generator,
        which the loop has seeded. Batches of the epoch carry the answer for their items.

        Args:
            embeddings: of all training items in their order, in evaluation mode, `[items, size]`.
            progress: share of the training that is done, 0 to under 1.
        """


@runtime_checkable
class ModelAdapter(Protocol):
    """A network behind the interface.

    `version` changes whenever the same fields would build a different function.
    """

    version: ClassVar[int]

    @property
    def embedding_size(self) -> int:
        """Length of the embedding."""

    def inputs(self) -> Input:
        """Return the input that the backbone wants."""

    def build(self) -> nn.Module:
        """Build the backbone: network input -> embedding `[batch, embedding_size]`."""


@runtime_checkable
class Pretrained(Protocol):
    """A model that may start from weights which were trained elsewhere.

    `build` loads them. A field of the adapter must name them by their content, so that the key of a
    training does.
    """

    @property
    def origin(self) -> str:
        """What its weights were trained on and where they were found; its row says it."""


@runtime_checkable
class LossAdapter(Protocol):
    """A loss behind the interface.

    Attributes:
        version: changes whenever the same fields would compute a different loss.
        needs: requirements of the loss on a batch: `pairs` or `grades`, of a dataset that grades
            its items; `pk`, several examples of each of its classes; `full_batch`, all of it in one
            call, if a sum over its parts would not do.
            And on the training split: `counts`, see `CountingLoss`.
            And of the loop: `views`, each item goes through the network twice in a step, the second
            half of the batch being the first again (dropout and masks in the network make them
            differ); `epoch_embeddings`, see `AssigningHead`.
        scheduled: names of the head's attributes that a recipe's schedules may drive
            (`margin`, `scale`); each is a float that the loop sets before a step.

    A loss whose head weighs both labels of mixed items (`Batch.mix_labels`) says so by a class
    variable `mixes = True`; recipes that mix are refused for any other.
    """

    version: ClassVar[int]
    needs: ClassVar[frozenset[str]]
    scheduled: ClassVar[tuple[str, ...]]

    def build(self, embedding_size: int, classes: int) -> nn.Module:
        """Build the head (see `Head`)."""


class CountingLoss(Protocol):
    """A loss adapter whose `needs` name `counts`: its head depends on the items of each class."""

    def build(self, embedding_size: int, classes: int, *, counts: Sequence[int]) -> nn.Module:
        """Build the head; `counts` are the training items of each class, `[classes]`."""


def build_head(
    loss: LossAdapter, embedding_size: int, classes: int, counts: Sequence[int] | None = None
) -> nn.Module:
    """Build the head of any loss.

    Args:
        loss: its adapter.
        embedding_size: length of the embedding.
        classes: rows of a classifier.
        counts: training items of each class, for a loss that needs them.

    Raises:
        TypeError: it needs them, and they are not given.
    """
    if "counts" not in loss.needs:
        return loss.build(embedding_size, classes)
    if counts is None:
        raise TypeError(f"{type(loss).__name__} needs the number of training items of each class")
    return cast(CountingLoss, loss).build(embedding_size, classes, counts=counts)
