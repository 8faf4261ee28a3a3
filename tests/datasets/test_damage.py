"""A thousand damaged sound files: each is read exactly right, or reported."""

import random
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.data.audio import read_audio
from harness.data.corpus import DamagedItem
from tests.speech import noise

FILES = 1000
FLAC_FACTS = 18
"""Where a FLAC file's rate, channels, bits and total samples stand, 8 bytes."""


def recorded(root: Path) -> list[Path]:
    found = [path for path in sorted((root / "speech").glob("*/**/*.flac")) if path.is_file()]
    return random.Random(0).sample(found, 25)


def synthesised(folder: Path) -> list[Path]:
    """Speech-like sounds: noise that swells and fades, a pause in its middle."""
    paths = []
    for number in range(25):
        swell = np.sin(np.linspace(0, 3 * np.pi, 8000 + 631 * number)) ** 2
        sound = (noise(number, len(swell)) * swell).astype(np.int16)
        sound[3000:4000] = 0
        paths.append(folder / f"{number}.flac")
        soundfile.write(paths[-1], sound, 16_000, "PCM_16")
    return paths


@pytest.fixture(params=["recorded", "synthesised"])
def originals(request, tmp_path):
    """FLAC and WAV files with what they hold."""
    if request.param == "recorded":
        paths = recorded(request.getfixturevalue("shared_data"))
    else:
        paths = synthesised(tmp_path)
    sounds = [soundfile.read(path, dtype="int16")[0] for path in paths]
    flacs = [(path.read_bytes(), sound) for path, sound in zip(paths, sounds, strict=True)]
    return flacs, [(as_wav(sound, tmp_path / "x.wav"), sound) for sound in sounds]


def as_wav(sound, path: Path) -> bytes:
    soundfile.write(path, sound, 16_000, "PCM_16")
    return path.read_bytes()


def truncated(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def flipped(content: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(dice.choice([1, 1, 2, 10, 100])):
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
    return bytes(spoilt)


def overwritten(content: bytes, dice: random.Random) -> bytes:
    begin, length = dice.randrange(len(content)), dice.choice([1, 16, 512])
    return content[:begin] + dice.randbytes(length) + content[begin + length :]


def cut_out(content: bytes, dice: random.Random) -> bytes:
    begin = dice.randrange(len(content))
    return content[:begin] + content[begin + dice.choice([1, 100, 5000]) :]


def empty(content: bytes, dice: random.Random) -> bytes:
    return b""


def flac_header_lie(content: bytes, dice: random.Random) -> bytes:
    """Another rate, number of channels, size of samples or number of samples in all."""
    facts = int.from_bytes(content[FLAC_FACTS : FLAC_FACTS + 8], "big")
    begin, bits = dice.choice([(44, 20), (41, 3), (36, 5), (0, 36)])
    fresh = dice.choice([dice.getrandbits(bits), 0, (1 << bits) - 1])
    lie = facts & ~(((1 << bits) - 1) << begin) | fresh << begin
    return content[:FLAC_FACTS] + lie.to_bytes(8, "big") + content[FLAC_FACTS + 8 :]


def flac_head_flipped(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(60)
    return content[:place] + bytes([content[place] ^ dice.randrange(1, 256)]) + content[place + 1 :]


WAV_FIELDS = {4: 4, 16: 4, 20: 2, 22: 2, 24: 4, 28: 4, 32: 2, 34: 2, 40: 4}
"""Where a WAV header's numbers stand, and their bytes."""


def wav_header_lie(content: bytes, dice: random.Random) -> bytes:
    place, size = dice.choice(list(WAV_FIELDS.items()))
    true = int.from_bytes(content[place : place + size], "little")
    most = (1 << 8 * size) - 1
    lie = dice.choice(
        [dice.getrandbits(8 * size), 0, most, min(2 * true, most), true // 2, true ^ 1]
    )
    return content[:place] + lie.to_bytes(size, "little") + content[place + size :]


def wav_head_flipped(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(44)
    return content[:place] + bytes([content[place] ^ dice.randrange(1, 256)]) + content[place + 1 :]


def wav_shortened(content: bytes, dice: random.Random) -> bytes:
    """Cut after the header, where half of a sample or a whole one may be lost."""
    return content[: 44 + dice.randrange(len(content) - 44)]


FLAC_WAYS = (
    truncated,
    flipped,
    overwritten,
    cut_out,
    empty,
    flac_header_lie,
    flac_header_lie,
    flac_head_flipped,
)
WAV_WAYS = (truncated, empty, wav_header_lie, wav_header_lie, wav_head_flipped, wav_shortened)
"""What flips samples is not among them: a WAV file has no checksum to tell."""


@pytest.mark.parametrize("convert", [False, True])
def test_damaged_files_are_read_right_or_reported(originals, tmp_path, convert):
    dice = random.Random(1)
    reported = 0
    begun = time.monotonic()
    for number in range(FILES):
        flac = number % 3 != 0
        content, sound = dice.choice(originals[0 if flac else 1])
        way = dice.choice(FLAC_WAYS if flac else WAV_WAYS)
        # Half of them under a wrong name: the content decides.
        path = tmp_path / f"damaged.{dice.choice(['flac', 'wav', 'raw', 'mp3'])}"
        path.write_bytes(way(content, dice))
        try:
            read = read_audio(path, convert=convert)
        except DamagedItem:
            reported += 1
        else:
            assert np.array_equal(read, sound), f"{number}: {way.__name__} was not noticed"
    assert reported > FILES // 2
    assert time.monotonic() - begun < 600, "some file took for ever"


@pytest.mark.parametrize("ending", ["flac", "wav", "mp3", "ogg", "raw", "aiff", "au"])
def test_wrong_endings_do_not_matter(originals, tmp_path, ending):
    for content, sound in (originals[0][0], originals[1][0]):
        path = tmp_path / f"sound.{ending}"
        path.write_bytes(content)
        np.testing.assert_array_equal(read_audio(path), sound)


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_behind_the_marks_of_many_formats(tmp_path, seed):
    """Whatever a decoder makes of them, it ends, and what it cannot use is reported."""
    dice = random.Random(seed)
    marks = (b"RIFF", b"fLaC", b"OggS", b"FORM", b".snd", b"caff", b"ID3\x03", b"\xff\xfb", b"RF64")
    for mark in marks * 10:
        path = tmp_path / "random"
        path.write_bytes(mark + dice.randbytes(dice.choice([10, 100, 5000])))
        with pytest.raises(DamagedItem):
            read_audio(path, seconds=10.0, convert=True)
