"""Turns from lists and files of features: thuiar's layout, one list, and what is refused."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.data.corpora.dialogue_turns import DialogueTurns
from harness.data.corpus import DamagedItem, OfVectors
from harness.data.reading.feature_files import fit_frames, read_features
from harness.data.reading.text_vectors import fit_words
from harness.data.reading.turn_lists import tokens
from harness.errors import ConfigError, DataError

LINES = {"train": ["yes please", "no thanks"], "dev": ["yes yes"], "test": ["what is it ?"]}


def rows_of(corpus: DialogueTurns, folder: Path) -> dict[str, Any]:
    items = corpus.items("quick", folder)
    return {row.id: row for row in items.itertuples(index=False)}


def sequence(seed: int, frames: int, size: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, size)).astype(np.float32)


@pytest.fixture
def mintrec(tmp_path: Path) -> Path:
    """MIntRec as UMC's repository lays it out: three columns name a clip, pickles hold arrays."""
    audio, video, number = {}, {}, 0
    for split, texts in LINES.items():
        lines = ["season\tepisode\tclip\ttext\tlabel"]
        for text in texts:
            lines.append(f"S04\tE01\t{number}\t{text}\t{'Agree' if 'yes' in text else 'Ask'}")
            audio[f"S04_E01_{number}"] = sequence(number, 5 + number, 4)
            video[f"S04_E01_{number}"] = sequence(number, 3, 6)
            number += 1
        (tmp_path / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, found in (("audio_data/wavlm_feats", audio), ("video_data/swin_feats", video)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(found))
    return tmp_path


MINTREC = DialogueTurns(
    id=(0, 1, 2), words=3, label=4, dimensions=3,
    audio="audio_data/wavlm_feats.pkl", video="video_data/swin_feats.pkl",
)  # fmt: skip


def test_the_layout_of_mintrec_is_read_as_it_is_published(mintrec: Path):
    items = MINTREC.items("quick", mintrec)
    assert items["id"].tolist() == [f"S04_E01_{number}" for number in range(4)]
    assert items["split"].tolist() == ["train", "train", "validation", "test"]
    assert items["label"].tolist() == ["Agree", "Ask", "Agree", "Ask"]
    assert items["tokens"].tolist() == ["2", "2", "2", "4"]
    assert items["unit"].tolist() == items["id"].tolist()
    assert MINTREC.unit == "turn"
    assert isinstance(MINTREC, OfVectors)
    assert MINTREC.sizes(mintrec) == {"text": 3, "audio": 4, "video": 6, "frames": 1}


def test_modalities_stand_side_by_side_and_sequences_are_pooled(mintrec: Path):
    row = rows_of(MINTREC, mintrec)["S04_E01_1"]
    turn = MINTREC.read(row, mintrec)
    assert turn.shape == (1, 13)
    assert turn.dtype == np.float32
    np.testing.assert_allclose(turn[0, 3:7], sequence(1, 6, 4).mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(turn[0, 7:], sequence(1, 3, 6).mean(axis=0), rtol=1e-5)


def test_a_turn_without_vectors_is_damaged_and_named(mintrec: Path):
    found = pickle.loads((mintrec / "audio_data/wavlm_feats.pkl").read_bytes())
    del found["S04_E01_2"]
    other = DialogueTurns(id=(0, 1, 2), words=None, label=4, text="", audio="short.pkl")
    (mintrec / "short.pkl").write_bytes(pickle.dumps(found))
    with pytest.raises(DamagedItem, match="audio vectors of 'S04_E01_2'"):
        other.read(rows_of(other, mintrec)["S04_E01_2"], mintrec)


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


def test_a_pickle_that_names_anything_but_arrays_is_refused_unrun(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"a": np.zeros(3), "b": Harm()}))
    with pytest.raises(DataError, match="mkdir, which is no array"):
        read_features(tmp_path / "evil.pkl")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("ending", [".npz", ".parquet", ".pkl"])
def test_each_kind_of_file_gives_the_same_vectors(tmp_path: Path, ending: str):
    wanted = {"a": sequence(0, 1, 5)[0], "b": sequence(1, 1, 5)[0]}
    path = tmp_path / f"text{ending}"
    if ending == ".npz":
        np.savez(path, **wanted)
    elif ending == ".pkl":
        path.write_bytes(pickle.dumps(wanted))
    else:
        pytest.importorskip("pyarrow")
        lists = [value.tolist() for value in wanted.values()]
        pd.DataFrame({"id": list(wanted), "vector": lists}).to_parquet(path)
    found = read_features(path)
    assert set(found) == {"a", "b"}
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value[None])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"a": np.zeros(3), "b": np.zeros(4)}, "one size"),
        ({"a": np.array([np.nan])}, "NaN"),
        ({"a": np.array(["word"])}, "no vector"),
        ([np.zeros(3)], "not a dict"),
    ],
)
def test_files_that_hold_something_else_are_refused(tmp_path: Path, content, why: str):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=why):
        read_features(tmp_path / "x.pkl")


def test_absent_and_broken_files_are_named(tmp_path: Path):
    (tmp_path / "x.npz").write_bytes(b"PK no archive")
    for name in ("x.npz", "y.pkl", "z.csv"):
        with pytest.raises(DataError, match=name):
            read_features(tmp_path / name)


def test_a_sequence_is_averaged_in_even_stretches_or_followed_by_zeros():
    long = np.arange(6, dtype=np.float32)[:, None]
    assert fit_frames(long, 3).ravel().tolist() == [0.5, 2.5, 4.5]
    assert fit_frames(long[:2], 3).ravel().tolist() == [0, 1, 0]


TEXTS = ["book a table for two", "a table please", "no thank you", "thank you bye", "book it"]


def test_the_mean_of_words_is_the_tf_idf_vector_in_the_directions_of_an_svd():
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = [tokens(text) for text in TEXTS]
    found = fit_words(words, 3)
    reference = TfidfVectorizer(analyzer=tokens, min_df=2)
    matrix = reference.fit_transform(TEXTS).toarray()
    _, _, right = np.linalg.svd(matrix)
    means = np.stack([found.of(each).mean(axis=0) for each in words])
    np.testing.assert_allclose(np.abs(means), np.abs(matrix @ right[:3].T), atol=2e-3)
    assert found.of(["unseen"]).tolist() == [[0, 0, 0]]


def one_list(folder: Path, test_text: str) -> DialogueTurns:
    lines = ["utt_id\ttext\tdialogue_act\tsplit"]
    lines += [f"d{n}_0\t{text}\tact{n % 2}\ttrain" for n, text in enumerate(TEXTS)]
    lines += ["d8_0\tbook a table\tact0\tdev", f"d9_0\t{test_text}\tact0\ttest"]
    lines += ["d9_1\tthank you\tact1\ttest"]
    folder.mkdir()
    (folder / "turns.tsv").write_text("\n".join(lines), encoding="utf-8")
    return DialogueTurns(file="turns.tsv", dialogue="id", dimensions=4, frames=6)


def test_word_vectors_are_fitted_to_the_training_split_alone(tmp_path: Path):
    found = []
    for name, text in (("one", "no"), ("two", "no no no quite other words table book")):
        corpus = one_list(tmp_path / name, text)
        rows = rows_of(corpus, tmp_path / name)
        found.append(corpus.read(rows["d0_0"], tmp_path / name))
    np.testing.assert_array_equal(*found)
    assert found[0].shape == (6, 4)


def test_dialogues_are_units_where_ids_tell_them(tmp_path: Path):
    items = one_list(tmp_path / "one", "no").items("quick", tmp_path / "one")
    assert items["unit"].tolist() == ["d0", "d1", "d2", "d3", "d4", "d8", "d9", "d9"]
    assert items["line"].tolist() == [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"label": "act"}, "no column 'act'"),
        ({"label": 9}, "no column 9"),
        ({"split_column": "text"}, "unknown split"),
        ({"file": "none.tsv"}, "none.tsv"),
    ],
)
def test_lists_that_lack_something_are_refused(tmp_path: Path, change, why: str):
    one_list(tmp_path / "one", "no")
    corpus = DialogueTurns(**{"file": "turns.tsv", **change})
    with pytest.raises(DataError, match=why):
        corpus.items("quick", tmp_path / "one")


def test_declarations_that_cannot_be_meant_are_refused(tmp_path: Path):
    for fields in ({"text": ""}, {"audio": "lsa"}, {"text": "words.txt"}, {"frames": 0}):
        with pytest.raises(ValueError, match=r"."):
            DialogueTurns(**fields)
    one_list(tmp_path / "one", "no")
    with pytest.raises(ConfigError, match="no words"):
        DialogueTurns(file="turns.tsv", words=None).sizes(tmp_path / "one")


SGD = Path(os.environ.get("HARNESS_DATA", "")) / "text"


@pytest.mark.skipif(not (SGD / "sgd-da.tsv").is_file(), reason="sgd-da.tsv is not on this machine")
def test_sgd_da_is_listed_as_its_readme_says():
    items = DialogueTurns(file="sgd-da.tsv", dialogue="id").items("quick", SGD)
    counts = items["label"].value_counts()
    assert (len(items), len(counts)) == (5997, 9)
    assert counts.max() / counts.min() == pytest.approx(17.5, abs=0.05)
    parts = items.groupby("unit")["split"].nunique()
    assert parts.max() == 1
