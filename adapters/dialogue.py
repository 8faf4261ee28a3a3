"""Networks over the vectors of a dialogue's turns: text, audio and video fused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.adapter import Vectors

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class Fusion:
    """Modalities projected to one size and fused, with views for contrastive learning.

    After Zhang et al., "Unsupervised Multimodal Clustering for Semantics Discovery in Multimodal
    Utterances", ACL 2024, section 3.2, over vectors that are there already. In training, a pass
    masks words, features and modalities anew, so that two passes of a turn are two views of it. The
    paper's views keep text (`anchor = "text"`) and leave away audio or video; without an anchor any
    modality may be left away, never all.

    Attributes:
        text, audio, video: length of each modality's vector; 0 if there is none.
        frames: vectors of a turn at most.
        base_dim: size of each projection, of the fusion and of the embedding.
        dropout: of the fusion's hidden layer.
        word_dropout: share of a turn's frames (words) that a pass leaves away, if it has several.
        feature_dropout: share of each modality's features that a pass leaves away.
        modality_dropout: how likely a pass leaves a modality away, where there are several.
        anchor: the modality that stays; empty for none.
    """

    text: int = 32
    audio: int = 0
    video: int = 0
    frames: int = 1
    base_dim: int = 256
    dropout: float = 0.1
    word_dropout: float = 0.2
    feature_dropout: float = 0.1
    modality_dropout: float = 0.5
    anchor: str = ""

    version: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            ValueError: no modality, a size below 1, a share outside 0..1, or an unknown anchor.
        """
        if min(self.text, self.audio, self.video) < 0 or not self.text + self.audio + self.video:
            raise ValueError("text, audio and video: give one of them a size of 1 or more")
        if self.frames < 1 or self.base_dim < 2:
            raise ValueError("frames must be at least 1, and base_dim at least 2")
        for name in ("dropout", "word_dropout", "feature_dropout", "modality_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in 0..1, without 1")
        if self.anchor not in ("", "text", "audio", "video"):
            raise ValueError(f"anchor must be text, audio, video or empty, got {self.anchor!r}")

    @property
    def embedding_size(self) -> int:
        """Length of the embedding."""
        return self.base_dim

    def inputs(self) -> Vectors:
        """Return the vectors that it takes."""
        return Vectors(text=self.text, audio=self.audio, video=self.video, frames=self.frames)

    def build(self) -> nn.Module:
        """Build the network: `[batch, frames, size]` -> `[batch, base_dim]`."""
        from adapters.native.fusion import FusionTrunk

        fields = asdict(self)
        sizes = {name: fields.pop(name) for name in ("text", "audio", "video")}
        del fields["frames"]
        return FusionTrunk(sizes, **fields)
