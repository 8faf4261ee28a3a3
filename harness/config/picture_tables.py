"""The table of a recipe that says how training pictures are changed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from harness.config.numbers import Range, Share
from harness.config.tables import ConfigTable

Factors = tuple[Annotated[float, Range(0, 10)], Annotated[float, Range(0, 10)]]
"""The lowest and the highest of a factor, which is drawn uniformly between them."""

Area = tuple[Annotated[float, Range(0, 1, above=True)], Annotated[float, Range(0, 1, above=True)]]
"""The least and the largest share of a picture's area."""


class PictureAugment(ConfigTable):
    """Random changes of training pictures, drawn for each picture by itself.

    Flip, rotation, shift, size, shear and crop are one map of places, so that pixels are
    interpolated once.
    """

    flip: Share = Field(default=0.0, description="probability that left and right change places")
    rotation: Annotated[float, Range(0, 180)] = Field(
        default=0.0, description="largest angle to either side, in degrees"
    )
    shift: Share = Field(default=0.0, description="largest shift, as a share of each side")
    size: Factors = Field(default=(1.0, 1.0), description="factor on the size of what is shown")
    shear: Annotated[float, Range(0, 60)] = Field(
        default=0.0, description="largest angle to either side, in degrees"
    )
    crop: Area = Field(
        default=(1.0, 1.0),
        description="share of the area that is cut out, at a ratio of sides from 3:4 to 4:3, and "
        "brought to the whole size",
    )
    brightness: Factors = (1.0, 1.0)
    contrast: Factors = (1.0, 1.0)
    saturation: Factors = Field(default=(1.0, 1.0), description="of pictures in colour")
    hue: Annotated[float, Range(0, 0.5)] = Field(
        default=0.0, description="largest turn to either side, as a share of the circle of colours"
    )
    blur: Annotated[float, Range(0, 100)] = Field(
        default=0.0, description="largest standard deviation of a Gaussian, in pixels"
    )
    fill: Share = Field(default=0.0, description="level of what lies outside of the picture")

    @model_validator(mode="after")
    def _check_order(self) -> PictureAugment:
        for name in ("size", "crop", "brightness", "contrast", "saturation"):
            low, high = getattr(self, name)
            if high < low:
                raise ValueError(f"{name}: the highest ({high:g}) is below the lowest ({low:g})")
        if self.size[0] == 0:
            raise ValueError("size: a picture of no size shows nothing; give more than 0")
        return self
