"""Files of any form as squares: orientation, palette, alpha, depth, frames, size."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from harness.data import square_picture
from harness.data.corpus import DamagedItem, item_notes
from harness.data.square_picture import header_size, read_square

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (8, 8, 3), np.uint8)
ORIENTATION = 0x0112


def enlarged(down: int, across: int) -> np.ndarray:
    """The same picture with each pixel so many times as large."""
    return COLOURS.repeat(down, axis=0).repeat(across, axis=1)


@pytest.fixture
def read(tmp_path):
    def saved(picture, size=8, form="png", fit="crop", colour=True, **options):
        path = tmp_path / f"picture.{form}"
        picture.save(path, **options)
        return read_square(path, size, colour=colour, fit=fit)

    return saved


def test_colours_of_the_right_size_stay(read):
    np.testing.assert_array_equal(read(Image.fromarray(COLOURS)), COLOURS)


def test_the_orientation_of_exif_is_undone(read):
    for number, undo in ((3, lambda p: p[::-1, ::-1]), (6, lambda p: np.rot90(p, -1))):
        exif = Image.Exif()
        exif[ORIENTATION] = number
        found = read(Image.fromarray(COLOURS), exif=exif)
        np.testing.assert_array_equal(found, undo(COLOURS))


def test_a_palette_is_looked_up_and_its_transparent_colour_is_paper(read):
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((0, 0), 0)
    assert read(picture)[4, 4].tolist() == [200, 100, 50]
    found = read(picture, transparency=0)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[4, 4].tolist() == [200, 100, 50]


def test_transparent_parts_show_white_paper(read):
    alpha = np.full((8, 8), 255, np.uint8)
    alpha[:4] = 0
    alpha[4] = 128
    found = read(Image.fromarray(np.dstack([COLOURS, alpha])))
    assert (found[:4] == 255).all()
    np.testing.assert_array_equal(found[5:], COLOURS[5:])
    between = (COLOURS[4] * 128.0 + 255.0 * 127) / 255
    np.testing.assert_allclose(found[4], between, atol=1)


def test_sixteen_bits_are_scaled(read):
    deep = (COLOURS[..., 0].astype(np.uint16)) * 257
    found = read(Image.fromarray(deep), form="tiff")
    np.testing.assert_array_equal(found, np.repeat(COLOURS[..., :1], 3, axis=2))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "CMYK", "YCbCr"])
def test_other_modes_become_what_pillow_makes_of_them(read, mode):
    picture = Image.fromarray(COLOURS).convert("L" if mode == "LA" else mode)
    wanted = np.asarray(picture.convert("RGB"))
    form = "tiff" if mode in ("CMYK", "YCbCr") else "png"
    found = read(picture.convert(mode), form=form)
    np.testing.assert_allclose(found.astype(int), wanted.astype(int), atol=2)


def test_grey_is_that_of_pillow(read):
    found = read(Image.fromarray(COLOURS), colour=False)
    np.testing.assert_array_equal(found, np.asarray(Image.fromarray(COLOURS).convert("L")))


def test_a_wide_picture_by_each_fit(read):
    wide = np.zeros((8, 16, 3), np.uint8)
    wide[:, 4:12] = COLOURS
    picture = Image.fromarray(wide)
    np.testing.assert_array_equal(read(picture, fit="crop"), COLOURS)
    padded = read(picture, fit="pad", size=16)
    assert (padded[:4] == 255).all()
    np.testing.assert_array_equal(padded[4:12], wide)
    stretched = read(picture, fit="stretch")
    assert stretched.shape == (8, 8, 3)
    assert (stretched[:, 0] < 20).all()


def test_the_first_frame_of_an_animation_is_read_with_a_note(tmp_path):
    frames = [Image.fromarray(COLOURS), Image.fromarray(255 - COLOURS)]
    path = tmp_path / "moves.png"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    with item_notes() as notes:
        found = read_square(path, 8)
    np.testing.assert_array_equal(found, COLOURS)
    assert notes == ["holds 2 frames; the first is read"]


@pytest.mark.parametrize("form", ["png", "jpg"])
def test_forty_million_pixels_are_read_and_more_than_the_bound_are_named(
    tmp_path, monkeypatch, form
):
    # As large in proportion to a bound that is small enough for a test.
    monkeypatch.setattr(square_picture, "MOST_PIXELS", 64_000)
    path = tmp_path / f"large.{form}"
    Image.fromarray(enlarged(25, 25)).save(path)
    assert read_square(path, 16).shape == (16, 16, 3)
    Image.fromarray(enlarged(33, 33)).save(path)
    with pytest.raises(DamagedItem, match="264 x 264 pixels, more than the 0 million"):
        read_square(path, 16)


@pytest.mark.long
def test_a_picture_of_forty_million_pixels(tmp_path):
    path = tmp_path / "large.png"
    Image.fromarray(enlarged(800, 782)).save(path, compress_level=1)
    assert header_size(path) == (6256, 6400)
    assert read_square(path, 64).shape == (64, 64, 3)


def test_files_that_are_no_pictures(tmp_path):
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    assert header_size(text) is None
    with pytest.raises(DamagedItem, match="cannot be decoded"):
        read_square(text, 8)
    floats = tmp_path / "floats.tiff"
    Image.fromarray(COLOURS[..., 0].astype(np.float32)).save(floats)
    with pytest.raises(DamagedItem, match="floating-point"):
        read_square(floats, 8)
