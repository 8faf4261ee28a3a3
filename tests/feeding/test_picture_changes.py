"""Changes of training pictures, held against torchvision's own and against their draws."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from harness.config.picture_tables import PictureAugment
from harness.feeding.picture_changes import change_pictures, draw_changes, place_maps

HEIGHT, WIDTH = 24, 40
EVERYTHING = PictureAugment(
    flip=0.5, rotation=15, shift=0.1, size=(0.8, 1.2), shear=10, crop=(0.6, 1.0),
    brightness=(0.7, 1.3), contrast=(0.7, 1.3), saturation=(0.5, 1.5), hue=0.1, blur=1.0,
)  # fmt: skip


def pictures(*shape: int) -> torch.Tensor:
    """Smooth pictures, whose pixels interpolation cannot move far."""
    noise = torch.rand(shape[0], 1, *shape[1:3], generator=torch.Generator().manual_seed(0))
    smooth = functional.avg_pool2d(noise, 5, 1, 2, count_include_pad=False)[:, 0]
    return smooth if len(shape) == 3 else torch.stack([smooth, 1 - smooth, smooth**2], dim=-1)


def drawn(**values: float) -> torch.Tensor:
    """Draws of one picture: the middle of every range but for those named by their place."""
    row = torch.full((1, 15), 0.5)
    row[0, 0] = 1.0
    for place, value in values.items():
        row[0, int(place[1:])] = value
    return row


def test_nothing_asked_changes_no_bit() -> None:
    for shape in ((3, HEIGHT, WIDTH), (3, HEIGHT, WIDTH, 3)):
        given = pictures(*shape)
        assert torch.equal(change_pictures(given, PictureAugment(), draw_changes(1, 2, 3)), given)


@pytest.mark.parametrize(
    ("plan", "draws", "wanted"),
    [
        ({"rotation": 30}, {"_1": 1.0}, {"angle": 30.0}),
        ({"rotation": 30}, {"_1": 0.25}, {"angle": -15.0}),
        ({"shift": 0.1}, {"_2": 1.0, "_3": 0.0}, {"translate": [0.1 * WIDTH, -0.1 * HEIGHT]}),
        ({"size": (0.5, 1.5)}, {"_4": 0.2}, {"scale": 0.7}),
        ({"shear": 20}, {"_5": 1.0}, {"shear": [20.0, 0.0]}),
        (
            {"rotation": 30, "shift": 0.1, "size": (0.5, 1.5), "shear": 20},
            {"_1": 0.9, "_2": 0.8, "_3": 0.3, "_4": 0.6, "_5": 0.2},
            {"angle": 24.0, "translate": [0.06 * WIDTH, -0.04 * HEIGHT], "scale": 1.1,
             "shear": [-12.0, 0.0]},
        ),
    ],
)  # fmt: skip
def test_the_map_of_places_is_torchvisions(
    plan: dict[str, object], draws: dict[str, float], wanted: dict[str, object]
) -> None:
    given = pictures(1, HEIGHT, WIDTH)
    found = change_pictures(given, PictureAugment(**plan), drawn(**draws))
    told = {"angle": 0.0, "translate": [0.0, 0.0], "scale": 1.0, "shear": [0.0, 0.0], **wanted}
    reference = vision.affine(given, interpolation=InterpolationMode.BILINEAR, **told)
    torch.testing.assert_close(found, reference, atol=1e-4, rtol=0)


def test_a_flip_changes_left_and_right() -> None:
    given = pictures(1, HEIGHT, WIDTH)
    found = change_pictures(given, PictureAugment(flip=1.0), drawn(_0=0.3))
    torch.testing.assert_close(found, given.flip(-1), atol=1e-5, rtol=0)


def test_a_crop_is_brought_to_the_whole_size() -> None:
    given = pictures(1, HEIGHT, HEIGHT)
    found = change_pictures(given, PictureAugment(crop=(0.25, 0.25)), drawn(_8=0.0, _9=0.0))
    quarter = given[:, : HEIGHT // 2, : HEIGHT // 2]
    wanted = vision.resize(quarter, [HEIGHT, HEIGHT], antialias=False)
    inside = slice(1, -1)
    torch.testing.assert_close(
        found[:, inside, inside], wanted[:, inside, inside], atol=1e-4, rtol=0
    )


def test_no_crop_leaves_the_picture() -> None:
    places = place_maps(PictureAugment(crop=(0.3, 0.9)), draw_changes(0, 0, 64), HEIGHT, WIDTH)
    corners = torch.tensor([[x * WIDTH / 2, y * HEIGHT / 2, 1] for x in (-1, 1) for y in (-1, 1)])
    at = places @ corners.T
    assert (at[:, 0].abs() <= WIDTH / 2 + 1e-3).all()
    assert (at[:, 1].abs() <= HEIGHT / 2 + 1e-3).all()
    area = torch.linalg.det(places)
    assert area.min() > 0.25
    assert area.max() <= 0.91


@pytest.mark.parametrize(
    ("plan", "place", "change"),
    [
        ({"brightness": (0.7, 1.3)}, 10, vision.adjust_brightness),
        ({"contrast": (0.7, 1.3)}, 11, vision.adjust_contrast),
        ({"saturation": (0.7, 1.3)}, 12, vision.adjust_saturation),
    ],
)
def test_levels_are_torchvisions(plan, place: int, change) -> None:  # type: ignore[no-untyped-def]
    given = pictures(2, HEIGHT, WIDTH, 3)
    draws = drawn().repeat(2, 1)
    draws[:, place] = torch.tensor([0.0, 1.0])
    found = change_pictures(given, PictureAugment(**plan), draws)
    for picture, new, factor in zip(given, found, (0.7, 1.3), strict=True):
        wanted = change(picture.movedim(-1, 0), factor).movedim(0, -1)
        torch.testing.assert_close(new, wanted)


def test_draws_are_of_seed_and_step_alone_and_each_pictures_own() -> None:
    given = pictures(4, HEIGHT, WIDTH, 3)
    found = change_pictures(given, EVERYTHING, draw_changes(3, 7, 4))
    again = change_pictures(given, EVERYTHING, draw_changes(3, 7, 4))
    assert torch.equal(found, again)
    assert (found >= 0).all()
    assert (found <= 1).all()
    for seed, step in ((3, 8), (4, 7)):
        other = change_pictures(given, EVERYTHING, draw_changes(seed, step, 4))
        assert not torch.equal(found, other)
    alone = change_pictures(given[2:3], EVERYTHING, draw_changes(3, 7, 4)[2:3])
    torch.testing.assert_close(found[2:3], alone)


def test_a_change_taken_out_leaves_the_others_as_they_were() -> None:
    given, draws = pictures(2, HEIGHT, WIDTH), draw_changes(0, 0, 2)
    both = change_pictures(given, PictureAugment(rotation=10, brightness=(0.5, 1.0)), draws)
    turned = change_pictures(given, PictureAugment(rotation=10), draws)
    dimmed = change_pictures(turned, PictureAugment(brightness=(0.5, 1.0)), draws)
    torch.testing.assert_close(both, dimmed)


def test_what_lies_outside_is_filled() -> None:
    white = torch.ones(1, HEIGHT, WIDTH)
    shifted = PictureAugment(shift=0.5, fill=0.25)
    found = change_pictures(white, shifted, drawn(_2=1.0))
    torch.testing.assert_close(found[0, :, : WIDTH // 2 - 1], torch.full((HEIGHT, 19), 0.25))
    torch.testing.assert_close(found[0, :, WIDTH // 2 :], torch.ones(HEIGHT, 20))


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"size": (1.2, 0.8)}, "size: the highest"),
        ({"size": (0.0, 0.8)}, "give more than 0"),
        ({"rotation": 200}, "rotation"),
        ({"crop": (0.0, 1.0)}, "crop"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object], mend: str) -> None:
    with pytest.raises(ValidationError, match=mend):
        PictureAugment(**wrong)
