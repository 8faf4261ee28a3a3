"""The weights that a recipe's training begins with, in place of drawn ones."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from harness.config.tables import ConfigTable


class InitialWeights(ConfigTable):
    """A checkpoint whose network training begins with; its head is drawn anew.

    A path alone stands for a table with nothing else in it.
    """

    weights: str = Field(
        description="a run as `harness runs list` names it, a file, a folder, or hf://owner/name"
    )
    trained_on: tuple[str, ...] | None = Field(
        default=None, description="what a file's weights were trained on; a run tells it itself"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_path(cls, given: Any) -> Any:
        if isinstance(given, str):
            return {"weights": given}
        if isinstance(given, dict) and isinstance(given.get("trained_on"), list):
            # What a validator returns is no JSON any more, whose lists would be tuples.
            return {**given, "trained_on": tuple(given["trained_on"])}
        return given
