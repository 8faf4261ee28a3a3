"""One folder a speaker: every file is a sound, ignored by name, or asked about."""

import os

import numpy as np
import pytest
import soundfile

from harness.config.loader import load
from harness.data.corpora.speaker_folders import SpeakerFolders
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.corpus import COLUMNS, DamagedItem
from harness.datasets.listing import list_dataset
from harness.errors import DataError

PATHS = ("b/2.wav", "b/10.flac", "a/s2/x/1.wav", "a/s1/1.mp3", "a/0.WAV", "c d/é.ogg")


def touch(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


def items(folder, **fields):
    return SpeakerFolders(**fields).items("quick", folder)


def refused(folder, message, **fields):
    with pytest.raises(DataError, match=message):
        items(folder, **fields)


def test_every_sound_is_named_by_its_path(tmp_path):
    table = items(touch(tmp_path, *PATHS))
    assert tuple(table.columns) == (*COLUMNS, "session")
    assert table.drop(columns=["label", "seconds", "line", "split"]).to_numpy().tolist() == [
        ["a/0.WAV", "a", "a/0.WAV", ""],
        ["a/s1/1.mp3", "a", "a/s1/1.mp3", "s1"],
        ["a/s2/x/1.wav", "a", "a/s2/x/1.wav", "s2"],
        ["b/10.flac", "b", "b/10.flac", ""],
        ["b/2.wav", "b", "b/2.wav", ""],
        ["c d/é.ogg", "c d", "c d/é.ogg", ""],
    ]


def test_the_order_is_not_that_of_the_file_system(tmp_path, monkeypatch):
    table = items(touch(tmp_path / "one", *PATHS))
    listed = os.scandir

    class Backwards:
        def __init__(self, folder):
            with listed(folder) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self):
            return iter(self.entries)

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(os, "scandir", Backwards)
    assert items(tmp_path / "one").equals(table)


def test_what_is_ignored_by_name(tmp_path):
    touch(tmp_path, *PATHS, "a/s1/1.txt", "b/.hidden", "b/._2.wav", ".git/x.wav", "README", "t.txt")
    assert len(items(tmp_path)) == len(PATHS)
    assert len(items(tmp_path, ignore=("*.TXT", "s?", "2.*"))) == 3


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (
            ["a/1.xyz", "b/2.xyz", "b/README"],
            r"3 files .*2 with \.xyz, 1 with no ending.*'a/1\.xyz'",
        ),
        (["a/1.xyz"], r"add its name to `ignore`"),
        (["a/1.m4a"], r"1 with \.m4a.*ffmpeg -i in\.m4a"),
        (["d/notes.txt"], "no sound below 1 of 4 folders, the first 'd'.*`ignore`"),
        (["loose.wav"], r"loose\.wav: lies in no speaker's folder"),
        (["b/2.flac"], r"'b/2\.flac' and 'b/2\.wav' seem to be one recording in two forms"),
    ],
)
def test_what_is_asked_about(tmp_path, paths, message):
    refused(touch(tmp_path, *PATHS, *paths), message)


def test_a_folder_that_is_no_speaker_may_be_named(tmp_path):
    touch(tmp_path, *PATHS, "lists/trials.txt")
    refused(tmp_path, "'lists'")
    assert len(items(tmp_path, ignore=("lists",))) == len(PATHS)


def test_an_empty_folder(tmp_path):
    refused(tmp_path, "holds no folders; one a speaker is wanted")


def test_folders_and_files_may_be_links(tmp_path):
    touch(tmp_path / "elsewhere", "s1/1.wav", "2.wav")
    touch(tmp_path / "corpus", "b/1.wav")
    (tmp_path / "corpus/a").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "corpus/b/2.wav").symlink_to(tmp_path / "elsewhere/2.wav")
    expected = ["a/2.wav", "a/s1/1.wav", "b/1.wav", "b/2.wav"]
    assert items(tmp_path / "corpus")["id"].tolist() == expected


@pytest.mark.parametrize("target", ["corpus", "corpus/a", "corpus/a/deep"])
def test_a_link_to_a_folder_above(tmp_path, target):
    corpus = touch(tmp_path / "corpus", "a/deep/1.wav")
    (corpus / "a/deep/back").symlink_to(tmp_path / target)
    refused(corpus, "back: links to a folder above it")


def test_sessions_may_be_told_apart(tmp_path):
    touch(tmp_path, "a/s1/1.wav", "a/s2/2.wav")
    assert items(tmp_path, label="session")["label"].tolist() == ["s1", "s2"]
    refused(touch(tmp_path, "a/3.wav"), "the session of 1 of 3 utterances is unknown",
            label="session")  # fmt: skip


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "au", "caf", "w64"])
def test_every_ending_that_is_taken_is_read(tmp_path, ending):
    (tmp_path / "a").mkdir()
    time = np.arange(16000) / 16000
    soundfile.write(tmp_path / f"a/1.{ending}", 0.5 * np.sin(2 * np.pi * 440 * time), 16000)
    sound = SpeakerFolders().read(next(items(tmp_path).itertuples(index=False)), tmp_path)
    assert abs(len(sound) - 16000) < 2400  # MP3 pads
    middle = sound[4000:12000].astype(float)
    assert int(np.abs(np.fft.rfft(middle)).argmax()) == 220  # bins of 2 Hz


def test_a_file_that_is_not_what_it_is_called(tmp_path):
    folder = touch(tmp_path, "a/1.wav")
    (folder / "a/1.wav").write_bytes(b"no sound at all")
    item = next(items(folder).itertuples(index=False))
    with pytest.raises(DamagedItem, match="cannot be decoded"):
        SpeakerFolders().read(item, folder)


def test_a_real_corpus_is_what_its_manifest_says(shared_data):
    folder = shared_data / "speech" / "librispeech-mini"
    listed = SpeechManifest().items("quick", folder).set_index("source")
    table = items(folder)
    assert len(table) == len(listed) == 80
    for item in table.itertuples(index=False):
        assert item.unit == listed.loc[item.source, "unit"]
        sound = SpeakerFolders().read(item, folder)
        lasting = listed.loc[item.source, "seconds"]  # to the millisecond
        assert abs(len(sound) / 16000 - lasting) < 0.001


def test_a_dataset_in_a_benchmark_file(tmp_path, speech):
    pairs = [("c/c0.flac", "c/c1.wav", 1), ("c/c0.flac", "d/d1.wav", 0)]
    lines = [f"{enrol} {test} {target}\n" for enrol, test, target in pairs]
    (speech / "trials.txt").write_text("".join(lines))
    (tmp_path / "benchmark.toml").write_text(
        f"""
[datasets.mine]
adapter = "harness.data.corpora.speaker_folders:SpeakerFolders"
path = "{speech}"
licence = "none"
ignore = ["*.txt"]
trial_lists = {{ test = "trials.txt" }}
split = {{ seed = 0, validation = 2, test = 3 }}
trials = 100
"""
    )
    listing = list_dataset(load(tmp_path / "benchmark.toml"), "mine", "quick")
    assert listing.items["unit"].nunique() == 8
    table = listing.corpus.trials("quick", listing.folder, "test")
    assert table[["enrol", "test", "target"]].to_numpy().tolist() == [
        [enrol, test, bool(target)] for enrol, test, target in pairs
    ]
    for item in listing.items.itertuples(index=False):
        assert len(listing.corpus.read(item, listing.folder)) in (4800, 4960, 5120)
