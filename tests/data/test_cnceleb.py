"""CN-Celeb: who trains, what is tested, how models are enrolled, and every way a copy is broken."""

import shutil
import tarfile
from collections import Counter

import numpy as np
import pytest
import soundfile

from harness.config.datasets import SplitRule
from harness.config.loader import load
from harness.data.corpora.cnceleb import CnCeleb
from harness.data.corpus import COLUMNS, MODEL_COLUMNS, TRIAL_COLUMNS
from harness.data.split import assign_split, check_disjoint
from harness.datasets.corpus_folders import find
from harness.datasets.inventory import inventory
from harness.datasets.listing import list_dataset
from harness.datasets.preparing import unpack_archives
from harness.errors import CorpusAbsent, DataError
from harness.trials.index import TrialTable, index_trials
from tests.data.miniature import DEV, ENROLLED, NOT_ENROLLED, SECOND, write_cnceleb

AVERAGE, CONCATENATE = CnCeleb(), CnCeleb(enrolment="concatenate")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_cnceleb(tmp_path_factory.mktemp("cnceleb"))


@pytest.fixture
def broken(written, tmp_path):
    """A copy to break."""
    shutil.copytree(written.folder, tmp_path / "copy")
    return type(written)(tmp_path / "copy", written.utterances, written.enrolment, written.tests)


def items(written, corpus=AVERAGE):
    return corpus.items("full", written.folder)


def trials(written, corpus=AVERAGE):
    return corpus.trials("full", written.folder, "test")


def test_items(written):
    table = items(written)
    assert tuple(table.columns) == (*COLUMNS, "genre", "session")
    assert table["id"].is_unique
    assert (table["unit"] == table["label"]).all()
    assert (table["seconds"] == 0).all()
    assert all((written.folder / source).is_file() for source in table["source"])
    assert set(table["source"].str[-5:]) == {".flac"}


def test_the_speakers_of_the_lists_train(written):
    table = items(written)
    training = table[table["split"] == ""]
    expected = {f"{speaker}/{name}" for speaker in written.utterances
                for name in written.utterances[speaker]}  # fmt: skip
    assert set(training["id"]) == expected
    assert set(training["unit"]) == {*DEV, *SECOND}


@pytest.mark.parametrize(("train", "speakers"), [("1", DEV), ("2", SECOND), ("1+2", DEV + SECOND)])
def test_which_corpora_train_is_chosen(written, train, speakers):
    table = items(written, CnCeleb(train=train))
    assert sorted(set(table.loc[table["split"] == "", "unit"])) == sorted(speakers)


def test_the_second_corpus_is_not_asked_for_where_it_does_not_train(broken):
    shutil.rmtree(broken.second)
    assert len(items(broken, CnCeleb(train="1"))) > 0
    with pytest.raises(DataError, match=r'no folder CN-Celeb2_flac; get cn-celeb2_v2.*train = "1"'):
        items(broken)


def test_what_is_tested_where_utterances_are_averaged(written):
    table = items(written)
    tested = table[table["split"] == "test"]
    enrolling = {name for names in written.enrolment.values() for name in names}
    assert set(tested["id"]) == enrolling | {f"test/{name}" for name in written.tests}
    assert set(tested["unit"]) == {*ENROLLED, *NOT_ENROLLED}


def test_what_is_tested_where_models_are_files(written):
    table = items(written, CONCATENATE)
    tested = table[table["split"] == "test"]
    files = {f"enroll/{model}" for model in written.enrolment}
    assert set(tested["id"]) == files | {f"test/{name}" for name in written.tests}
    assert set(tested.loc[tested["id"].isin(files), "unit"]) == set(ENROLLED)


@pytest.mark.parametrize("corpus", [AVERAGE, CONCATENATE])
def test_items_of_a_speaker_are_neighbours_in_order(written, corpus):
    table = items(written, corpus)
    keys = list(zip(table["unit"], table["id"], strict=True))
    assert keys == sorted(keys)
    check_disjoint(assign_split(table, SplitRule(validation=3), "cnceleb"), "cnceleb")


def test_the_line_of_a_tested_item_is_that_of_its_list(written):
    table = items(written).set_index("id")
    maps = (written.lists / "enroll.map").read_text().splitlines()
    listed = (written.lists / "trials.lst").read_text().splitlines()
    assert all(
        name in maps[table.at[name, "line"] - 1]
        for names in written.enrolment.values()
        for name in names
    )
    assert all(
        listed[table.at[f"test/{name}", "line"] - 1].split()[1] == f"test/{name}.wav"
        for name in written.tests
    )
    assert (table.loc[table["split"] == "", "line"] == 0).all()


def test_genre_and_session_are_told_by_the_name(written):
    table = items(written).set_index("id")
    assert "live_broadcast" in set(table["genre"])
    for name, row in table.iterrows():
        assert f"{row['session']}-" in name
        assert row["session"].rpartition("-")[0] == row["genre"]


@pytest.mark.parametrize("name", ["speech-01", "Speech-01-001", "0001", "speech-01-001-x"])
def test_a_name_that_tells_no_genre(broken, name):
    sound = broken.first / "data" / DEV[0] / f"{name}.flac"
    soundfile.write(sound, np.arange(1000, dtype=np.int16), 16_000)
    row = items(broken).set_index("id").loc[f"{DEV[0]}/{name}"]
    assert (row["genre"], row["session"], row["unit"]) == ("", "", DEV[0])


def test_all_trials_stand_in_their_order(written):
    table = trials(written)
    assert tuple(table.columns) == TRIAL_COLUMNS
    expected = [(model, f"test/{test}", target) for model, test, target in written.trials]
    found = zip(table["enrol"], table["test"], table["target"], strict=True)
    assert list(found) == expected
    assert len(table) == len(written.enrolment) * len(written.tests)


def test_the_kind_of_a_trial_is_the_genre_of_its_test_utterance(written):
    table = trials(written)
    genre = items(written).set_index("id")["genre"]
    assert list(table["kind"]) == [genre[test] for test in table["test"]]


def test_trials_of_concatenated_models_name_files(written):
    single, averaged = trials(written, CONCATENATE), trials(written)
    assert list(single["enrol"]) == [f"enroll/{model}" for model in averaged["enrol"]]
    assert single.drop(columns="enrol").equals(averaged.drop(columns="enrol"))


def test_models_are_those_of_the_map(written):
    table = AVERAGE.models("full", written.folder, "test")
    assert tuple(table.columns) == MODEL_COLUMNS
    found = {model: list(part["item"]) for model, part in table.groupby("model")}
    assert found == written.enrolment
    assert CONCATENATE.models("full", written.folder, "test") is None


def test_validation_is_left_to_the_benchmark(written):
    assert AVERAGE.trials("full", written.folder, "validation") is None
    assert AVERAGE.models("full", written.folder, "validation") is None


@pytest.mark.parametrize("corpus", [AVERAGE, CONCATENATE])
def test_trials_fit_the_items(written, corpus):
    table = items(written, corpus)
    tested = table[table["split"] == "test"].reset_index(drop=True)
    models = corpus.models("full", written.folder, "test")
    indexed = index_trials(TrialTable(trials(written, corpus), models), tested, "cnceleb")
    units = tested["unit"].to_numpy()
    np.testing.assert_array_equal(
        units[indexed.enrolled_by()] == units[indexed.test], indexed.target
    )
    without = ~np.isin(units[indexed.test], units[indexed.enrolled_by()])
    assert Counter(units[indexed.test[without]]) == {
        NOT_ENROLLED[0]: len(ENROLLED) * sum(NOT_ENROLLED[0] in name for name in written.tests)
    }


def test_a_concatenated_model_holds_the_utterances_of_the_map(written):
    sounds = {row.id: row for row in items(written).itertuples(index=False)}
    files = {row.id: row for row in items(written, CONCATENATE).itertuples(index=False)}
    for model, names in written.enrolment.items():
        parts = [AVERAGE.read(sounds[name], written.folder) for name in names]
        whole = CONCATENATE.read(files[f"enroll/{model}"], written.folder)
        np.testing.assert_array_equal(whole, np.concatenate(parts))


def test_converted_files_are_taken_where_no_flac_is_there(broken):
    before = items(broken)
    for number, path in enumerate(sorted(broken.folder.rglob("*.flac"))):
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(path.with_suffix(".wav"), samples, rate)
        if number % 2:
            path.unlink()
    after = items(broken)
    assert after["id"].equals(before["id"])
    assert set(after["source"].str.rpartition(".")[2]) == {"flac", "wav"}
    place = after.index[after["source"].str.endswith(".wav")][0]
    rows = [list(table.itertuples(index=False))[place] for table in (before, after)]
    np.testing.assert_array_equal(
        AVERAGE.read(rows[1], broken.folder),
        soundfile.read(broken.folder / rows[1].source, dtype="int16")[0],
    )


def test_the_file_system_does_not_matter(written, monkeypatch):
    from harness.data.reading import sound_files

    forward = items(written)
    real = sound_files.os.listdir
    monkeypatch.setattr(sound_files.os, "listdir", lambda folder: sorted(real(folder))[::-1])
    assert items(written).equals(forward)


def test_lists_of_another_system(broken):
    before, listed = items(broken), trials(broken)
    for path in broken.folder.rglob("*.lst"):
        path.write_bytes(path.read_bytes().replace(b"\n", b" \r\n\r\n"))
    assert items(broken).drop(columns="line").equals(before.drop(columns="line"))
    assert trials(broken).equals(listed)


def test_the_first_corpus_is_absent(tmp_path):
    with pytest.raises(DataError, match=r"no folder CN-Celeb_flac; get cn-celeb_v2\.tar\.gz from"):
        AVERAGE.items("full", tmp_path)


@pytest.fixture
def benchmark(broken):
    """A benchmark file that names the corpus, beside another dataset that is always there."""
    path = broken.folder.parent / "benchmark.toml"
    path.write_text(
        f"""
[datasets.cnceleb]
adapter = "harness.data.corpora.cnceleb:CnCeleb"
path = "{broken.folder}"
licence = "none"
split = {{ seed = 0, validation = 2 }}
draw_trials = {{ count = 20 }}
"""
    )
    return path


def test_a_corpus_without_its_second_part_counts_as_absent(broken, benchmark):
    assert find(load(benchmark), "cnceleb") == (AVERAGE, broken.folder)
    broken.second.rename(broken.folder / "elsewhere")
    absence = find(load(benchmark), "cnceleb")
    assert absence.looked == (str(broken.second),)
    assert (
        f"Unpack cn-celeb2_v2.tar.gz (three parts to be joined) in {broken.folder}" in absence.mend
    )
    assert 'train = "1"' in absence.mend
    assert "CN-Celeb2_flac" in absence.message()
    (row,) = inventory(load(benchmark))
    assert (row["folder"], row["absence"]) == ("", absence.message())
    with pytest.raises(CorpusAbsent, match="CN-Celeb2_flac"):
        list_dataset(load(benchmark), "cnceleb", "full")
    benchmark.write_text(f'{benchmark.read_text()}train = "1"\n')
    assert len(list_dataset(load(benchmark), "cnceleb", "full").items)


def test_a_corpus_without_its_first_part_has_no_test(broken, benchmark):
    broken.first.rename(broken.folder / "elsewhere")
    absence = find(load(benchmark), "cnceleb")
    assert absence.looked == (str(broken.first),)
    assert "Unpack cn-celeb_v2.tar.gz in" in absence.mend
    assert "train without it" not in absence.mend


def test_the_archive_of_a_missing_part_is_unpacked_beside_the_other(broken, benchmark, tmp_path):
    archive = tmp_path / "second.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(broken.second, broken.second.name)
    shutil.rmtree(broken.second)
    unpack_archives(load(benchmark), "cnceleb", [archive])
    assert find(load(benchmark), "cnceleb") == (AVERAGE, broken.folder)


@pytest.mark.parametrize("name", ["dev/dev.lst", "eval/lists/enroll.map", "eval/lists/trials.lst"])
def test_an_absent_list(broken, name):
    (broken.first / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: (cannot be read|no such trial list)"):
        items(broken)


def test_absent_test_files_are_counted(broken):
    for name in broken.tests[:5]:
        (broken.first / "eval" / "test" / f"{name}.flac").unlink()
    with pytest.raises(DataError, match=r"trials\.lst: 5 of 30 files .* and 2 more; unpacking"):
        items(broken)


@pytest.mark.parametrize(("corpus", "listing"), [(AVERAGE, "map"), (CONCATENATE, "lst")])
def test_absent_enrolment_files_are_counted(broken, corpus, listing):
    shutil.rmtree(broken.first / "eval" / "enroll")
    shutil.rmtree(broken.first / "data" / ENROLLED[0])
    with pytest.raises(DataError, match=rf"enroll\.{listing}: [24] of (10|4) files .* absent"):
        items(broken, corpus)


def test_training_speakers_without_files(broken):
    shutil.rmtree(broken.first / "data" / DEV[1])
    shutil.rmtree(broken.first / "data" / DEV[6])
    message = rf"dev\.lst: 2 of 8 speakers have no \.flac or \.wav .*{DEV[1]}; {DEV[6]}; unpacking"
    with pytest.raises(DataError, match=message):
        items(broken)


def test_a_speaker_that_trains_and_is_tested(broken):
    with (broken.first / "dev" / "dev.lst").open("a") as file:
        file.write(f"{ENROLLED[0]}\n")
    with pytest.raises(DataError, match=f"in more than one split: {ENROLLED[0]}"):
        check_disjoint(assign_split(items(broken), SplitRule(validation=3), "cnceleb"), "cnceleb")


@pytest.mark.parametrize(("corpus", "listing"), [(AVERAGE, "map"), (CONCATENATE, "lst")])
def test_trials_of_a_model_that_is_not_enrolled(broken, corpus, listing):
    path = broken.lists / f"enroll.{listing}"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    message = rf"30 of 120 trials name models that enroll\.{listing} .* line 91 \(id00900-enroll\)"
    with pytest.raises(DataError, match=message):
        trials(broken, corpus)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("id00800-enroll test/x.wav", "2 columns, want 3"),
        ("id00800-enroll test/x.wav 2", "label '2', want 0 or 1"),
    ],
)
def test_unreadable_trials(broken, line, message):
    path = broken.lists / "trials.lst"
    path.write_text(f"{path.read_text()}\n{line}\n")
    with pytest.raises(DataError, match=rf"trials\.lst: 1 of 121 lines .*line 122 .*{message}"):
        trials(broken)


def test_a_model_without_utterances(broken):
    path = broken.lists / "enroll.map"
    path.write_text(f"{path.read_text()}id00901-enroll\n")
    with pytest.raises(DataError, match=r"enroll\.map: line 5: 'id00901-enroll' is too short"):
        items(broken)


def test_the_miniature_is_the_same_each_time(written, tmp_path):
    again = write_cnceleb(tmp_path)
    assert (again.utterances, again.enrolment, again.tests) == (
        written.utterances, written.enrolment, written.tests,
    )  # fmt: skip
    paths = [sorted(path for path in folder.rglob("*") if path.is_file())
             for folder in (written.folder, again.folder)]  # fmt: skip
    assert [p.read_bytes() for p in paths[0]] == [p.read_bytes() for p in paths[1]]


def test_the_miniature_is_small_and_of_all_lengths(written):
    table = items(written)
    lengths = [soundfile.info(written.folder / source).duration for source in table["source"]]
    assert len(table) < 160
    assert (min(lengths), max(lengths)) == (0.6, 2.5)
    assert (written.first / "data" / ENROLLED[0]).is_dir()
    assert max(map(len, written.enrolment.values())) > 1
