"""From a benchmark file to items, splits, trials and content, as locked."""

import shutil

import pytest
import soundfile

from harness.config.loader import load
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.datasets.lock import read_lock
from harness.errors import ConfigError, CorpusAbsent, DataError, LockError

MANIFEST = "manifest.tsv"


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def opened(loaded, **options):
    listing = list_dataset(loaded, "tiny", "quick")
    return open_dataset(loaded, listing, loaded.folder / "cache", **options)


def reloaded(loaded, old, new):
    edit(loaded.path, old, new)
    return load(loaded.path)


def test_a_dataset_is_listed_opened_and_pinned(loaded):
    listing = list_dataset(loaded, "tiny", "quick")
    assert not loaded.lock_path.exists()
    dataset = open_dataset(loaded, listing, loaded.folder / "cache")
    assert dataset.lock.counts == {
        "train": {"units": 3, "items": 9},
        "validation": {"units": 2, "items": 6, "trials": 15, "targets": 6},
        "test": {"units": 3, "items": 9, "trials": 36, "targets": 9},
    }
    assert read_lock(loaded.lock_path).datasets == {"tiny/quick": dataset.lock}
    assert dataset.lock.content == dataset.pack.content
    assert opened(loaded).lock == dataset.lock


def test_a_subset_is_its_splits_items(loaded):
    dataset = opened(loaded)
    train, test = dataset.subset("train"), dataset.subset("test")
    assert len(train) == 9
    assert set(train.items["unit"]).isdisjoint(test.items["unit"])
    assert dataset.classes == tuple(sorted(set(train.items["unit"])))
    for index, item in enumerate(test.items.itertuples()):
        sound = soundfile.read(dataset.listing.folder / item.source, dtype="int16")[0]
        assert (test.item(index) == sound).all()
        assert test.shape(index) == (test.length(index),) == sound.shape


def test_trials_are_rows_of_their_subset(loaded):
    dataset = opened(loaded)
    trials, items = dataset.listing.split_trials("test"), dataset.subset("test").items
    labels = items["label"].to_numpy()
    assert len(trials) == 36
    assert (trials.target == (labels[trials.enrol] == labels[trials.test])).all()


def test_without_trials_the_mend_is_named(loaded):
    dataset = opened(reloaded(loaded, "trials = 1000", ""))
    with pytest.raises(ConfigError, match=r"datasets\.tiny: brings no trials; give `trials = N`"):
        dataset.listing.split_trials("test")


@pytest.mark.parametrize("asked", ["trials = 1000", "draw_trials = { count = 10 }"])
def test_one_utterance_a_speaker_makes_no_target_trial(loaded, speech, manifest, asked):
    rows = [line.split("\t") for line in (speech / "manifest.tsv").read_text().splitlines()]
    manifest(speech, rows[1::3])
    loaded.path.write_text(loaded.path.read_text().replace("trials = 1000", asked))
    with pytest.raises(DataError, match=r"tiny: validation: its 2 items are of 2 labels, one each"):
        list_dataset(load(loaded.path), "tiny", "quick")
    loaded.path.write_text(loaded.path.read_text().replace(asked, ""))
    assert list_dataset(load(loaded.path), "tiny", "quick").trial_tables == {}
    assert not loaded.lock_path.exists()


def test_one_test_speaker_makes_no_nontarget_trial(loaded):
    loaded.path.write_text(loaded.path.read_text().replace("test = 3", "test = 1"))
    with pytest.raises(DataError, match=r"tiny: test: all of its 3 items are of one label"):
        list_dataset(load(loaded.path), "tiny", "quick")


@pytest.mark.parametrize("asked", ["trials = 6", "draw_trials = { count = 2, targets = 0.9 }"])
def test_too_few_trials_for_both_sides_are_refused(loaded, asked):
    loaded.path.write_text(loaded.path.read_text().replace("trials = 1000", asked))
    with pytest.raises(DataError, match=r"tiny: validation: none of its \d trials is nontarget"):
        list_dataset(load(loaded.path), "tiny", "quick")


def test_without_a_split_the_mend_is_named(loaded):
    changed = reloaded(loaded, "split = {", "# split = {")
    with pytest.raises(
        ConfigError, match=r"benchmark\.toml: datasets\.tiny: brings no split; give"
    ):
        list_dataset(changed, "tiny", "quick")


def test_a_split_for_a_corpus_that_brings_its_own_is_refused(loaded):
    changed = reloaded(
        loaded,
        'adapter = "harness.data.corpora.speech_manifest:SpeechManifest"',
        'adapter = "harness.data.corpora.open_impacts:OpenImpacts"',
    )
    with pytest.raises(ConfigError, match=r"datasets\.tiny\.split: the corpus brings its own"):
        list_dataset(changed, "tiny", "quick")


def test_an_unknown_dataset(loaded):
    with pytest.raises(ConfigError, match="no dataset is called 'tinny'; did you mean 'tiny'"):
        find(loaded, "tinny")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("trials = 1000", "trails = 1000", r"trails: unknown key; did you mean 'trials'"),
        ("trials = 1000", "lable = 'label'", r"lable: unknown key; did you mean 'label'"),
        (":SpeechManifest", ":SpeechManifests", r"adapter: .*did you mean 'SpeechManifest'"),
        ("path = ", "source2 = ", r"source2: unknown key; did you mean 'source'"),
    ],
)
def test_a_wrong_key_of_a_dataset_is_named_with_its_file(loaded, old, new, message):
    changed = reloaded(loaded, old, new)
    with pytest.raises(ConfigError, match=rf"benchmark\.toml: datasets\.tiny\.{message}"):
        find(changed, "tiny")


def test_a_corpus_of_files_needs_a_path(loaded, speech):
    changed = reloaded(loaded, f'path = "{speech}"\n', "")
    with pytest.raises(ConfigError, match=r"datasets\.tiny\.path: missing; give the folder"):
        find(changed, "tiny")


def test_an_absent_corpus(loaded, speech):
    shutil.rmtree(speech)
    assert isinstance(find(loaded, "tiny"), Absence)
    with pytest.raises(CorpusAbsent, match=r"tiny is not on this machine: .*example\.org/tiny"):
        list_dataset(loaded, "tiny", "quick")


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        (MANIFEST, "c1\tc\t", "c1x\tc\t", "manifest"),
        (MANIFEST, "c1\tc\t", "c1\td\t", "manifest"),
        (MANIFEST, "0.310", "0.311", "manifest"),
        ("../benchmark.toml", "seed = 0", "seed = 1", "split"),
        ("../benchmark.toml", "trials = 1000", "trials = 30", "test trial list"),
    ],
)
def test_changed_lists_are_refused_before_anything_is_decoded(loaded, speech, file, old, new, part):
    opened(loaded)
    edit(speech / file, old, new)
    with pytest.raises(LockError, match=f"tiny/quick: the {part} is not the locked one"):
        list_dataset(load(loaded.path), "tiny", "quick")


def test_changed_content_is_refused(loaded, speech):
    opened(loaded)
    shutil.rmtree(loaded.folder / "cache")
    samples, rate = soundfile.read(speech / "b" / "b0.flac", dtype="int16")
    soundfile.write(speech / "b" / "b0.flac", samples[::-1], rate)
    with pytest.raises(LockError, match="tiny/quick: the decoded content is not the locked one"):
        opened(loaded)


@pytest.fixture
def damaged(speech):
    """One item of the training or of a held-out split after the other, spoilt each its own way."""
    (speech / "a" / "a0.flac").unlink()
    (speech / "b" / "b1.wav").write_bytes(b"")
    (speech / "c" / "c2.wav").write_text("text")
    return {"a0": "line 2", "b1": "line 6", "c2": "line 10"}


def test_damaged_files_are_all_named_with_their_lines(loaded, speech, damaged):
    with pytest.raises(DataError) as caught:
        opened(loaded)
    message = str(caught.value)
    assert message.startswith("tiny: 3 of 24 items cannot be used:")
    for name, line in damaged.items():
        ending = "flac" if name.endswith("0") else "wav"
        assert f"{speech / name[0] / name}.{ending} ({line}): " in message
    assert "--leave-out-damaged" in message
    assert not loaded.lock_path.exists()


def test_damaged_files_are_left_out_on_request(loaded, damaged):
    dataset = opened(loaded, leave_out_damaged=True)
    assert dataset.left_out == tuple(damaged)
    assert dataset.lock.content == ""
    assert not loaded.lock_path.exists()
    assert sum(len(dataset.subset(split)) for split in ("train", "validation", "test")) == 21
    for split in ("validation", "test"):
        items, trials = (
            dataset.subset(split).items,
            dataset.listing.split_trials(split, dataset.left_out),
        )
        assert damaged.keys().isdisjoint(items["id"])
        labels = items["label"].to_numpy()
        assert len(trials) == len(items) * (len(items) - 1) // 2
        assert (trials.target == (labels[trials.enrol] == labels[trials.test])).all()


def test_a_dataset_pinned_whole_may_be_used_with_files_left_out(loaded, speech):
    whole = opened(loaded)
    shutil.rmtree(loaded.folder / "cache")
    (speech / "a" / "a0.flac").unlink()
    partial = opened(loaded, leave_out_damaged=True)
    assert partial.left_out == ("a0",)
    assert partial.lock == whole.lock


def test_mended_files_are_read_on_the_next_call(loaded, speech):
    path = speech / "a" / "a0.flac"
    sound = path.read_bytes()
    path.write_bytes(b"")
    assert opened(loaded, leave_out_damaged=True).left_out == ("a0",)
    path.write_bytes(sound)
    kept = opened(loaded, leave_out_damaged=True, keep_damaged_pack=True)
    assert kept.left_out == ("a0",)
    assert opened(loaded).left_out == ()


def test_a_broken_lock_is_refused(loaded):
    loaded.lock_path.write_text("[datasets")
    with pytest.raises(LockError, match="not a lock file"):
        list_dataset(loaded, "tiny", "quick")


@pytest.mark.parametrize("name", ["speechocean762", "arabic-speech-commands", "omniglot-latin"])
def test_real_corpora_are_listed_as_our_benchmark_names_them(shared_data, monkeypatch, name):
    monkeypatch.setenv("HARNESS_DATA", str(shared_data))
    ours = load()
    rule = ours.benchmark.datasets[name].split
    counts = list_dataset(ours, name, "quick").lock.counts
    assert counts["validation"]["units"] == rule.validation
    assert counts["test"]["units"] == rule.test
    assert counts["train"]["units"] > rule.test
