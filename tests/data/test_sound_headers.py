"""Truncated files of formats of which a decoder reads what there is."""

from io import BytesIO

import numpy as np
import pytest
import soundfile

from harness.data.audio import read_audio
from harness.data.corpus import DamagedItem

SAMPLES = np.rint(np.random.default_rng(0).normal(scale=3000, size=1001)).astype(np.int16)
UNKNOWN = b"\xff" * 4
FORMS = ["AIFF", "AU", "CAF", "W64", "NIST"]


def written(form, subtype="PCM_16", channels=1):
    content = BytesIO()
    sound = np.stack([SAMPLES] * channels, axis=1)
    soundfile.write(content, sound, 16_000, subtype=subtype, format=form)
    return content.getvalue()


def read(content):
    return read_audio(BytesIO(content), convert=True)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("subtype", "channels"), [("PCM_16", 1), ("PCM_24", 1), ("PCM_16", 2)])
def test_a_whole_file_is_read_and_a_shorter_one_is_not(form, subtype, channels):
    whole = written(form, subtype, channels)
    np.testing.assert_array_equal(read(whole), SAMPLES)
    for length in range(0, len(whole) - 10, 37):
        with pytest.raises(DamagedItem):
            read(whole[:length])


@pytest.mark.parametrize("form", ["AIFF", "AU", "W64", "NIST"])
def test_how_much_is_missing_is_told(form):
    with pytest.raises(DamagedItem, match=r"is truncated: 500 of the \d,\d{3} bytes that it"):
        read(written(form)[:-500])


def test_a_size_that_was_never_filled_in():
    content = written("AU")
    np.testing.assert_array_equal(read(content[:8] + UNKNOWN + content[12:]), SAMPLES)
