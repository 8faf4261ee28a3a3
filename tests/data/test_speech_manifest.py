"""A manifest is read whole, or refused with its line."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.corpus import COLUMNS
from harness.errors import DataError

GOOD = [("u1", "s1", "s1/u1.flac", "1.5", "yes"), ("u2", "s2", "s2/u2.flac", "2", "no")]


def items(folder, **fields):
    return SpeechManifest(**fields).items("quick", folder)


def refused(folder, message, **fields):
    with pytest.raises(DataError, match=rf"manifest\.tsv: {message}"):
        items(folder, **fields)


def test_every_line_is_an_item(tmp_path, manifest):
    manifest(tmp_path, GOOD)
    table = items(tmp_path)
    assert tuple(table.columns) == COLUMNS
    assert table.to_numpy().tolist() == [
        ["u1", "s1", "s1", 1.5, "s1/u1.flac", 2, ""],
        ["u2", "s2", "s2", 2.0, "s2/u2.flac", 3, ""],
    ]


def test_another_column_may_be_what_is_told_apart(tmp_path, manifest):
    manifest(tmp_path, GOOD)
    table = items(tmp_path, label="label")
    assert table["label"].tolist() == ["yes", "no"]
    assert table["unit"].tolist() == ["s1", "s2"]


def test_another_file_name(tmp_path, manifest):
    manifest(tmp_path, GOOD).rename(tmp_path / "list.tsv")
    assert len(items(tmp_path, file="list.tsv")) == 2
    refused(tmp_path, "no such manifest")


def test_columns_in_any_order_and_more_of_them(tmp_path, manifest):
    header = ("note", "duration_s", "path", "utt_id", "speaker")
    manifest(tmp_path, [('"x', "1", "u.flac", "u1", "s1")], header)
    assert items(tmp_path)["id"].tolist() == ["u1"]


def test_a_byte_order_mark_and_windows_line_ends(tmp_path, manifest):
    path = manifest(tmp_path, GOOD)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    table = items(tmp_path, label="label")
    assert table["label"].tolist() == ["yes", "no"]
    assert table["line"].tolist() == [2, 3]


def test_a_line_ends_where_a_text_editor_ends_it(tmp_path, manifest):
    manifest(tmp_path, [("u1", "s1", "u1.flac", "1", "a\u2028b"), GOOD[1]])
    assert items(tmp_path, label="label")["label"].tolist() == ["a\u2028b", "no"]


@pytest.mark.parametrize("column", ["utt_id", "speaker", "path", "duration_s"])
def test_a_missing_column(tmp_path, manifest, column):
    header = ("utt_id", "speaker", "path", "duration_s", "label")
    renamed = tuple(f"{name}x" if name == column else name for name in header)
    manifest(tmp_path, GOOD, renamed)
    refused(tmp_path, f"line 1 has no column '{column}'; did you mean '{column}x'")


def test_a_missing_label_column(tmp_path, manifest):
    manifest(tmp_path, GOOD)
    refused(tmp_path, "line 1 has no column 'labels'; did you mean 'label'", label="labels")


@pytest.mark.parametrize("content", ["", "utt_id speaker path duration_s\n"])
def test_no_header(tmp_path, content):
    (tmp_path / "manifest.tsv").write_text(content)
    refused(tmp_path, "line 1 has no column 'utt_id'.*tab-separated")


def test_a_header_alone(tmp_path, manifest):
    manifest(tmp_path, [])
    refused(tmp_path, "lists no utterance")


@pytest.mark.parametrize("row", [("u3", "s3"), (*GOOD[0], "more")])
def test_a_short_or_long_line(tmp_path, manifest, row):
    manifest(tmp_path, [*GOOD, row])
    refused(tmp_path, "line 4: has not as many columns")


def test_an_id_that_comes_twice(tmp_path, manifest):
    manifest(tmp_path, [*GOOD, GOOD[0]])
    refused(tmp_path, "line 4: 'u1' stands in line 2 too")


@pytest.mark.parametrize("duration", ["", "abc", "0", "-1", "nan", "inf", "-"])
def test_a_duration_that_is_none(tmp_path, manifest, duration):
    manifest(tmp_path, [GOOD[0], ("u2", "s2", "u2.flac", duration, "no")])
    refused(tmp_path, f"line 3: duration_s is '{duration}', not a positive number")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (("u1", "-", "u.flac", "1", "a"), "speaker"),
        (("u1", "", "u.flac", "1", "a"), "speaker"),
        (("", "s1", "u.flac", "1", "a"), "utt_id"),
        (("u1", "s1", "u.flac", "1", "-"), "label"),
    ],
)
def test_an_unknown_speaker_id_or_label(tmp_path, manifest, row, column):
    manifest(tmp_path, [row])
    refused(tmp_path, f"line 2: the {column} is unknown", label="label")


def test_an_unknown_label_is_nothing_where_speakers_are_told_apart(tmp_path, manifest):
    manifest(tmp_path, [("u1", "s1", "u.flac", "1", "-")])
    assert items(tmp_path)["label"].tolist() == ["s1"]


@pytest.mark.parametrize("source", ["../u.flac", "/etc/passwd", "a/../../u.flac", ""])
def test_a_path_that_leaves_the_folder(tmp_path, manifest, source):
    manifest(tmp_path, [("u1", "s1", source, "1", "a")])
    refused(tmp_path, "line 2: .* leaves the corpus's folder")


def test_not_utf8(tmp_path, manifest):
    path = manifest(tmp_path, GOOD)
    path.write_bytes(path.read_bytes().replace(b"no", b"\xe9"))
    refused(tmp_path, "line 3 is not UTF-8 text")


def test_a_column_too_long_to_be_one(tmp_path, manifest):
    manifest(tmp_path, [("u1", "s1", "u.flac", "1", "a" * 200_000)])
    refused(tmp_path, "line 2: field larger than field limit")


def test_absent(tmp_path):
    refused(tmp_path, "no such manifest")


def test_an_utterance_is_read_from_its_path(tmp_path, manifest):
    sound = np.arange(1, 16_001, dtype=np.int16)
    soundfile.write(tmp_path / "u.flac", sound, 16_000, "PCM_16")
    manifest(tmp_path, [("u1", "s1", "u.flac", "1.0", "a")])
    item = next(items(tmp_path).itertuples(index=False))
    np.testing.assert_array_equal(SpeechManifest().read(item, tmp_path), sound)


def test_the_layout_brings_no_trials():
    assert SpeechManifest().trials("quick", Path(), "test") is None


@pytest.mark.parametrize(
    ("name", "speakers", "utterances"),
    [("speechocean762", 188, 1880), ("arabic-speech-commands", 22, 2640)],
)
def test_real_corpora(shared_data, name, speakers, utterances):
    table = items(shared_data / "speech" / name)
    assert table["unit"].nunique() == speakers
    assert len(table) == utterances
    assert (shared_data / "speech" / name / table["source"].iloc[-1]).is_file()


def test_a_real_utterance_is_what_its_line_says(shared_data):
    folder = shared_data / "speech" / "speechocean762"
    item = next(items(folder).itertuples(index=False))
    sound = SpeechManifest().read(item, folder)
    assert len(sound) == round(item.seconds * 16_000)
