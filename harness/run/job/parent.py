"""The finished training that a job's training goes on from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Parent(BaseModel):
    """A finished training, as far as its continuation must know it.

    Attributes:
        train: key of its stage.
        step: its last.
        epochs: that were done then.
        began: the step after which the draws of its batches began: 0, or the end of the training
            that it fine-tuned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: str
    step: int
    epochs: float
    began: int = 0

    @property
    def inputs(self) -> dict[str, object]:
        """What goes into the key of the continuation."""
        return {"train": self.train, "step": self.step}

    @property
    def note(self) -> str:
        """What the row of the continuation says."""
        return (
            f"goes on from the training {self.train[:12]} after its last step, {self.step:,}; its "
            "training time is that of the later steps"
        )
