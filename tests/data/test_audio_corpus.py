"""The base class of audio corpora: what all readers have in common, and what keys rest on."""

from dataclasses import fields

import numpy as np
import pytest
import soundfile

from harness.config.imports import construct
from harness.data.corpora.cnceleb import CnCeleb
from harness.data.corpora.huggingface import HuggingFaceFolder
from harness.data.corpora.kaldi import KaldiFolder
from harness.data.corpora.lhotse_cuts import LhotseCuts
from harness.data.corpora.speaker_folders import SpeakerFolders
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.corpora.voxceleb import VoxCeleb
from harness.data.corpus import DamagedItem
from harness.data.reading.audio_corpus import AudioCorpus
from tests.places import ROOT

LAYOUTS = [HuggingFaceFolder, KaldiFolder, LhotseCuts, SpeakerFolders, SpeechManifest]


@pytest.fixture
def folder(tmp_path):
    tmp_path = tmp_path / "mine"
    tmp_path.mkdir()
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


def test_the_layout_of_the_documentation_works(folder, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "corpora.md").read_text()
    (tmp_path / "flat_folder.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    monkeypatch.syspath_prepend(str(tmp_path))

    def flat(**given):
        return construct("flat_folder:FlatFolder", given, "datasets.mine")

    items = flat().items("full", folder)
    assert list(items["id"]) == ["a_1", "a_2", "b_1"]
    assert list(items["label"]) == list(items["unit"]) == ["a", "a", "b"]
    assert list(flat(label="take").items("full", folder)["label"]) == ["1", "2", "1"]
    assert flat().trials("full", folder, "test") is None
    assert flat().models("full", folder, "test") is None
    rows = list(items.itertuples(index=False))
    assert len(flat().read(rows[1], folder)) == 1600
    with pytest.raises(DamagedItem, match="8000 Hz"):
        flat().read(rows[0], folder)
    assert len(flat(convert=True).read(rows[0], folder)) == 3200
