"""VoxCeleb: the six lists, who trains, two layouts, the meta files, and every way a copy breaks."""

import shutil

import numpy as np
import pytest
import soundfile

from harness.config.datasets import SplitRule
from harness.config.imports import construct
from harness.data.corpora.voxceleb import TRIAL_LISTS, VoxCeleb
from harness.data.corpus import COLUMNS, TRIAL_COLUMNS
from harness.data.split import assign_split, check_disjoint
from harness.errors import ConfigError, DataError
from harness.trials.index import TrialTable, index_trials
from tests.data.miniature import VIDEOS, VOX1_DEV, VOX1_TEST, VOX2_DEV, VOX2_TEST, write_voxceleb

OWN = ("session", "gender", "nationality")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_voxceleb(tmp_path_factory.mktemp("voxceleb"))


@pytest.fixture(scope="module")
def merged(tmp_path_factory):
    return write_voxceleb(tmp_path_factory.mktemp("merged"), merged=True)


@pytest.fixture
def broken(written, tmp_path):
    """A copy to break."""
    shutil.copytree(written.folder, tmp_path / "copy")
    return type(written)(tmp_path / "copy", written.utterances, written.trials)


def items(written, **fields):
    return VoxCeleb(**fields).items("full", written.folder)


def units(table, split):
    return set(table.loc[table["split"] == split, "unit"])


def test_items(written):
    table = items(written)
    assert tuple(table.columns) == (*COLUMNS, *OWN)
    assert table["id"].is_unique
    assert (table["unit"] == table["label"]).all()
    assert all((written.folder / source).is_file() for source in table["source"])
    keys = list(zip(table["unit"], table["id"], strict=True))
    assert keys == sorted(keys)
    check_disjoint(assign_split(table, SplitRule(validation=2), "vox"), "vox")


@pytest.mark.parametrize("layout", ["written", "merged"])
@pytest.mark.parametrize(
    ("train", "speakers"),
    [("vox1", VOX1_DEV), ("vox2", VOX2_DEV), ("vox1+2", VOX1_DEV + VOX2_DEV)],
)
def test_who_trains_is_chosen(layout, train, speakers, request):
    written = request.getfixturevalue(layout)
    table = items(written, train=train)
    training = table[table["split"] == ""]
    assert set(training["unit"]) == set(speakers)
    assert set(training["id"]) == {each for name in speakers for each in written.utterances[name]}
    assert units(table, "test") == set(VOX1_TEST)


@pytest.mark.parametrize("name", TRIAL_LISTS)
def test_a_list_tests_what_it_names(written, name):
    corpus = VoxCeleb(trial_list=name)
    expected = written.trials[TRIAL_LISTS[name]]
    table = corpus.trials("full", written.folder, "test")
    assert tuple(table.columns) == TRIAL_COLUMNS
    assert list(zip(table["enrol"], table["test"], table["target"], strict=True)) == expected
    assert list(table["kind"]) == ["target" if each else "nontarget" for *_, each in expected]
    tested = corpus.items("full", written.folder)
    tested = tested[tested["split"] == "test"].reset_index(drop=True)
    assert set(tested["id"]) == {each for trial in expected for each in trial[:2]}
    indexed = index_trials(TrialTable(table), tested, "vox")
    unit = tested["unit"].to_numpy()
    np.testing.assert_array_equal(unit[indexed.enrol] == unit[indexed.test], indexed.target)


def test_the_line_of_a_tested_item_is_that_of_its_list(written):
    table = items(written).set_index("id")
    lines = (written.folder / "lists" / "veri_test2.txt").read_text().splitlines()
    tested = table[table["split"] == "test"]
    assert len(tested)
    assert all(name in lines[row["line"] - 1] for name, row in tested.iterrows())
    assert all(name not in "".join(lines[: row["line"] - 1]) for name, row in tested.iterrows())


def test_validation_and_models_are_left_to_the_benchmark(written):
    assert VoxCeleb().trials("full", written.folder, "validation") is None
    assert VoxCeleb().models("full", written.folder, "test") is None


@pytest.mark.parametrize("name", ["E", "E-cleaned", "H", "H-cleaned"])
@pytest.mark.parametrize("train", ["vox1", "vox1+2"])
def test_what_is_tested_cannot_be_trained_on(name, train):
    given = {"trial_list": name, "train": train}
    message = (
        rf"^datasets\.vox: the trial list {name} tests .*; give train = \"vox2\", or a list O$"
    )
    with pytest.raises(ConfigError, match=message):
        construct("harness.data.corpora.voxceleb:VoxCeleb", given, "datasets.vox")


def test_a_list_that_does_not_exist():
    with pytest.raises(ConfigError, match=r"datasets\.vox\.trial_list: .*'O-cleaned'.*'Q'"):
        construct("harness.data.corpora.voxceleb:VoxCeleb", {"trial_list": "Q"}, "datasets.vox")


def test_what_the_meta_files_tell(written):
    table = items(written, train="vox1+2").set_index("unit")
    assert set(table["session"]) == set(VIDEOS)
    for name in (*VOX1_DEV, *VOX1_TEST, *VOX2_DEV):
        assert set(table.loc[name, "gender"]) == {"mf"[int(name[-1]) % 2]}
    assert set(table.loc[list(VOX1_DEV), "nationality"]) == {"New Zealand"}
    assert set(table.loc[list(VOX2_DEV), "nationality"]) == {""}


def test_without_meta_files_the_same_without_them(broken):
    before = items(broken)
    for path in broken.folder.glob("*_meta.csv"):
        path.unlink()
    after = items(broken)
    assert after.drop(columns=list(OWN)).equals(before.drop(columns=list(OWN)))
    assert set(after["gender"]) == set(after["nationality"]) == {""}


@pytest.mark.parametrize("place", [".", "lists", "meta", "voxceleb1"])
def test_where_lists_and_meta_files_may_lie(broken, place):
    before = items(broken)
    (broken.folder / place).mkdir(exist_ok=True)
    for path in [*broken.folder.glob("lists/*.txt"), *broken.folder.glob("*_meta.csv")]:
        path.rename(broken.folder / place / path.name)
    assert items(broken).equals(before)


def test_merged_parts_of_the_second_corpus_need_its_meta_file(tmp_path):
    merged = write_voxceleb(tmp_path, merged=True, each=1)
    assert VOX2_TEST[0] not in units(items(merged), "")
    (tmp_path / "vox2_meta.csv").unlink()
    with pytest.raises(DataError, match=r"id00012: dev or test\? put vox2_meta\.csv beside"):
        items(merged)


def test_speakers_right_below_the_corpus(broken):
    before = items(broken)
    for path in sorted(broken.folder.glob("voxceleb1/*/wav/*")):
        path.rename(broken.folder / "voxceleb1" / path.name)
    assert items(broken).drop(columns="source").equals(before.drop(columns="source"))


def test_utterances_that_were_not_converted(broken):
    first = sorted((broken.folder / "voxceleb2" / "dev").rglob("*.flac"))[:4]
    for path in first:
        path.unlink()
    message = (
        r"voxceleb2: 4 of 48 utterances are there as \.m4a alone, .*id00012.*00001\.m4a; "
        r".* and 1 more; convert each beside itself: find .*voxceleb2 -name '\*\.m4a' -exec "
        r"sh -c 'ffmpeg -n -i \"\$0\" -ac 1 -ar 16000 \"\$\{0%\.m4a\}\.wav\"' \{\} \\;$"
    )
    with pytest.raises(DataError, match=message):
        items(broken)


def test_converted_files_may_lie_in_a_folder_of_their_own(broken):
    before = items(broken)
    for path in sorted((broken.folder / "voxceleb2" / "dev").rglob("*.flac")):
        place = broken.folder.joinpath("voxceleb2/dev/wav", *path.parts[-3:]).with_suffix(".wav")
        place.parent.mkdir(parents=True, exist_ok=True)
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(place, samples, rate)
        path.unlink()
    after = items(broken)
    assert after.drop(columns="source").equals(before.drop(columns="source"))
    item = next(after[after["split"] == ""].itertuples(index=False))
    assert item.source == f"voxceleb2/dev/wav/{item.id}.wav"
    place = broken.folder / item.source
    place.unlink()
    with pytest.raises(DataError, match="1 of 48 utterances are there as"):
        items(broken)


def test_an_utterance_is_read(written):
    item = next(items(written).itertuples(index=False))
    sound, rate = soundfile.read(written.folder / item.source, dtype="int16")
    assert rate == 16_000
    np.testing.assert_array_equal(VoxCeleb().read(item, written.folder), sound)


def test_an_absent_list(broken):
    (broken.folder / "lists" / "veri_test2.txt").unlink()
    message = r"has no veri_test2\.txt, the trial list O-cleaned; looked in .*/lists.*; get it from"
    with pytest.raises(DataError, match=message):
        items(broken)


@pytest.mark.parametrize("corpus", ["voxceleb1", "voxceleb2"])
def test_an_absent_corpus(broken, corpus):
    shutil.rmtree(broken.folder / corpus)
    with pytest.raises(DataError, match=rf"{corpus}: holds no recording; unpack the corpus there"):
        items(broken)


def test_the_second_corpus_is_not_asked_for_where_it_does_not_train(broken):
    shutil.rmtree(broken.folder / "voxceleb2")
    assert units(items(broken, train="vox1"), "") == set(VOX1_DEV)


@pytest.mark.parametrize("corpus", ["voxceleb1", "voxceleb2"])
def test_a_part_that_is_missing_is_told_before_anything_is_read(broken, corpus):
    assert VoxCeleb().missing(broken.folder) is None
    (broken.folder / corpus).rename(broken.folder / "elsewhere")
    missing = VoxCeleb().missing(broken.folder)
    assert missing.folders == (broken.folder / corpus,)
    assert f"Unpack {corpus} in {broken.folder}" in missing.mend
    assert ('train = "vox1"' in missing.mend) == (corpus == "voxceleb2")
    alone = VoxCeleb(train="vox1").missing(broken.folder)
    assert (alone is None) == (corpus == "voxceleb2")


def test_absent_test_files_are_counted(broken):
    shutil.rmtree(broken.folder / "voxceleb1" / "test" / "wav" / VOX1_TEST[1])
    message = rf"veri_test2\.txt: 6 of 18 files .* absent.*{VOX1_TEST[1]}.* and 3 more; unpacking"
    with pytest.raises(DataError, match=message):
        items(broken)


def test_a_list_with_its_label_last(broken):
    path = broken.folder / "lists" / "veri_test2.txt"
    path.write_text("id10270/a/1.wav id10271/a/1.wav 0\n" + path.read_text())
    with pytest.raises(
        DataError, match=r"veri_test2\.txt: 1 of 19 lines .* line 1 .*label 'id10270"
    ):
        items(broken)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 does not name columns"),
        ("id10001\tName\tm\n", "line 1 does not name columns"),
        ("VoxCeleb1 ID\tGender\tSet\nid10001\tm\tdev\nid10002\n", "line 3: 1 columns, want 3"),
        ("VoxCeleb1 ID,Gender\nid1," + "m" * 200_000, "line 2: field larger"),
    ],
)
def test_a_broken_meta_file(broken, text, message):
    (broken.folder / "vox1_meta.csv").write_text(text)
    with pytest.raises(DataError, match=rf"vox1_meta\.csv: {message}"):
        items(broken)
