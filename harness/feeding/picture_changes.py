"""Random changes of training pictures: a map of places, then levels, colours and blur.

All numbers are drawn by seed and step alone, so that a training that goes on sees what an unbroken
one does, whoever makes its inputs and on whatever device.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from harness.config.picture_tables import PictureAugment

STREAM = 7
"""Of random numbers, beside those of order, crops, rooms, speeds and samplers."""

DRAWS = 15
"""Numbers drawn for each picture, whatever of them is used: a change that is taken out of a recipe
leaves the others as they were."""

RATIO = math.log(4 / 3)
"""Logarithm of the greatest ratio of a crop's sides."""

_Change = tuple[Callable[[Tensor, float], Tensor], tuple[float, float], float, int]
"""A change of one picture, the range of its amount, the amount that changes nothing, and the place
of its draw."""

LEAST_BLUR = 0.05
"""Standard deviation, in pixels, under which a blur changes nothing."""


def draw_changes(seed: int, step: int, rows: int) -> Tensor:
    """Draw the numbers behind a step's changes, uniform in 0..1: `[rows, DRAWS]`, float32."""
    rng = np.random.Generator(np.random.PCG64([seed, STREAM, step]))
    return torch.from_numpy(rng.random((rows, DRAWS), dtype=np.float32))


def change_pictures(pixels: Tensor, plan: PictureAugment, drawn: Tensor) -> Tensor:
    """Change pictures, each by its own draws.

    Args:
        pixels: levels 0..1, grey `[batch, height, width]` or in colour `[batch, height, width, 3]`.
        plan: the recipe's table.
        drawn: as of `draw_changes`, on the same device.

    Returns:
        Pictures of the same shape, levels 0..1.
    """
    grey = pixels.dim() == 3
    planes = pixels.unsqueeze(1) if grey else pixels.movedim(-1, 1)
    planes = _moved(planes, plan, drawn)
    planes = _coloured(planes, plan, drawn)
    return planes.squeeze(1) if grey else planes.movedim(1, -1)


def _moved(planes: Tensor, plan: PictureAugment, drawn: Tensor) -> Tensor:
    """Sample pictures `[batch, planes, height, width]` at the places that the map gives."""
    height, width = planes.shape[-2:]
    places = place_maps(plan, drawn, height, width)
    if torch.equal(places, torch.eye(3, device=places.device).expand_as(places)):
        return planes
    # From pixels about the middle to the -1..1 of `affine_grid`.
    sides = torch.tensor([2 / width, 2 / height, 1.0], device=planes.device)
    theta = (places * sides[:, None] / sides[None, :])[:, :2]
    grid = functional.affine_grid(theta, list(planes.shape), align_corners=False)
    sampled = functional.grid_sample(planes - plan.fill, grid, align_corners=False)
    return sampled + plan.fill


def place_maps(plan: PictureAugment, drawn: Tensor, height: int, width: int) -> Tensor:
    """Return the maps from places of a changed picture to places of the given one.

    A picture is flipped, sheared, sized and turned about its middle and shifted; of the result a
    crop is brought to the whole size.

    Args:
        plan: the recipe's table.
        drawn: as of `draw_changes`.
        height, width: in pixels.

    Returns:
        `[batch, 3, 3]`, homogeneous, in pixels about the middle, x before y.
    """
    flip = torch.where(drawn[:, 0] < plan.flip, -1.0, 1.0)
    turn = torch.deg2rad(_between(drawn[:, 1], -plan.rotation, plan.rotation))
    right = _between(drawn[:, 2], -plan.shift, plan.shift) * width
    down = _between(drawn[:, 3], -plan.shift, plan.shift) * height
    size = _between(drawn[:, 4], *plan.size)
    lean = torch.deg2rad(_between(drawn[:, 5], -plan.shear, plan.shear)).tan()
    zero, one = torch.zeros_like(turn), torch.ones_like(turn)
    # Each step undone, the last one first.
    shifted = _matrix((one, zero, -right), (zero, one, -down))
    turned = _matrix(
        (turn.cos() / size, turn.sin() / size, zero), (-turn.sin() / size, turn.cos() / size, zero)
    )
    sheared = _matrix((one, lean, zero), (zero, one, zero))
    flipped = _matrix((flip, zero, zero), (zero, one, zero))
    return flipped @ sheared @ turned @ shifted @ _crop_maps(plan, drawn, height, width)


def _crop_maps(plan: PictureAugment, drawn: Tensor, height: int, width: int) -> Tensor:
    """Return the maps from a whole picture to the part of it that is cut out."""
    if plan.crop == (1.0, 1.0):
        return torch.eye(3, device=drawn.device).expand(len(drawn), 3, 3)
    area = _between(drawn[:, 6], *plan.crop)
    ratio = _between(drawn[:, 7], -RATIO, RATIO).exp()
    wide, high = (area * ratio).sqrt().clamp(max=1.0), (area / ratio).sqrt().clamp(max=1.0)
    right = (drawn[:, 8] - 0.5) * (1 - wide) * width
    down = (drawn[:, 9] - 0.5) * (1 - high) * height
    zero = torch.zeros_like(area)
    return _matrix((wide, zero, right), (zero, high, down))


def _matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Return `[batch, 3, 3]` from its first two rows."""
    upper = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    last = torch.tensor([0.0, 0.0, 1.0], device=upper.device).expand(len(upper), 1, 3)
    return torch.cat([upper, last], dim=-2)


def _coloured(planes: Tensor, plan: PictureAugment, drawn: Tensor) -> Tensor:
    """Change levels and colours, then blur, as torchvision does; each picture by its own amounts.

    What no plan asks for is not computed.
    """
    from torchvision.transforms.v2 import functional as vision  # a second to import

    levels: list[_Change] = [
        (vision.adjust_brightness, plan.brightness, 1.0, 10),
        (vision.adjust_contrast, plan.contrast, 1.0, 11),
    ]
    colours: list[_Change] = [
        (vision.adjust_saturation, plan.saturation, 1.0, 12),
        (vision.adjust_hue, (-plan.hue, plan.hue), 0.0, 13),
    ]
    blur: list[_Change] = [(_blurred, (0.0, plan.blur), 0.0, 14)]
    in_colour = planes.shape[1] == 3
    for change, between, neutral, place in levels + colours * in_colour + blur:
        if between != (neutral, neutral):
            amounts = _between(drawn[:, place], *between).tolist()
            planes = torch.stack([change(*each) for each in zip(planes, amounts, strict=True)])
    return planes


def _blurred(picture: Tensor, deviation: float) -> Tensor:
    """Blur a picture with a kernel that reaches three standard deviations to each side.

    No kernel reaches further than the picture.
    """
    from torchvision.transforms.v2 import functional as vision

    if deviation < LEAST_BLUR:
        return picture
    side = 2 * min(math.ceil(3 * deviation), min(picture.shape[-2:]) - 1) + 1
    blurred: Tensor = vision.gaussian_blur(picture, [side, side], [deviation, deviation])
    return blurred


def _between(share: Tensor, low: float, high: float) -> Tensor:
    return low + share * (high - low)
