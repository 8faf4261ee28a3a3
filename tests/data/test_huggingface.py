"""Saved Hugging Face data sets: rows are read without decoding, running or fetching anything."""

import socket
import sys
from io import BytesIO

import numpy as np
import pytest
import soundfile

from harness.config.loader import load
from harness.data.corpora.huggingface import HuggingFaceFolder
from harness.data.corpus import COLUMNS, DamagedItem
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, DataError

datasets = pytest.importorskip("datasets", reason="the `huggingface` extra is not installed")


def sound(number, rate=16000):
    samples = np.full(1600, number + 1, dtype=np.int16)
    file = BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


def rows(speakers="bab", start=0, **columns):
    numbers = range(start, start + len(speakers))
    audio = [{"bytes": sound(number), "path": f"{number}.flac"} for number in numbers]
    return {"audio": audio, "speaker_id": list(speakers), **columns}


def dataset(table=None, **features):
    made = datasets.Dataset.from_dict(table or rows())
    for name, feature in {"audio": datasets.Audio(), **features}.items():
        made = made.cast_column(name, feature)
    return made


def items(folder, **fields):
    return HuggingFaceFolder(**fields).items("quick", folder)


def refused(folder, message, **fields):
    with pytest.raises(DataError, match=message):
        items(folder, **fields)


def heard(folder, table):
    """The number that each row's sound is made of."""
    corpus = HuggingFaceFolder()
    sounds = [corpus.read(item, folder) for item in table.itertuples(index=False)]
    assert {len(each) for each in sounds} == {1600}
    return [int(each[0]) - 1 for each in sounds]


def test_rows_that_hold_their_sound(tmp_path):
    dataset().save_to_disk(tmp_path)
    table = items(tmp_path)
    assert tuple(table.columns) == COLUMNS
    assert table.to_numpy().tolist() == [
        ["0000001", "a", "a", 0.0, "state.json#1", 2, ""],
        ["0000000", "b", "b", 0.0, "state.json#0", 1, ""],
        ["0000002", "b", "b", 0.0, "state.json#2", 3, ""],
    ]
    assert heard(tmp_path, table) == [1, 0, 2]


def test_a_chosen_and_shuffled_data_set(tmp_path):
    whole = dataset(rows("abcdef"))
    whole.shuffle(seed=1).filter(lambda speaker: speaker != "c", input_columns="speaker_id") \
        .save_to_disk(tmp_path)  # fmt: skip
    table = items(tmp_path)
    assert table["unit"].tolist() == list("abdef")
    assert heard(tmp_path, table) == [0, 1, 3, 4, 5]


def test_several_shards(tmp_path):
    dataset(rows("abcdef")).save_to_disk(tmp_path, num_shards=3)
    table = items(tmp_path)
    assert heard(tmp_path, table) == list(range(6))


def test_columns_of_words_numbers_and_classes_are_kept(tmp_path):
    table = rows(
        gender=[1, 0, -1], age=[30, None, 41], accent=["us", None, "-"], score=[0.5, 0.5, 0.5],
        utt=["u0", "u1", "u2"],
    )  # fmt: skip
    dataset(table, gender=datasets.ClassLabel(names=["female", "male"])).save_to_disk(tmp_path)
    found = items(tmp_path, id="utt")
    assert tuple(found.columns) == (*COLUMNS, "gender", "age", "accent")
    assert found[["id", "gender", "age", "accent"]].to_numpy().tolist() == [
        ["u1", "female", "", ""],
        ["u0", "male", "30", "us"],
        ["u2", "", "41", ""],
    ]


def test_a_column_is_told_apart(tmp_path):
    words = datasets.ClassLabel(names=["no", "yes"])
    dataset(rows(label=[0, 1, 1], mood=["x", None, "y"]), label=words).save_to_disk(tmp_path)
    table = items(tmp_path, label="label")
    assert tuple(table.columns) == (*COLUMNS, "mood")
    assert table["label"].tolist() == ["yes", "no", "yes"]
    assert table["unit"].tolist() == ["a", "b", "b"]
    refused(tmp_path, "the mood of 1 of 3 utterances is unknown, the first '0000001'", label="mood")


def test_speakers_that_are_classes_or_numbers(tmp_path):
    named = datasets.ClassLabel(names=["x", "y"])
    dataset(rows(speakers=[1, 0]), speaker_id=named).save_to_disk(tmp_path / "classes")
    dataset(rows(speakers=[12, 7])).save_to_disk(tmp_path / "numbers")
    assert items(tmp_path / "classes")["unit"].tolist() == ["x", "y"]
    assert items(tmp_path / "numbers")["unit"].tolist() == ["12", "7"]


def splits(**speakers):
    start, made = 0, {}
    for name, each in speakers.items():
        made[name] = dataset(rows(each, start))
        start += len(each)
    return datasets.DatasetDict(made)


def test_splits_of_its_own(tmp_path):
    splits(train="abb", validation="c", test="d").save_to_disk(tmp_path)
    table = items(tmp_path)
    assert table[["id", "source", "split"]].to_numpy().tolist() == [
        ["train/0000000", "train/state.json#0", "train"],
        ["train/0000001", "train/state.json#1", "train"],
        ["train/0000002", "train/state.json#2", "train"],
        ["validation/0000000", "validation/state.json#0", "validation"],
        ["test/0000000", "test/state.json#0", "test"],
    ]
    assert heard(tmp_path, table) == list(range(5))


def test_training_speakers_are_held_out_where_no_split_validates(tmp_path):
    splits(train="ab", eval="d").save_to_disk(tmp_path)
    assert items(tmp_path, test="eval")["split"].tolist() == ["", "", "test"]
    refused(tmp_path, "'eval' is none of the splits train, validation, test.*own_split = false")


def test_splits_put_together(tmp_path):
    splits(train="ab", other="ba").save_to_disk(tmp_path)
    table = items(tmp_path, own_split=False)
    assert table["unit"].tolist() == list("aabb")
    assert set(table["split"]) == {""}
    assert heard(tmp_path, table) == [3, 0, 2, 1]


def test_a_split_without_the_others(tmp_path):
    splits(test="ab").save_to_disk(tmp_path)
    with pytest.raises(ConfigError, match="`test = 'test'` is given; give `train` alone"):
        items(tmp_path)


@pytest.mark.parametrize("storage", ["string", "struct"])
def test_sounds_that_are_files_in_the_folder(tmp_path, storage):
    (tmp_path / "wav").mkdir()
    for number in range(3):
        (tmp_path / f"wav/{number}.flac").write_bytes(sound(number))
    paths = [f"{tmp_path}/wav/0.flac", "wav/1.flac", "wav/2.flac"]
    audio = paths if storage == "string" else [{"path": path, "bytes": None} for path in paths]
    made = datasets.Dataset.from_dict({**rows(), "audio": audio})
    made.save_to_disk(tmp_path / "own")
    for file in (tmp_path / "own").iterdir():
        file.rename(tmp_path / file.name)
    table = items(tmp_path)
    assert table["source"].tolist() == ["wav/1.flac", "wav/0.flac", "wav/2.flac"]
    assert heard(tmp_path, table) == [1, 0, 2]


def test_sounds_that_are_plain_bytes(tmp_path):
    made = datasets.Dataset.from_dict({**rows(), "audio": [sound(number) for number in range(3)]})
    made.save_to_disk(tmp_path)
    assert heard(tmp_path, items(tmp_path)) == [1, 0, 2]


def test_a_path_outside(tmp_path):
    path = tmp_path / "elsewhere.flac"
    path.write_bytes(sound(0))
    made = datasets.Dataset.from_dict({"audio": [str(path)], "speaker_id": ["a"]})
    made.save_to_disk(tmp_path / "own")
    refused(tmp_path / "own", "row 0: .* leaves the corpus's folder; `allow_outside = true`")
    assert heard(tmp_path / "own", items(tmp_path / "own", allow_outside=True)) == [0]


@pytest.mark.parametrize(
    ("table", "fields", "message"),
    [
        (rows(), {"speaker": "speaker"}, "no column 'speaker' of words.*mean 'speaker_id'"),
        (rows(), {"audio": "adio"}, "no column 'adio' with sound; did you mean 'audio'"),
        (rows(), {"id": "audio"}, "no column 'audio' of words or numbers"),
        (rows(utt=["u", "v", "u"]), {"id": "utt"}, "1 utterances have the id of another: 'u'"),
        (rows(utt=["u", "v", None]), {"id": "utt"}, "row 2: the utt is unknown"),
        (rows(["a", "-"]), {}, "row 1: the speaker_id is unknown"),
        (rows(), {"audio": "speaker_id", "label": "x"}, "no column 'x' to tell apart"),
        (rows(path=["x", "y", None]), {"audio": "path"}, "row 2: has neither the bytes .* nor a"),
    ],
)  # fmt: skip
def test_a_data_set_that_cannot_be_used(tmp_path, table, fields, message):
    dataset(table).save_to_disk(tmp_path)
    refused(tmp_path, message, **fields)


def test_a_column_of_samples(tmp_path):
    made = datasets.Dataset.from_dict({"audio": [[0.1, 0.2]], "speaker_id": ["a"]})
    made.save_to_disk(tmp_path)
    refused(tmp_path, "the column 'audio' holds list.*neither the bytes of sound files nor paths")


def test_nothing_is_fetched(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was used")

    dataset().save_to_disk(tmp_path)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert heard(tmp_path, items(tmp_path)) == [1, 0, 2]


def test_no_data_set(tmp_path):
    refused(tmp_path, "no data set that `save_to_disk` wrote")


def test_a_broken_data_set(tmp_path):
    dataset().save_to_disk(tmp_path)
    (tmp_path / "state.json").write_text("{")
    refused(tmp_path, "the data set cannot be opened")


def test_a_table_that_was_cut_off(tmp_path):
    dataset().save_to_disk(tmp_path)
    table = next(tmp_path.glob("*.arrow"))
    table.write_bytes(table.read_bytes()[:100])
    refused(tmp_path, "the data set cannot be opened")


def test_a_row_whose_bytes_are_no_sound(tmp_path):
    made = datasets.Dataset.from_dict({"audio": [b"no sound at all"], "speaker_id": ["a"]})
    made.save_to_disk(tmp_path)
    item = next(items(tmp_path).itertuples(index=False))
    with pytest.raises(DamagedItem, match="cannot be decoded"):
        HuggingFaceFolder().read(item, tmp_path)


def test_a_data_set_that_was_saved_anew_is_read_anew(tmp_path):
    dataset().save_to_disk(tmp_path / "one")
    heard(tmp_path / "one", items(tmp_path / "one"))
    dataset(rows("ab", start=7)).save_to_disk(tmp_path / "one")
    assert heard(tmp_path / "one", items(tmp_path / "one")) == [7, 8]


def test_other_rates_are_converted_if_asked_for(tmp_path):
    made = datasets.Dataset.from_dict({"audio": [sound(0, rate=8000)], "speaker_id": ["a"]})
    made.save_to_disk(tmp_path)
    item = next(items(tmp_path).itertuples(index=False))
    assert len(HuggingFaceFolder(convert=True).read(item, tmp_path)) == 3200
    with pytest.raises(DamagedItem, match="8000 Hz"):
        HuggingFaceFolder().read(item, tmp_path)


def test_the_library_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(
        ConfigError, match=r"library `datasets`, .*pip install trialboard\[huggingface\]"
    ):
        items(tmp_path)


def test_a_dataset_in_a_benchmark_file(tmp_path):
    dataset(rows("abcdefghabcdefgh")).save_to_disk(tmp_path / "own")
    (tmp_path / "benchmark.toml").write_text(
        f"""
[datasets.mine]
adapter = "harness.data.corpora.huggingface:HuggingFaceFolder"
path = "{tmp_path}/own"
licence = "none"
split = {{ seed = 0, validation = 2, test = 3 }}
trials = 100
"""
    )
    listing = list_dataset(load(tmp_path / "benchmark.toml"), "mine", "quick")
    assert listing.items["unit"].tolist() == sorted("abcdefghabcdefgh")
    assert sorted(heard(listing.folder, listing.items)) == list(range(16))
