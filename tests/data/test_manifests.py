"""Manifests as CSV and JSON lines, and what a manifest may hold beside the four columns."""

import csv
import json

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harness.config.imports import construct
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.corpus import COLUMNS, DamagedItem
from harness.errors import ConfigError, DataError, RequestError

HEADER = ("utt_id", "speaker", "path", "duration_s", "gender", "session", "split")
ROWS = (
    ("u1", "s2", "a,b.flac", "1.5", "f", "-", "train"),
    ("u2", "s1", 'say "yes".flac', "2", "", "s1-a", "test"),
    ("u3", "s2", "c.flac", "0.25", "f", "s2-a", "-"),
)


def write(folder, form, header=HEADER, rows=ROWS):
    path = folder / f"list.{form}"
    with path.open("w", encoding="utf-8", newline="") as file:
        if form == "jsonl":
            for row in rows:
                file.write(json.dumps(dict(zip(header, row, strict=True))) + "\n")
        else:
            plain = {"quoting": csv.QUOTE_NONE, "quotechar": None} if form == "tsv" else {}
            delimiter = "\t" if form == "tsv" else ","
            csv.writer(file, delimiter=delimiter, **plain).writerows([header, *rows])
    return path


def items(path, **fields):
    return SpeechManifest(file=path.name, **fields).items("quick", path.parent)


def refused(path, message, **fields):
    with pytest.raises(DataError, match=message):
        items(path, **fields)


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl"])
def test_three_ways_to_write_one_corpus(tmp_path, form):
    table = items(write(tmp_path, form))
    assert tuple(table.columns) == (*COLUMNS, "gender", "session")
    by_id = table.set_index("id").drop(columns="line").sort_index()
    assert by_id.to_numpy().tolist() == [
        ["s2", "s2", 1.5, "a,b.flac", "train", "f", ""],
        ["s1", "s1", 2.0, 'say "yes".flac', "test", "", "s1-a"],
        ["s2", "s2", 0.25, "c.flac", "", "f", "s2-a"],
    ]


@pytest.mark.parametrize(
    ("form", "ids", "lines"),
    [
        ("tsv", ["u1", "u2", "u3"], [2, 3, 4]),
        ("csv", ["u2", "u1", "u3"], [3, 2, 4]),
        ("jsonl", ["u2", "u1", "u3"], [2, 1, 3]),
    ],
)
def test_rows_of_a_speaker_stand_together_where_no_lock_rests_on_their_order(
    tmp_path, form, ids, lines
):
    table = items(write(tmp_path, form))
    assert (table["id"].tolist(), table["line"].tolist()) == (ids, lines)


def test_a_row_of_json_may_leave_a_further_column_out_and_hold_numbers(tmp_path):
    path = tmp_path / "list.jsonl"
    row = {"utt_id": "u1", "speaker": 7, "path": "a.flac", "duration_s": 1.25, "age": None}
    path.write_text(json.dumps(row) + "\n\n" + json.dumps({**row, "utt_id": "u2", "tall": True}))
    table = items(path)
    assert table["unit"].tolist() == ["7", "7"]
    assert table["seconds"].tolist() == [1.25, 1.25]
    assert table["age"].tolist() == ["", ""]
    assert table["tall"].tolist() == ["", "true"]
    assert table["line"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"utt_id": "u1"', "line 1: no JSON .*at character 16"),
        ('["u1"]', r"line 1: \['u1'\] is no JSON object"),
        (
            '{"utt_id": "u", "speaker": "s", "path": "p", "duration_s": 1}\n{"utt_id": "v"}',
            "line 2 has no column 'speaker'",
        ),
        ("", "lists no utterance"),
    ],
)
def test_json_that_is_none(tmp_path, content, message):
    path = tmp_path / "list.jsonl"
    path.write_text(content)
    refused(path, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("utt_id,speaker,path\n", "line 1 has no column 'duration_s'.*comma-separated"),
        ('utt_id,speaker,path,duration_s\nu1,s1,"a"b,1\n', "line 2: "),
        ('utt_id,speaker,path,duration_s\nu1,s1,"a,1\n', "line 2: unexpected end"),
        ("utt_id,speaker,path,duration_s\nu1,s1,a\n", "line 2: has not as many columns"),
        ("utt_id,speaker,path,duration_s\nu1,s1,a,1,x\n", "line 2: has not as many columns"),
    ],
)
def test_csv_that_is_none(tmp_path, content, message):
    path = tmp_path / "list.csv"
    path.write_text(content)
    refused(path, message)


def test_columns_may_be_called_otherwise(tmp_path):
    header = ("audio_filepath", "spk", "duration", "sex")
    path = write(tmp_path, "jsonl", header, [("x/a.wav", "s1", "1.5", "m")])
    own = {"utt_id": "audio_filepath", "path": "audio_filepath", "speaker": "spk"}
    table = items(path, columns={**own, "duration_s": "duration", "gender": "sex"})
    assert table.drop(columns="line").to_numpy().tolist() == [
        ["x/a.wav", "s1", "s1", 1.5, "x/a.wav", "", "m"]
    ]
    refused(path, "no column 'spkr'; did you mean 'spk'", columns={**own, "speaker": "spkr"})


def test_a_manifest_without_durations(tmp_path):
    path = write(tmp_path, "csv", ("utt_id", "speaker", "path"), [("u1", "s1", "a.flac")])
    refused(path, "no column 'duration_s'")
    assert items(path, columns={"duration_s": ""})["seconds"].tolist() == [0.0]


@pytest.mark.parametrize("name", ["utt_id", "speaker", "path"])
def test_a_column_that_cannot_be_left_away(tmp_path, name):
    with pytest.raises(ConfigError, match=rf"columns\.{name}: must not be empty"):
        items(write(tmp_path, "csv"), columns={name: ""})


def test_a_split_that_is_none(tmp_path):
    path = write(tmp_path, "csv", rows=[(*ROWS[0][:-1], "dev")])
    refused(path, "line 2: the split is 'dev'; known: test, train, validation")
    assert items(path, columns={"split": ""})["split"].tolist() == [""]


@pytest.mark.parametrize("form", ["tsv", "csv", "jsonl"])
def test_a_path_outside(tmp_path, form):
    row = ("u1", "s1", "/elsewhere/a.flac", "1", "", "", "")
    path = write(tmp_path, form, rows=[row])
    refused(path, "line [12]: '/elsewhere/a.flac' leaves .*allow_outside = true")
    assert items(path, allow_outside=True)["source"].tolist() == ["/elsewhere/a.flac"]


def test_an_absolute_path_inside_is_relative_to_the_folder(tmp_path):
    path = write(tmp_path, "csv", rows=[("u1", "s1", f"{tmp_path}/a.flac", "1", "", "", "")])
    assert items(path)["source"].tolist() == ["a.flac"]
    climbing = f"{tmp_path}/../a.flac"
    refused(write(tmp_path, "csv", rows=[("u1", "s1", climbing, "1", "", "", "")]), "leaves")


def test_no_command_runs_and_no_part_is_taken(tmp_path):
    rows = [("u1", "s1", "touch ran |", "1", "", "", "")]
    corpus = SpeechManifest(file="list.csv")
    write(tmp_path, "csv", rows=rows)
    item = next(corpus.items("quick", tmp_path).itertuples(index=False))
    with pytest.raises(DamagedItem, match="no such file"):
        corpus.read(item, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_another_rate_and_two_channels_where_they_may_be_converted(tmp_path):
    time = np.arange(8000) / 8000
    wave = 0.5 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "a.wav", np.stack([wave, wave], axis=1), 8000)
    path = write(tmp_path, "csv", rows=[("u1", "s1", "a.wav", "1.0", "", "", "")])
    item = next(items(path).itertuples(index=False))
    with pytest.raises(DamagedItem, match="channels"):
        SpeechManifest().read(item, tmp_path)
    sound = SpeechManifest(convert=True).read(item, tmp_path)
    spectrum = np.abs(np.fft.rfft(sound[4000:12000]))
    assert len(sound) == 16000
    assert int(spectrum.argmax()) == 220  # bins of 2 Hz


def test_a_duration_that_nobody_told_is_not_held_against_the_sound(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(1600, 7, dtype=np.int16), 16000)
    rows = [("u1", "s1", "a.wav", "1.0", "", "", "")]
    path = write(tmp_path, "csv", rows=rows)
    told, untold = SpeechManifest(), SpeechManifest(columns={"duration_s": ""})
    with pytest.raises(DamagedItem, match="the manifest says"):
        told.read(next(items(path).itertuples(index=False)), tmp_path)
    table = items(path, columns=untold.columns)
    assert len(untold.read(next(table.itertuples(index=False)), tmp_path)) == 1600


def test_its_own_trials_and_models(tmp_path):
    (tmp_path / "trials.txt").write_text("m1 u2 target\nm1 u3 nontarget\n")
    (tmp_path / "models.txt").write_text("m1 u1 u4\n\nm2 u5\n")
    corpus = construct(
        "harness.data.corpora.speech_manifest:SpeechManifest",
        {"trial_lists": {"test": "trials.txt"}, "enrolment": {"test": "models.txt"}},
        "datasets.mine",
    )
    trials = corpus.trials("quick", tmp_path, "test")
    assert trials.to_numpy().tolist() == [
        ["m1", "u2", True, "target"],
        ["m1", "u3", False, "nontarget"],
    ]
    models = corpus.models("quick", tmp_path, "test")
    assert models.to_numpy().tolist() == [["m1", "u1"], ["m1", "u4"], ["m2", "u5"]]
    assert corpus.trials("quick", tmp_path, "validation") is None
    assert corpus.models("quick", tmp_path, "validation") is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("m1 u2 1\nm1 u3\n", "line 2 .*columns"),
        ("m1 u2 1\nm1 u3 yes\n", "line 2 .*label 'yes'"),
        ("m1 u2 1\nm1 u3 0\nm1 u2 1\n", "repeat a trial"),
    ],
)
def test_trials_that_cannot_be_used(tmp_path, lines, message):
    (tmp_path / "trials").write_text(lines)
    corpus = SpeechManifest(trial_lists={"test": "trials"})
    with pytest.raises(RequestError, match=message):
        corpus.trials("quick", tmp_path, "test")


@pytest.mark.parametrize(
    ("lines", "message"), [("m1\n", "line 1: "), ("m1 u1\nm1 u2\n", "line 2: 'm1'")]
)
def test_models_that_cannot_be_used(tmp_path, lines, message):
    (tmp_path / "models").write_text(lines)
    corpus = SpeechManifest(enrolment={"test": "models"})
    with pytest.raises(DataError, match=message):
        corpus.models("quick", tmp_path, "test")


def test_trials_of_training_are_none_of_its_fields():
    with pytest.raises(ConfigError, match=r"datasets\.mine\.trial_lists.*'validation' or 'test'"):
        construct(
            "harness.data.corpora.speech_manifest:SpeechManifest",
            {"trial_lists": {"train": "trials.txt"}},
            "datasets.mine",
        )


WORD = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(
    lambda text: text != "-"
)


@given(st.lists(st.tuples(WORD, WORD), min_size=1, max_size=8, unique_by=lambda row: row[0]))
def test_whatever_is_written_is_read(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    header = ("utt_id", "speaker", "path", "duration_s")
    written = [(name, speaker, "a.flac", "1") for name, speaker in rows]
    for form in ("csv", "jsonl"):
        table = items(write(folder, form, header, written))
        assert sorted(zip(table["id"], table["unit"], strict=True)) == sorted(rows)
