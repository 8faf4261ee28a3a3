"""Noises and rooms: found in their layouts or made from seeds, packed, known by content."""

import numpy as np
import pytest
import soundfile

from harness.config.recipe_tables import Augment
from harness.data.corpus import COLUMNS, SAMPLE_RATE, DamagedItem
from harness.errors import ConfigError, CorpusAbsent, DataError
from harness.feeding.libraries import library_sources
from harness.feeding.sound_readers import (
    DIRECT,
    TAPS,
    EmbeddedNoise,
    NoiseFolder,
    RoomFolder,
    SimulatedRooms,
    align_response,
)

MUSAN = ("noise/free-sound/n0.wav", "speech/librivox/s0.wav", "music/fma/m0.wav", "other.flac")


def write(path, samples, rate=SAMPLE_RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")


@pytest.fixture
def musan(tmp_path):
    """A folder in MUSAN's layout, with one file beside it."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(MUSAN):
        write(tmp_path / "musan" / name, rng.normal(0, 0.1, 8000 + 1000 * number))
    (tmp_path / "musan" / "noise" / "README").write_text("not a sound")
    return tmp_path / "musan"


@pytest.fixture
def rirs(tmp_path):
    """A folder in RIRS_NOISES' layout."""
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(4000) / 600)
    for name in ("simulated_rirs/smallroom/Room001/Room001-00001.wav", "real/air_room.wav"):
        response = 0.05 * rng.normal(size=4000) * decay
        response[100] = 0.9
        write(tmp_path / "rirs" / name, response)
    write(tmp_path / "rirs" / "pointsource_noises" / "bell.wav", rng.normal(0, 0.1, 4000))
    write(tmp_path / "rirs" / "real" / "RVB2014_type1_noise_room1_1.wav", rng.normal(0, 0.1, 4000))
    return tmp_path / "rirs"


def opened(tmp_path, **augment):
    found = library_sources(Augment(**augment), tmp_path, tmp_path / "cache")
    return {use: shelf.open() for use, shelf in found.items()}


def test_a_file_is_of_the_kind_of_the_nearest_folder(musan):
    items = NoiseFolder().items("full", musan)
    assert tuple(items.columns) == COLUMNS
    assert dict(zip(items["id"], items["label"], strict=True)) == {
        MUSAN[0]: "noise", MUSAN[1]: "speech", MUSAN[2]: "music", MUSAN[3]: "noise",
    }  # fmt: skip


def test_a_folder_is_packed_and_its_kinds_are_drawn(tmp_path, musan):
    library = opened(tmp_path, noise={"source": "musan"})["noise"]
    assert [library.pack.length(row) for row in range(4)] == [10000, 8000, 11000, 9000]
    assert list(library.labels) == ["music", "noise", "noise", "speech"]
    speech = library.of(("speech",))
    assert {speech.pick(place) for place in (0.0, 0.5, 0.999)} == {3}
    both = library.of(("noise", "music"))
    assert {both.pick(place) for place in np.linspace(0, 0.999, 30)} == {0, 1, 2}


def test_kinds_that_are_not_there(tmp_path):
    library = opened(tmp_path, noise={})["noise"]
    with pytest.raises(ConfigError, match="no speech or music; there is noise"):
        library.of(("speech", "music"))


def test_noises_of_other_rates_are_converted(tmp_path):
    write(tmp_path / "n" / "a.wav", np.random.default_rng(0).normal(0, 0.1, (4000, 2)), 8000)
    assert opened(tmp_path, noise={"source": "n"})["noise"].pack.length(0) == 8000


def test_the_content_tells_whether_sound_changed(tmp_path, musan):
    shelf = library_sources(Augment(noise={"source": "musan"}), tmp_path, tmp_path / "cache")[
        "noise"
    ]
    assert shelf.content() == ""
    before = shelf.open().pack.content
    assert shelf.content() == before == shelf.open().pack.content
    write(musan / MUSAN[0], np.random.default_rng(9).normal(0, 0.1, 8000))
    assert shelf.open().pack.content != before


@pytest.mark.parametrize(("use", "name"), [("noise", "MUSAN"), ("reverb", "RIRS_NOISES")])
def test_a_folder_that_is_not_here(tmp_path, use, name):
    with pytest.raises(CorpusAbsent) as caught:
        library_sources(Augment(**{use: {"source": "no/such"}}), tmp_path, tmp_path)
    message = str(caught.value)
    assert f"augment.{use}: no/such is not on this machine" in message
    assert str(tmp_path / "no/such") in message
    assert name in message


def test_a_folder_without_sound(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no sound files"):
        opened(tmp_path, noise={"source": "empty"})


@pytest.mark.parametrize("use", ["noise", "reverb"])
def test_damaged_files_are_all_named(tmp_path, use):
    for name in ("a.wav", "b.wav"):
        write(tmp_path / "sounds" / name, np.zeros(100))
    write(tmp_path / "sounds" / "c.wav", np.ones(100) / 2)
    with pytest.raises(DataError) as caught:
        opened(tmp_path, **{use: {"source": "sounds"}})
    for part in ("2 of 3 files", "a.wav", "b.wav", f"augment.{use}"):
        assert part in str(caught.value)


def test_notes_and_other_scales_of_noises_are_told(tmp_path):
    sound = np.random.default_rng(0).normal(0, 0.1, 4000)
    (tmp_path / "n").mkdir()
    sound[7] = 1.3
    soundfile.write(tmp_path / "n" / "a.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    shelf = library_sources(Augment(noise={"source": "n"}), tmp_path, tmp_path / "cache")["noise"]
    told = []
    shelf.open(told.append)
    assert told == [
        "augment.noise: 1 of 1 items were read with a note, the first a.wav: 1 of 4,000 samples "
        "were clipped, up to 2.3 dB above full scale"
    ]
    soundfile.write(tmp_path / "n" / "b.wav", sound * 32768, SAMPLE_RATE, subtype="FLOAT")
    with pytest.raises(DataError, match=r"b\.wav: has samples up to .* on the 16-bit scale"):
        shelf.open()


def test_a_room_is_the_same_on_any_scale_and_its_file_is_looked_at(tmp_path):
    sound = np.random.default_rng(0).normal(0, 0.1, (400, 2))
    sound[30] = 0.9
    room, files = RoomFolder(), tmp_path / "rooms"
    files.mkdir()
    for name, scale in (("a", 1.0), ("b", 32768.0)):
        soundfile.write(files / f"{name}.wav", sound * scale, 8000, subtype="DOUBLE")
    items = list(room.items("full", files).itertuples(index=False))
    one, other = (room.read(item, files) for item in items)
    np.testing.assert_array_equal(one, other)
    content = (files / "a.wav").read_bytes()
    (files / "a.wav").write_bytes(content[: len(content) // 2])
    with pytest.raises(DamagedItem, match="is truncated"):
        room.read(items[0], files)


def test_rooms_are_told_from_noises(rirs):
    ids = list(RoomFolder().items("full", rirs)["id"])
    assert ids == ["real/air_room.wav", "simulated_rirs/smallroom/Room001/Room001-00001.wav"]


def test_responses_are_aligned_at_the_straight_path(tmp_path, rirs):
    pack = opened(tmp_path, reverb={"source": "rirs"})["reverb"].pack
    for row in range(2):
        response = pack.item(row)
        assert np.abs(response).argmax() == DIRECT
        assert response[DIRECT] == 32767
        assert len(response) == 4000 - 100 + DIRECT


def test_a_response_of_several_microphones_is_the_firsts(tmp_path):
    first = np.zeros(500)
    first[3] = 0.5
    write(tmp_path / "r" / "a.wav", np.stack([first, np.roll(first, 200)], axis=1))
    response = opened(tmp_path, reverb={"source": "r"})["reverb"].pack.item(0)
    assert np.flatnonzero(np.abs(response) > 300).tolist() == [DIRECT]


def test_a_response_is_cut_after_half_a_second():
    response = np.ones(20_000) / 2
    response[5000] = -1.0
    made = align_response(response)
    assert len(made) == TAPS
    assert made[DIRECT] == -32767


def test_embedded_noises_differ_and_are_always_the_same(tmp_path):
    corpus = EmbeddedNoise(count=3, length=1.0)
    items = list(corpus.items("full", tmp_path).itertuples(index=False))
    made = [corpus.read(item, tmp_path) for item in items]
    assert all(len(sound) == SAMPLE_RATE and np.abs(sound).max() == 32767 for sound in made)
    assert np.array_equal(made[0], corpus.read(items[0], tmp_path))
    assert not np.array_equal(made[0], made[1])
    for sound in made:
        power = np.square(np.abs(np.fft.rfft(sound.astype(float))))
        assert power[50:1000].mean() > 3 * power[4000:].mean(), "most of it is low"


def test_simulated_rooms_decay(tmp_path):
    corpus = SimulatedRooms(count=8)
    made = [corpus.read(item, tmp_path) for item in corpus.items("full", tmp_path).itertuples()]
    assert len({sound.tobytes() for sound in made}) == 8
    for response in made:
        assert np.abs(response).argmax() == DIRECT
        assert not response[:DIRECT].any()
        energy = np.square(response[DIRECT + 1 :].astype(float))
        quarter = len(energy) // 4
        assert energy[:quarter].mean() > 30 * energy[-quarter:].mean()
        assert energy[: round(0.04 * SAMPLE_RATE)].max() > 0
