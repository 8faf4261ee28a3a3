"""Pictures of any depth and transparency become grey levels on white paper."""

import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from harness.data.corpus import DamagedItem
from harness.data.picture import read_picture

GREY = np.arange(256, dtype=np.uint8).reshape(16, 16)
OPAQUE = np.full_like(GREY, 255)


@pytest.fixture
def read(tmp_path):
    """What is read of a picture or of the bytes of one."""

    def read(picture, **options):
        path = tmp_path / "picture.png"
        if isinstance(picture, bytes):
            path.write_bytes(picture)
        else:
            picture.save(path, options.pop("format", "PNG"), **options)
        return read_picture(path)

    return read


def png(rows, depth, colour=0, **chunks):
    """A PNG file of one channel, its rows packed already."""
    width = len(rows[0]) * 8 // depth

    def chunk(name, content):
        told = name + content
        return struct.pack(">I", len(content)) + told + struct.pack(">I", zlib.crc32(told))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0))
    rest = b"".join(chunk(name.encode(), content) for name, content in chunks.items())
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + head + rest + data + chunk(b"IEND", b"")


def test_grey_levels_are_kept(read):
    np.testing.assert_array_equal(read(Image.fromarray(GREY)), GREY)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_ink_in_the_alpha_channel_lies_on_white(read, mode):
    """Black ink, as opaque as the drawing is dark."""
    alpha = Image.fromarray(255 - GREY)
    picture = Image.new(mode, alpha.size, 0)
    picture.putalpha(alpha)
    np.testing.assert_array_equal(read(picture), GREY)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_picture_is_what_it_is_without_its_alpha(read, mode):
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    plain = Image.fromarray(colours).convert(mode[:-1])
    picture = plain.copy()
    picture.putalpha(255)
    np.testing.assert_array_equal(read(picture), np.asarray(plain.convert("L")))


def test_half_transparent_ink_is_half_as_dark(read):
    picture = Image.fromarray(np.stack([GREY, OPAQUE // 2], axis=-1))
    assert picture.mode == "LA"
    expected = np.rint(255 - (255 - GREY.astype(float)) * 127 / 255)
    np.testing.assert_array_equal(read(picture), expected)


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_lies_on_white(read, mode):
    """The darkest level is transparent, as it is where a program draws on transparent black."""
    picture = Image.fromarray(GREY).convert(mode)
    transparent = {"L": 0, "RGB": (0, 0, 0), "P": picture.getpixel((0, 0))}[mode]
    expected = np.where(GREY == 0, 255, GREY)
    np.testing.assert_array_equal(read(picture, transparency=transparent), expected)


def test_a_palette_of_which_several_colours_are_half_transparent(read):
    palette = bytes([0, 0, 0, 0, 0, 0, 200, 200, 200])
    rows = [bytes([0, 1, 2])]
    found = read(png(rows, 8, colour=3, PLTE=palette, tRNS=bytes([0, 51])))
    assert found.tolist() == [[255, 204, 200]]


@pytest.mark.parametrize(("depth", "packed"), [(2, 0b00011011), (4, 0x18)])
@pytest.mark.parametrize("transparent", [None, 1])
def test_grey_of_few_bits(read, depth, packed, transparent):
    chunks = {} if transparent is None else {"tRNS": struct.pack(">H", transparent)}
    found = read(png([bytes([packed])], depth, **chunks))
    values = [0, 1, 2, 3] if depth == 2 else [1, 8]
    full = 2**depth - 1
    assert found.tolist() == [[255 if v == transparent else 255 * v // full for v in values]]


def test_one_bit(read):
    assert read(png([bytes([0b01010000])], 1)).tolist() == [[0, 255, 0, 255, 0, 0, 0, 0]]
    found = read(Image.fromarray(GREY > 99))
    np.testing.assert_array_equal(found, np.where(GREY > 99, 255, 0))


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_of_grey_are_scaled(read, form):
    deep = GREY.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(Image.fromarray(deep), format=form), GREY)
    between = Image.fromarray(np.array([[0, 128, 129, 65_535]], np.uint16))
    assert read(between, format=form).tolist() == [[0, 0, 1, 255]]


def test_32_bits_that_hold_16_are_scaled(read):
    deep = Image.fromarray(GREY.astype(np.int32) * 257)
    np.testing.assert_array_equal(read(deep, format="TIFF"), GREY)


def test_16_bits_of_grey_with_a_transparent_level(read):
    rows = [struct.pack(">4H", 0, 257, 514, 65_535)]
    assert read(png(rows, 16, tRNS=struct.pack(">H", 514)))[0].tolist() == [0, 1, 255, 255]


def test_inks_of_print(read):
    picture = Image.fromarray(GREY).convert("RGB").convert("CMYK")
    np.testing.assert_array_equal(read(picture, format="TIFF"), GREY)


@pytest.mark.parametrize("value", [0, 7, 255])
def test_one_value_throughout_is_blank(read, value):
    with pytest.raises(DamagedItem, match=f"is blank: {value} throughout"):
        read(Image.fromarray(np.full((4, 4), value, np.uint8)))


def test_what_is_all_transparent_is_blank(read):
    with pytest.raises(DamagedItem, match="is blank: 255 throughout"):
        read(Image.fromarray(np.stack([GREY, 0 * GREY], axis=-1)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_on_another_scale_are_as_good_as_blank(read, dtype):
    """0 and 1 in 8 bits, or the levels of 8 bits in 16."""
    levels = (GREY > 99) if dtype == np.uint8 else GREY
    with pytest.raises(DamagedItem, match="as good as blank: its levels are 0 and 1 of 0"):
        read(Image.fromarray(levels.astype(dtype)))


@pytest.mark.parametrize(("levels", "message"), [
    (GREY.astype(np.float32) / 255, "floating-point levels"),
    (GREY.astype(np.int32) * 2**20, "more than 16 bits"),
])  # fmt: skip
def test_depths_that_are_not_read(read, levels, message):
    with pytest.raises(DamagedItem, match=message):
        read(Image.fromarray(levels), format="TIFF")


def test_a_picture_that_is_too_large(read, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DamagedItem, match=r"cannot be decoded .*pixels"):
        read(Image.fromarray(GREY))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_spoilt_files_are_read_or_reported(read, tmp_path):
    dice = random.Random(0)
    originals = []
    for mode in ("L", "RGBA", "P", "LA", "1", "I;16"):
        picture = Image.fromarray(GREY.astype(np.uint16) if mode == "I;16" else GREY)
        picture.convert(mode).save(tmp_path / "original.png")
        originals.append((tmp_path / "original.png").read_bytes())
    for number in range(300):
        spoilt = bytearray(originals[number % len(originals)])
        for _ in range(dice.choice([1, 3, 30])):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
        try:
            assert read(bytes(spoilt[: dice.choice([len(spoilt), 60])])).dtype == np.uint8
        except DamagedItem:
            continue
