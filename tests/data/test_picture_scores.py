"""Scores of pictures and their hash, against scipy and against what changes a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import fft, ndimage

from harness.data.picture_scores import (
    HASHED,
    KEPT,
    area_means,
    contrast,
    grey_levels,
    perceptual_hash,
    sharpness,
)
from harness.data.synthesis.characters import draw

SOURCE = "artist003/mira-0@64"


def bits_apart(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def test_the_hash_is_that_of_scipys_transform():
    grey = np.random.default_rng(0).uniform(0, 255, (96, 64))
    small = grey.reshape(HASHED, 3, HASHED, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(area_means(grey, HASHED), small)
    lowest = fft.dctn(small, norm="ortho")[:KEPT, :KEPT].ravel()
    above = lowest > np.median(lowest[1:])
    above[0] = True
    wanted = int("".join("01"[each] for each in above.astype(int)), 2)
    assert perceptual_hash(grey) == wanted


def test_small_changes_leave_the_hash_nearly_alone_and_another_picture_does_not():
    picture = Image.fromarray(draw(SOURCE))
    own = perceptual_hash(grey_levels(np.asarray(picture)))
    changed = [
        picture.resize((96, 96)),
        picture.filter(ImageFilter.GaussianBlur(1)),
        picture.point(lambda level: level * 0.8 + 20),
    ]
    for each in changed:
        assert bits_apart(own, perceptual_hash(grey_levels(np.asarray(each)))) <= 6
    other = perceptual_hash(grey_levels(draw("artist004/gus-0@64")))
    assert bits_apart(own, other) > 16


def test_area_means_of_sides_that_do_not_divide_keep_the_mean():
    grey = np.random.default_rng(1).uniform(0, 255, (35, 50))
    assert area_means(grey, 16).mean() == pytest.approx(grey.mean())


def test_sharpness_is_the_variance_of_the_laplacian_and_falls_with_blur():
    grey = grey_levels(draw(SOURCE))
    wanted = ndimage.laplace(grey)[1:-1, 1:-1].var()
    assert sharpness(grey) == pytest.approx(wanted)
    blurred = [sharpness(ndimage.gaussian_filter(grey, width)) for width in (0.5, 1, 2)]
    assert sorted([sharpness(grey), *blurred], reverse=True) == [sharpness(grey), *blurred]


def test_contrast_is_the_deviation_of_the_levels():
    assert contrast(np.tile([0.0, 255.0], (4, 4))) == pytest.approx(0.5)
    assert contrast(np.full((4, 4), 9.0)) == 0


def test_grey_is_that_of_pillow():
    pixels = draw(SOURCE)
    pillow = np.asarray(Image.fromarray(pixels).convert("L"), float)
    np.testing.assert_allclose(grey_levels(pixels), pillow, atol=1)
    np.testing.assert_array_equal(grey_levels(pixels[..., 0]), pixels[..., 0])
