"""Kaldi data folders: what they hold, what is refused of them, and the sounds they name."""

import shlex
import struct
import sys
import time

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harness.config.loader import load
from harness.data.corpora.kaldi import KaldiFolder, read_named
from harness.data.corpus import COLUMNS, DamagedItem
from harness.data.reading.sources import command_output, part, read_source
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, DataError

SCP = ["b1 wav/b1.wav", "a2 wav/a2.flac", "a1 wav/a1.wav"]
SPK = ["b1 b", "a2 a", "a1 a"]


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in {"wav_scp": SCP, "utt2spk": SPK, **files}.items():
        (folder / name.replace("_", ".")).write_text("".join(f"{line}\n" for line in lines))
    return folder


def items(folder, **fields):
    return KaldiFolder(**fields).items("quick", folder)


def refused(folder, message, **fields):
    with pytest.raises(DataError, match=message):
        items(folder, **fields)


def rows(table):
    return list(table.itertuples(index=False))


def tone(folder, name="long.wav", rate=16000, seconds=3.0):
    """A ramp of amplitudes, so that every moment has a sound of its own."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    samples = np.arange(1, round(rate * seconds) + 1, dtype=np.int16)
    soundfile.write(folder / name, samples, rate, "PCM_16")
    return samples


def test_utterances_sorted_by_speaker_and_id(tmp_path):
    table = items(write(tmp_path))
    assert tuple(table.columns) == COLUMNS
    assert table.to_numpy().tolist() == [
        ["a1", "a", "a", 0.0, "wav/a1.wav", 3, ""],
        ["a2", "a", "a", 0.0, "wav/a2.flac", 2, ""],
        ["b1", "b", "b", 0.0, "wav/b1.wav", 1, ""],
    ]


def test_gender_durations_and_further_files(tmp_path):
    write(
        tmp_path,
        spk2gender=["a f", "b m"],
        utt2dur=["a1 1.52", "b1 2"],
        utt2session=["a1 s1", "a2 -"],
        spk2nationality=["b New Zealand"],
    )
    table = items(tmp_path, columns={"session": "utt2session", "nationality": "spk2nationality"})
    assert table["seconds"].tolist() == [1.52, 0.0, 2.0]
    assert table["gender"].tolist() == ["f", "f", "m"]
    assert table["session"].tolist() == ["s1", "", ""]
    assert table["nationality"].tolist() == ["", "", "New Zealand"]


def test_another_column_is_told_apart(tmp_path):
    write(tmp_path, utt2lang=["a1 en", "a2 en", "b1 cs"])
    table = items(tmp_path, label="language", columns={"language": "utt2lang"})
    assert table["label"].tolist() == ["en", "en", "cs"]
    assert table["unit"].tolist() == ["a", "a", "b"]
    refused(tmp_path, "no column 'lang' to tell apart; did you mean 'language'", label="lang",
            columns={"language": "utt2lang"})  # fmt: skip
    write(tmp_path, utt2lang=["a1 en", "b1 cs"])
    refused(tmp_path, "the language of 1 of 3 utterances is unknown, the first 'a2'",
            label="language", columns={"language": "utt2lang"})  # fmt: skip


def test_further_columns_come_from_files_of_utterances_or_speakers(tmp_path):
    with pytest.raises(ConfigError, match=r"columns\.text: 'text' is no file whose name begins"):
        items(write(tmp_path, text=["a1 HELLO"]), columns={"text": "text"})


def test_segments_are_parts_of_recordings(tmp_path):
    write(
        tmp_path,
        wav_scp=["call wav/call.wav", "other /x/other.wav"],
        utt2spk=["u1 a", "u2 b"],
        segments=["u1 call 0.50 1.25", "u2 call 2 -1"],
    )
    refused(tmp_path, "line 2: '/x/other.wav' leaves the corpus's folder; `allow_outside = true`")
    table = items(tmp_path, allow_outside=True)
    assert table["source"].tolist() == [
        "wav/call.wav#0.500000-1.250000",
        "wav/call.wav#2.000000-end",
    ]
    assert table["seconds"].tolist() == [0.75, 0.0]
    samples = tone(tmp_path, "wav/call.wav")
    first, second = (KaldiFolder().read(item, tmp_path) for item in rows(table))
    np.testing.assert_array_equal(first, samples[8000:20000])
    np.testing.assert_array_equal(second, samples[32000:])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("u1 calls 0 1", "segments: line 1: .*has no recording 'calls'"),
        ("u1 call 1 0.5", "line 1: ends at 0.5 s, not after its start at 1 s"),
        ("u1 call 1 1", "line 1: ends at 1 s, not after"),
        ("u1 call -1 1", "line 1: starts at -1 s"),
        ("u1 call -1 -1", "line 1: starts at -1 s"),
        ("u1 call 0 x", "line 1: 'x' is no time"),
        ("u1 call 0 inf", "line 1: 'inf' is no time"),
        ("u1 call 0", "line 1: 'call 0' is not 'recording start end'"),
        ("u1 call 0 1 A", "line 1: .*a channel of a recording is not read here"),
        ("u1", "line 1: says nothing of 'u1'"),
    ],
)
def test_a_segment_that_is_none(tmp_path, line, message):
    write(tmp_path, wav_scp=["call wav/call.wav"], utt2spk=["u1 a"], segments=[line])
    refused(tmp_path, message)


def test_a_segment_beyond_its_recording_is_damage(tmp_path):
    tone(tmp_path, "long.wav")
    write(
        tmp_path, wav_scp=["r long.wav"], utt2spk=["u1 a", "u2 a"],
        segments=["u1 r 2 4", "u2 r 3.5 -1"],
    )  # fmt: skip
    for item in rows(items(tmp_path)):
        with pytest.raises(DamagedItem, match=r"lasts 3\.00 s"):
            KaldiFolder().read(item, tmp_path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"utt2spk": SPK[:1]}, "2 of 3 utterances have no speaker: a1; a2"),
        ({"wav_scp": SCP[:2]}, "1 of 3 utterances have no sound: a1; .*fix_data_dir"),
        ({"wav_scp": [*SCP, "a1 x.wav"]}, r"wav\.scp: line 4: 'a1' stands in line 3 too"),
        ({"utt2spk": [*SPK, "b1 a"]}, "utt2spk: line 4: 'b1' stands in line 1 too"),
        ({"wav_scp": [*SCP, "c1"]}, r"wav\.scp: line 4: says nothing of 'c1'"),
        ({"wav_scp": ["a1 x.ark:1234", *SCP[:2]]}, "line 1: .*Kaldi archive"),
        ({"wav_scp": ["a1 ../x.wav", *SCP[:2]]}, "line 1: '../x.wav' leaves"),
        ({"utt2dur": ["a1 long"]}, "utt2dur: line 1: 'long' is no time"),
        ({"utt2spk": []}, "utt2spk: is empty"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path, files, message):
    refused(write(tmp_path, **files), message)


@pytest.mark.parametrize("name", ["wav.scp", "utt2spk"])
def test_a_file_that_is_absent(tmp_path, name):
    (write(tmp_path) / name).unlink()
    refused(tmp_path, f"{name}: cannot be read")


def test_not_utf8(tmp_path):
    (write(tmp_path) / "utt2spk").write_bytes(b"a1 a\nb1 \xff\n")
    refused(tmp_path, "utt2spk: line 2 is not UTF-8 text")


def split_folders(folder):
    write(folder / "data/dev", wav_scp=["a1 wav/a1.wav"], utt2spk=["a1 a"])
    write(folder / "data/val", wav_scp=["v1 wav/v1.wav"], utt2spk=["v1 v"])
    write(folder / "data/eval", wav_scp=["e1 wav/e1.wav"], utt2spk=["e1 e"])


def test_a_folder_for_each_split(tmp_path):
    split_folders(tmp_path)
    table = items(tmp_path, train="data/dev", validation="data/val", test="data/eval")
    assert dict(zip(table["id"], table["split"], strict=True)) == {
        "a1": "train", "v1": "validation", "e1": "test",
    }  # fmt: skip
    assert table["source"].tolist() == ["wav/a1.wav", "wav/e1.wav", "wav/v1.wav"]


def test_training_speakers_are_held_out_where_no_folder_validates(tmp_path):
    split_folders(tmp_path)
    table = items(tmp_path, train="data/dev", test="data/eval")
    assert dict(zip(table["id"], table["split"], strict=True)) == {"a1": "", "e1": "test"}


@pytest.mark.parametrize(
    "fields",
    [{"test": "x"}, {"validation": "x"}, {"train": "x", "validation": "y"},
     {"validation": "x", "test": "y"}, {"train": "x", "test": "x"}],
)  # fmt: skip
def test_splits_that_are_none(tmp_path, fields):
    with pytest.raises(ConfigError, match=r"give `train` alone|parts of their own"):
        items(tmp_path, **fields)


def test_an_utterance_of_two_folders(tmp_path):
    write(tmp_path / "one")
    write(tmp_path / "two")
    refused(tmp_path, "3 utterances have the id of another: 'a1' is both", train="one", test="two")


def piped(code):
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def copying(name):
    return piped(f"import sys; sys.stdout.buffer.write(open({name!r}, 'rb').read())")


def test_a_command_is_refused_unless_it_is_allowed(tmp_path):
    write(tmp_path, wav_scp=["a1 touch ran; cat x.wav |", *SCP[:2]])
    refused(tmp_path, "line 1: 'touch ran; cat x.wav' is a command.*allow_commands = true")
    items(tmp_path, allow_commands=True)
    assert not (tmp_path / "ran").exists()


def test_a_command_runs_in_the_folder_and_its_output_is_the_sound(tmp_path):
    samples = tone(tmp_path)
    write(tmp_path, wav_scp=[f"r {copying('long.wav')} |"], utt2spk=["r a"])
    corpus = KaldiFolder(allow_commands=True)
    item = rows(corpus.items("quick", tmp_path))[0]
    np.testing.assert_array_equal(corpus.read(item, tmp_path), samples)
    with pytest.raises(DamagedItem, match="no such file"):
        KaldiFolder().read(item, tmp_path)


def test_a_part_of_what_a_command_writes(tmp_path):
    samples = tone(tmp_path)
    write(tmp_path, wav_scp=[f"r {copying('long.wav')} |"], utt2spk=["u a"], segments=["u r 1 1.5"])
    corpus = KaldiFolder(allow_commands=True)
    sound = corpus.read(rows(corpus.items("quick", tmp_path))[0], tmp_path)
    np.testing.assert_array_equal(sound, samples[16000:24000])


@pytest.mark.parametrize("size", [0x7FFFF000, 0xFFFFFFFF])
def test_a_wave_that_did_not_know_its_length_when_it_was_piped(tmp_path, size):
    samples = tone(tmp_path)
    content = bytearray((tmp_path / "long.wav").read_bytes())
    content[40:44] = struct.pack("<I", size)
    content[4:8] = struct.pack("<I", min(size + 36, 0xFFFFFFFF))
    (tmp_path / "piped.wav").write_bytes(content)
    source = f"{copying('piped.wav')} |"
    sound = read_source(source, tmp_path, allow_commands=True)
    np.testing.assert_array_equal(sound, samples)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit('x' * 1000 + ' broken pipe')", "ends with 1: x{2,289} broken pipe$"),
        ("pass", "empty"),
        ("print('hello')", "cannot be decoded"),
    ],
)
def test_a_command_that_fails(tmp_path, code, message):
    with pytest.raises(DamagedItem, match=message):
        read_source(f"{piped(code)} |", tmp_path, allow_commands=True)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    command = "(sleep 1; touch outlived) & sleep 1; touch outlived"
    with pytest.raises(DamagedItem, match=r"longer than 0\.1 s"):
        command_output(command, tmp_path, seconds=0.1)
    time.sleep(1.2)
    assert not (tmp_path / "outlived").exists()


def test_other_rates_are_converted_if_asked_for(tmp_path):
    time_s = np.arange(16000) / 8000
    sine = np.rint(8000 * np.sin(2 * np.pi * 300 * time_s)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sine, 8000)
    write(tmp_path, wav_scp=["a1 a.wav"], utt2spk=["a1 a"])
    item = rows(items(tmp_path))[0]
    assert len(KaldiFolder(convert=True).read(item, tmp_path)) == 32000
    with pytest.raises(DamagedItem, match="8000 Hz"):
        KaldiFolder().read(item, tmp_path)


def test_a_file_that_is_called_like_a_part(tmp_path):
    whole = tone(tmp_path, "a.wav")
    (tmp_path / "a.wav").rename(tmp_path / "a.wav#0.500000-1.000000")
    np.testing.assert_array_equal(read_source("a.wav#0.500000-1.000000", tmp_path), whole)


@given(st.floats(0, 1e5), st.one_of(st.none(), st.floats(0, 1e5)))
def test_a_part_says_where_it_is_to_the_microsecond(start, end):
    name, _, times = part("x#y", start, end).rpartition("#")
    first, _, last = times.partition("-")
    assert name == "x#y"
    assert abs(float(first) - start) <= 1e-6
    assert last == "end" if end is None else abs(float(last) - end) <= 1e-6


NAME = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Z")), min_size=1, max_size=6)


@given(st.dictionaries(NAME, NAME, min_size=1, max_size=8))
def test_whatever_is_written_is_read(tmp_path_factory, named):
    path = tmp_path_factory.mktemp("any") / "utt2spk"
    text = "".join(f"{name} \t {value} \r\n" for name, value in named.items())
    path.write_bytes(text.encode())
    assert {name: found.text for name, found in read_named(path).items()} == named


def test_a_dataset_in_a_benchmark_file(tmp_path, speech):
    files = sorted(path for path in speech.rglob("*") if path.suffix in (".wav", ".flac"))
    write(
        speech,
        wav_scp=[f"{path.stem} {path}" for path in files],
        utt2spk=[f"{path.stem} {path.parent.name}" for path in files],
    )
    (tmp_path / "benchmark.toml").write_text(
        f"""
[datasets.mine]
adapter = "harness.data.corpora.kaldi:KaldiFolder"
path = "{speech}"
licence = "none"
split = {{ seed = 0, validation = 2, test = 3 }}
trials = 100
"""
    )
    listing = list_dataset(load(tmp_path / "benchmark.toml"), "mine", "quick")
    assert listing.items["unit"].nunique() == 8
    assert listing.items["source"].iloc[0] == "a/a0.flac"
    for item in rows(listing.items):
        assert len(listing.corpus.read(item, listing.folder)) in (4800, 4960, 5120)
