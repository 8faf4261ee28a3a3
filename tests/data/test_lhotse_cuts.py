"""Cuts of Lhotse: whole recordings and parts of them, each of one speaker."""

import gzip
import json
import shlex
import sys

import numpy as np
import pytest
import soundfile

from harness.config.loader import load
from harness.data.corpora.lhotse_cuts import LhotseCuts
from harness.data.corpus import COLUMNS, DamagedItem
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, DataError

lhotse = pytest.importorskip("lhotse", reason="the `lhotse` extra is not installed")


def sound(folder, name="r.wav", seconds=3.0):
    """A ramp of amplitudes, so that every moment has a sound of its own."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    samples = np.arange(1, round(16000 * seconds) + 1, dtype=np.int16)
    soundfile.write(folder / name, samples, 16000, "PCM_16")
    return samples


def recording(name="r", source="r.wav", kind="file", channels=(0,), **fields):
    sources = [lhotse.audio.AudioSource(kind, list(channels), source)]
    return lhotse.Recording(name, sources, 16000, 48000, 3.0, channel_ids=list(channels), **fields)


def supervision(speaker="a", **fields):
    return lhotse.SupervisionSegment("s", "r", 0.0, 3.0, speaker=speaker, **fields)


def cut(name="u1", start=0.0, duration=3.0, channel=0, of=None, told=None):
    told = [supervision()] if told is None else told
    of = of or recording()
    return lhotse.MonoCut(name, start, duration, channel, supervisions=told, recording=of)


def write(folder, *cuts, name="cuts.jsonl.gz"):
    lhotse.CutSet.from_cuts(cuts).to_file(folder / name)
    return folder


def items(folder, **fields):
    return LhotseCuts(**fields).items("quick", folder)


def refused(folder, message, **fields):
    with pytest.raises(DataError, match=message):
        items(folder, **fields)


def read(folder, table, **fields):
    return [LhotseCuts(**fields).read(item, folder) for item in table.itertuples(index=False)]


def test_whole_recordings_and_parts(tmp_path):
    samples = sound(tmp_path)
    write(tmp_path, cut("u2", 0.5, 1.25), cut("u3", told=[supervision("b")]), cut("u1", 2.0, 1.0))
    table = items(tmp_path)
    assert tuple(table.columns) == COLUMNS
    assert table.to_numpy().tolist() == [
        ["u1", "a", "a", 1.0, "r.wav#2.000000-3.000000", 3, ""],
        ["u2", "a", "a", 1.25, "r.wav#0.500000-1.750000", 1, ""],
        ["u3", "b", "b", 3.0, "r.wav", 2, ""],
    ]
    first, second, third = read(tmp_path, table)
    np.testing.assert_array_equal(first, samples[32000:])
    np.testing.assert_array_equal(second, samples[8000:28000])
    np.testing.assert_array_equal(third, samples)


def test_the_same_samples_as_the_library_reads(tmp_path):
    sound(tmp_path)
    own = cut("u1", 0.123, 1.7)
    theirs = own.with_recording_path_prefix(str(tmp_path)).load_audio()[0]
    ours = read(tmp_path, items(write(tmp_path, own)))[0]
    np.testing.assert_array_equal(ours, np.rint(theirs * 32768).astype(np.int16))


@pytest.mark.parametrize("name", ["cuts.jsonl", "cuts.jsonl.gz"])
def test_plain_and_packed(tmp_path, name):
    write(tmp_path, cut(), name=name)
    assert items(tmp_path, file=name)["id"].tolist() == ["u1"]


def test_what_supervisions_tell(tmp_path):
    told = supervision(
        gender="F", language="en", text="hello", custom={"accent": "-", "session": "x", "snr": 3.5}
    )
    table = items(write(tmp_path, cut(told=[told]), cut("u2")))
    assert tuple(table.columns) == (*COLUMNS, "gender", "language", "text", "accent", "session")
    assert table.iloc[:, len(COLUMNS) :].to_numpy().tolist() == [
        ["F", "en", "hello", "", "x"],
        ["", "", "", "", ""],
    ]
    assert items(write(tmp_path, cut(told=[told])), label="language")["label"].tolist() == ["en"]


def test_a_file_for_each_split(tmp_path):
    for name, speaker in (("train", "a"), ("dev", "b"), ("eval", "c")):
        write(tmp_path, cut(name, told=[supervision(speaker)]), name=f"{name}.jsonl")
    names = {"train": "train.jsonl", "validation": "dev.jsonl", "test": "eval.jsonl"}
    assert items(tmp_path, **names)["split"].tolist() == ["train", "validation", "test"]
    del names["validation"]
    assert items(tmp_path, **names)["split"].tolist() == ["", "test"]
    with pytest.raises(ConfigError, match="give `train` alone"):
        items(tmp_path, test="eval.jsonl")


def bare():
    return lhotse.MonoCut("u1", 0.0, 3.0, 0, supervisions=[supervision()])


def mixed(folder):
    return cut("u1").mix(cut("u2"), offset_other_by=0.5)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda _: cut(told=[]), "line 1: 'u1' has no speaker.*trim_to_supervisions"),
        (lambda _: cut(told=[supervision(None)]), "'u1' has no speaker"),
        (lambda _: cut(told=[supervision("a"), supervision("b")]), "has the speakers a, b"),
        (lambda _: cut(of=recording(source="/x/r.wav")), "line 1: '/x/r.wav' leaves"),
        (lambda _: cut(of=recording(source="../r.wav")), "line 1: '../r.wav' leaves"),
        (lambda _: cut(of=recording(kind="url", source="https://example.org/r.wav")), "not url"),
        (lambda _: cut(channel=1, of=recording(channels=(0, 1))), "is channel 1 of 2"),
        (lambda _: cut().perturb_speed(1.1), "is to be transformed.*save_audios"),
        (mixed, "is no cut of one recording.*save_audios"),
        (lambda _: bare(), "is no cut of one recording"),
        (lambda _: cut(of=recording(kind="command", source="cat r.wav")), "allow_commands = true"),
    ],
)
def test_a_cut_that_is_no_utterance(tmp_path, made, message):
    refused(write(tmp_path, made(tmp_path)), message)


def test_an_id_that_comes_twice(tmp_path):
    lines = [json.dumps(cut().to_dict()), json.dumps(cut().to_dict())]
    (tmp_path / "cuts.jsonl").write_text("\n".join(lines))
    refused(tmp_path, "1 utterances have the id of another: 'u1'", file="cuts.jsonl")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "lists no cut"),
        (b"\n{", "line 2: no JSON"),
        (b"[1]", "line 1: no cut of Lhotse|line 1: a .*no cut"),
        (b'{"type": "MonoCut"}', "line 1: no cut of Lhotse"),
        (b'{"type": "Other"}', "line 1: no cut of Lhotse.*Other"),
        (json.dumps(recording().to_dict()).encode(), "line 1: a Recording, and no cut"),
        (json.dumps(supervision().to_dict()).encode(), "line 1: a SupervisionSegment, and no cut"),
        (b"\xff\n", "is not UTF-8 text"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "broken gzip file"),
    ],
)
def test_a_file_that_is_none(tmp_path, content, message):
    (tmp_path / "cuts.jsonl.gz").write_bytes(content)
    refused(tmp_path, message)


def test_an_absent_file(tmp_path):
    refused(tmp_path, r"cuts\.jsonl\.gz: no such file of cuts")


def test_a_path_outside_where_it_is_allowed(tmp_path):
    samples = sound(tmp_path / "elsewhere")
    (tmp_path / "own").mkdir()
    write(tmp_path / "own", cut(of=recording(source=f"{tmp_path}/elsewhere/r.wav")))
    table = items(tmp_path / "own", allow_outside=True)
    np.testing.assert_array_equal(read(tmp_path / "own", table)[0], samples)


def test_a_command_where_it_is_allowed(tmp_path):
    samples = sound(tmp_path)
    code = "import sys; sys.stdout.buffer.write(open('r.wav', 'rb').read())"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    of = recording(kind="command", source=command)
    table = items(write(tmp_path, cut(start=1.0, duration=0.5, of=of)), allow_commands=True)
    sounds = read(tmp_path, table, allow_commands=True)
    np.testing.assert_array_equal(sounds[0], samples[16000:24000])


def test_a_recording_that_is_shorter_than_its_cut_is_damage(tmp_path):
    sound(tmp_path, seconds=2.0)
    table = items(write(tmp_path, cut("u1"), cut("u2", 1.5, 1.0)))
    for item in table.itertuples(index=False):
        with pytest.raises(DamagedItem, match=r"lasts 2\.00 s"):
            LhotseCuts().read(item, tmp_path)


def test_the_library_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lhotse.serialization", None)
    with pytest.raises(ConfigError, match=r"library `lhotse`, .*pip install trialboard\[lhotse\]"):
        items(tmp_path)


def test_a_dataset_in_a_benchmark_file(tmp_path):
    samples = sound(tmp_path / "own")
    cuts = [cut(f"{name}{n}", n, 1.0, told=[supervision(name)])
            for name in "abcdefgh" for n in range(3)]  # fmt: skip
    write(tmp_path / "own", *cuts)
    (tmp_path / "benchmark.toml").write_text(
        f"""
[datasets.mine]
adapter = "harness.data.corpora.lhotse_cuts:LhotseCuts"
path = "{tmp_path}/own"
licence = "none"
split = {{ seed = 0, validation = 2, test = 3 }}
trials = 100
"""
    )
    listing = list_dataset(load(tmp_path / "benchmark.toml"), "mine", "quick")
    assert listing.items["unit"].nunique() == 8
    sounds = read(listing.folder, listing.items)
    for number, each in enumerate(sounds):
        start = 16000 * (number % 3)
        np.testing.assert_array_equal(each, samples[start : start + 16000])
