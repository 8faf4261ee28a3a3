"""Names that look the same are one speaker, one label, one utterance, whatever list they are in."""

import json
from types import SimpleNamespace
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from harness.config.loader import load
from harness.data.corpora.drawings import Drawings
from harness.data.corpora.huggingface import HuggingFaceFolder
from harness.data.corpora.kaldi import KaldiFolder
from harness.data.corpora.lhotse_cuts import LhotseCuts
from harness.data.corpora.speaker_folders import SpeakerFolders
from harness.data.corpora.speech_manifest import SpeechManifest
from harness.data.item_names import alike_names, clean_name, match_spelling, read_items, strip_name
from harness.datasets.listing import list_dataset
from harness.errors import DataError

UNSEEN = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\ufe0f", "\x00"]
BLANKS = [" ", "\t", "\u00a0", "\u2003", "\u202f", "\u3000"]
WORD = st.text(st.characters(categories=["Lu", "Ll", "Nd", "Lo", "Mn"]), min_size=1)
SPOKEN = ("Zo\u00eb", "\u00c5sa B", "c")
"""One with an accent, one with an accent and a blank, a plain one."""

DISGUISES = {
    "blank behind": lambda name: f"{name} ",
    "blank before": lambda name: f" {name}",
    "no-break space": lambda name: f"{name}\u00a0",
    "wide blank": lambda name: f"\u3000{name}",
    "zero-width space": lambda name: f"{name}\u200b",
    "byte order mark": lambda name: f"\ufeff{name}",
    "inner blank": lambda name: name.replace(" ", "\u00a0 "),
    "decomposed": lambda name: normalize("NFD", name),
}


@given(WORD, st.lists(st.tuples(st.integers(0, 30), st.sampled_from(UNSEEN))))
def test_what_nobody_sees_changes_no_name(word, inserted):
    disguised = word
    for place, character in inserted:
        disguised = disguised[:place] + character + disguised[place:]
    assert clean_name(disguised) == clean_name(word)


@given(st.lists(WORD, min_size=1), st.data())
def test_blanks_part_the_words_of_a_name_and_do_no_more(words, data):
    blanks = st.text(st.sampled_from(BLANKS), min_size=1)
    parted = "".join(word + data.draw(blanks) for word in words)
    assert clean_name(data.draw(blanks) + parted) == clean_name(" ".join(words))


@given(st.text())
def test_a_clean_name_is_left_alone(text):
    assert clean_name(clean_name(text)) == clean_name(text)
    assert clean_name(strip_name(text)) == clean_name(text)
    assert clean_name(normalize("NFD", text)) == clean_name(normalize("NFC", text))


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_plain_names_are_clean(name):
    assert clean_name(name) == strip_name(name) == name


def listing(units, **columns):
    """A reader's item table, each item of one of these units."""
    ids = columns.pop("ids", [f"u{row}" for row in range(len(units))])
    items = pd.DataFrame({"id": ids, "unit": units, "label": columns.pop("labels", units)})
    items = items.assign(seconds=0.0, source=[f"{row}.wav" for row in range(len(units))], line=0)
    reader = SimpleNamespace(items=lambda profile, folder: items.assign(split="", **columns))
    return read_items(reader, "quick", None, "d")


def test_items_of_one_unit_stand_together_again():
    found = listing(["a", "b", "a ", "c", "\u200ba"], labels=["x", "x", "x\u00a0", "y", "x"])
    assert found["unit"].tolist() == ["a", "a", "a", "b", "c"]
    assert found["id"].tolist() == ["u0", "u2", "u4", "u1", "u3"]
    assert found["label"].tolist() == ["x", "x", "x", "x", "y"]


def test_a_name_that_is_always_spelled_alike_keeps_its_spelling():
    names = [normalize("NFD", "Zo\u00eb"), "a  b", "plain"]
    found = listing(names, session=["s ", "s", "\u00a0"])
    assert found["unit"].tolist() == names
    assert found["session"].tolist() == ["s", "s", ""]


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u200b", " - "])
@pytest.mark.parametrize("column", ["units", "ids", "labels"])
def test_a_name_that_names_nobody_is_refused(column, blank):
    names = {"units": ["a", "b"], "ids": ["u", "v"], "labels": ["x", "y"]}
    names[column] = [names[column][0], blank]
    with pytest.raises(DataError, match=r"d: the \w+ of 1 of 2 items is .*1\.wav"):
        listing(**names)


@pytest.mark.parametrize("disguise", ["zo\u00eb ", "zoe\u0308", "zo\u00eb"])
def test_utterances_that_look_the_same_are_refused(disguise):
    with pytest.raises(DataError, match=r"'zo\u00eb' is both 0\.wav and 2\.wav"):
        listing(["a", "a", "b"], ids=["zo\u00eb", "x", disguise])


def test_a_list_names_what_another_spells_otherwise():
    known = ["Zo\u00eb-1", "b"]
    found = match_spelling(pd.Series(["Zoe\u0308-1", "b", "\ufeffb", "strange "]), known)
    assert found.tolist() == ["Zo\u00eb-1", "b", "b", "strange "]


def test_names_that_differ_in_case_or_zeros_are_noted():
    names = ["Spk01", "spk1", "spk2", "7", "007", "0", "00", "a10", "a1", "STRASSE", "stra\u00dfe"]
    alike = [["0", "00"], ["007", "7"], ["STRASSE", "stra\u00dfe"], ["Spk01", "spk1"]]
    assert alike_names(names) == alike


def sounds(folder, count=12):
    """Short sounds, and two spellings' worth of names for each speaker."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        samples = np.random.default_rng(number).integers(-99, 99, 800).astype(np.int16)
        soundfile.write(folder / f"{number}.wav", samples, 16_000, "PCM_16")
    return [f"{number}.wav" for number in range(count)]


def spoken(disguise, count=12):
    """Speakers by turns, every second time in disguise."""
    names = (SPOKEN[number % len(SPOKEN)] for number in range(count))
    return [disguise(name) if place % 2 else name for place, name in enumerate(names)]


def write_manifest(folder, name, disguise):
    paths = sounds(folder)
    rows = list(zip([f"u{n}" for n in range(12)], spoken(disguise), paths, strict=True))
    columns = ("utt_id", "speaker", "path")
    if name.endswith(".jsonl"):
        lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
    else:
        mark = "," if name.endswith(".csv") else "\t"
        lines = [mark.join(row) for row in [columns, *rows]]
    (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return SpeechManifest(file=name, columns={"duration_s": ""})


def write_kaldi(folder, disguise):
    paths = sounds(folder)
    named = list(zip([f"u{n}" for n in range(12)], paths, spoken(disguise), strict=True))
    (folder / "wav.scp").write_text("".join(f"{name} {path}\n" for name, path, _ in named))
    lines = "".join(f"{name} {speaker}\n" for name, _, speaker in named)
    (folder / "utt2spk").write_text(lines, encoding="utf-8")
    return KaldiFolder()


def write_folders(folder, disguise):
    for path, speaker in zip(sounds(folder), spoken(disguise), strict=True):
        (folder / speaker).mkdir(exist_ok=True)
        (folder / path).rename(folder / speaker / path)
    return SpeakerFolders()


def write_huggingface(folder, disguise):
    datasets = pytest.importorskip("datasets", reason="the `huggingface` extra is not installed")
    table = {"audio": sounds(folder), "speaker_id": spoken(disguise)}
    datasets.Dataset.from_dict(table).save_to_disk(folder)
    return HuggingFaceFolder()


def write_lhotse(folder, disguise):
    lhotse = pytest.importorskip("lhotse", reason="the `lhotse` extra is not installed")
    cuts = []
    for number, (path, speaker) in enumerate(zip(sounds(folder), spoken(disguise), strict=True)):
        source = lhotse.audio.AudioSource("file", [0], path)
        of = lhotse.Recording(f"r{number}", [source], 16000, 800, 0.05, channel_ids=[0])
        told = lhotse.SupervisionSegment("s", of.id, 0.0, 0.05, speaker=speaker)
        cuts.append(lhotse.MonoCut(f"u{number}", 0.0, 0.05, 0, supervisions=[told], recording=of))
    lhotse.CutSet.from_cuts(cuts).to_file(folder / "cuts.jsonl")
    return LhotseCuts(file="cuts.jsonl")


READERS = {
    "tsv": lambda folder, disguise: write_manifest(folder, "m.tsv", disguise),
    "csv": lambda folder, disguise: write_manifest(folder, "m.csv", disguise),
    "jsonl": lambda folder, disguise: write_manifest(folder, "m.jsonl", disguise),
    "kaldi": write_kaldi,
    "folders": write_folders,
    "huggingface": write_huggingface,
    "lhotse": write_lhotse,
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_hears_as_many_speakers_as_there_are(tmp_path, reader, disguise):
    corpus = READERS[reader](tmp_path / "d", DISGUISES[disguise])
    found = read_items(corpus, "quick", tmp_path / "d", "d")
    assert {clean_name(name) for name in found["unit"]} == set(SPOKEN)
    assert found["unit"].nunique() == len(SPOKEN)
    assert (found["unit"] != found["unit"].shift()).sum() == len(SPOKEN)
    for item in found.itertuples(index=False):
        assert corpus.read(item, tmp_path / "d").size == 800


def test_drawn_letters_in_two_spellings_are_one_label(tmp_path):
    from PIL import Image

    for place, label in enumerate(["character01", "character01 ", "character02"]):
        (tmp_path / label).mkdir()
        Image.new("L", (2, 2), 0).save(tmp_path / label / f"{place:04d}_01.png")
    found = read_items(Drawings(), "quick", tmp_path, "d")
    assert found["label"].tolist() == ["character01", "character01", "character02"]


@pytest.mark.parametrize("listed", [" a.wav ", "Zoe\u0308.wav", "Zo\u00eb.wav\u00a0"])
def test_a_path_is_found_as_its_file_is_spelled(tmp_path, listed):
    for name in ("a.wav", "Zo\u00eb.wav"):
        (tmp_path / sounds(tmp_path, 1)[0]).rename(tmp_path / name)
    manifest = f"utt_id\tspeaker\tpath\nu\ts\t{listed}\n"
    (tmp_path / "m.tsv").write_text(manifest, encoding="utf-8")
    corpus = SpeechManifest(file="m.tsv", columns={"duration_s": ""})
    (item,) = corpus.items("quick", tmp_path).itertuples(index=False)
    assert item.source in ("a.wav", "Zo\u00eb.wav")
    assert corpus.read(item, tmp_path).size == 800


def test_trials_and_splits_rest_on_clean_names(loaded, speech, manifest):
    before = list_dataset(loaded, "tiny", "quick")
    path = speech / "manifest.tsv"
    header, *rows = (line.split("\t") for line in path.read_text().splitlines())
    disguised = [
        (row[0], f"{row[1]}\u00a0" if place % 2 else row[1], *row[2:])
        for place, row in enumerate(rows)
    ]
    manifest(speech, disguised, tuple(header))
    after = list_dataset(load(loaded.path), "tiny", "quick")
    assert after.lock == before.lock


def test_a_corpus_with_its_own_trials_may_spell_them_otherwise(loaded, speech, manifest):
    names = {"a0": "Zo\u00eb0", "a1": "Zo\u00eb1", "b0": "b0"}
    path = speech / "manifest.tsv"
    header, *rows = (line.split("\t") for line in path.read_text().splitlines())
    split = {"a": "test", "b": "test", "c": "validation", "d": "validation"}
    listed = [(names.get(row[0], row[0]), *row[1:], split.get(row[1], "train")) for row in rows]
    manifest(speech, listed, (*header, "split"))
    trials = [("Zoe\u03080", "Zoe\u03081", 1), ("\ufeffZo\u00eb0", "b0", 0)]
    text = "".join(f"{enrol} {test} {target}\n" for enrol, test, target in trials)
    (speech / "trials").write_text(text, encoding="utf-8")
    table = loaded.path.read_text().replace("split = { seed = 0, validation = 2, test = 3 }", "")
    loaded.path.write_text(table + 'trial_lists = { test = "trials" }\n')
    found = list_dataset(load(loaded.path), "tiny", "quick").split_trials("test")
    assert found.target.tolist() == [True, False]
