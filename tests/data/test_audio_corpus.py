"""The base class of audio corpora: what all readers have in common, and what keys rest on."""

from dataclasses import dataclass, fields

import numpy as np
import pytest
import soundfile

from harness.data.corpora.cnceleb import CnCeleb
from harness.data.corpora.huggingface import HuggingFaceFolder
from harness.data.corpora.kaldi import KaldiFolder
from harness.data.corpora.lhotse_cuts import LhotseCuts
from harness.data.corpora.speaker_folders import SpeakerFolders
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.corpora.voxceleb import VoxCeleb
from harness.data.corpus import DamagedItem
from harness.data.reading.audio_corpus import AudioCorpus, SpeechCorpus
from harness.data.reading.item_table import ListedUtterance

LAYOUTS = [HuggingFaceFolder, KaldiFolder, LhotseCuts, SpeakerFolders, SpeechManifest]


@dataclass(frozen=True, kw_only=True)
class FlatFolder(SpeechCorpus):
    """A layout of one's own: `SPEAKER_NUMBER.wav` in one folder."""

    def entries(self, folder):
        for path in folder.glob("*.wav"):
            speaker, _, number = path.stem.partition("_")
            yield ListedUtterance(path.stem, speaker, path.name, further={"take": number})


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, rate in (("b_1", 16_000), ("a_2", 16_000), ("a_1", 8_000)):
        soundfile.write(tmp_path / f"{name}.wav", rng.normal(scale=0.1, size=1600), rate, "PCM_16")
    return tmp_path


def test_all_readers_of_recordings_are_audio_corpora():
    for reader in (*LAYOUTS, CnCeleb, VoxCeleb):
        assert issubclass(reader, AudioCorpus)
        assert (reader.kind, reader.unit, reader.needs_folder) == ("audio", "speaker", True)


@pytest.mark.parametrize("reader", LAYOUTS)
def test_no_layout_converts_unless_asked_to(reader):
    assert {each.name: each.default for each in fields(reader)}["convert"] is False


def test_keys_of_packs_hold_the_same_text_as_ever():
    assert repr(SpeechManifest(label="word")) == (
        "SpeechManifest(trial_lists={}, enrolment={}, label='word', file='manifest.tsv', "
        "columns={}, convert=False, allow_outside=False)"
    )
    assert repr(CnCeleb()) == "CnCeleb(enrolment='average', train='1+2')"


def test_a_layout_of_ones_own_has_entries_alone(folder):
    items = FlatFolder().items("full", folder)
    assert list(items["id"]) == ["a_1", "a_2", "b_1"]
    assert list(items["label"]) == list(items["unit"]) == ["a", "a", "b"]
    assert list(FlatFolder(label="take").items("full", folder)["label"]) == ["1", "2", "1"]
    assert FlatFolder().trials("full", folder, "test") is None
    assert FlatFolder().models("full", folder, "test") is None
    rows = list(items.itertuples(index=False))
    assert len(FlatFolder().read(rows[1], folder)) == 1600
    with pytest.raises(DamagedItem, match="8000 Hz"):
        FlatFolder().read(rows[0], folder)
    assert len(FlatFolder(convert=True).read(rows[0], folder)) == 3200
