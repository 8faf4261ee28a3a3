"""The weights that a job's training begins with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from harness.errors import ConfigError
from harness.records.documents import sha256_file

if TYPE_CHECKING:
    from harness.train.system import System

TRUNK = "trunk."
"""Before the names of a network in the weights of a whole system."""


class Initial(BaseModel):
    """Weights found by planning, as far as a job must know them.

    Attributes:
        path: their file.
        sha256: its hash.
        train: key of the training that made them; empty of a file made elsewhere.
        name: for people.
        trained_on: what they were trained on; None if that is not known.
        is_apart: True if none of the test's units is known to have been among it, and all of it
            was compared.
        unit: of the test.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    sha256: str
    train: str = ""
    name: str
    trained_on: tuple[str, ...] | None = None
    is_apart: bool = False
    unit: str

    @property
    def inputs(self) -> dict[str, str]:
        """What goes into the key of the training."""
        return {"sha256": self.sha256, **({"train": self.train} if self.train else {})}

    @property
    def note(self) -> str:
        """What the row of the training says."""
        began = f"training began with the network of {self.name} ({self.sha256[:12]})"
        if not self.is_apart:
            return f"{began}; whether it had seen the test items was not checked"
        return (
            f"{began}; no {self.unit} that {' or '.join(self.trained_on or ())} trains on is tested"
        )


def begin_with(system: System, initial: Initial) -> None:
    """Load weights into a system's network; its head stays as it was drawn.

    Args:
        system: freshly made.
        initial: the weights: of a whole system, or of a network alone.

    Raises:
        ConfigError: the file changed since the job was planned.
        RequestError: they are not of this network.
    """
    from harness.train.checkpoint import load_weights
    from harness.train.weight_matching import match_weights

    if not initial.path.is_file() or sha256_file(initial.path) != initial.sha256:
        raise ConfigError(f"init: {initial.path}: changed since the job was planned")
    weights = load_weights(initial.path)
    own = {
        name.removeprefix(TRUNK): value for name, value in weights.items() if name.startswith(TRUNK)
    }
    fit = match_weights(own or weights, system.trunk.state_dict(), str(initial.path))
    system.trunk.load_state_dict(fit.weights)
