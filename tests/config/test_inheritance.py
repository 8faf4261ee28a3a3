"""A dataset that stands on another one takes over what the corpus is, not how it is cut."""

from pathlib import Path

import pytest

from harness.config.loader import load
from harness.config.merging import write_out_inherited
from harness.errors import ConfigError

WHOLE = {"adapter": "a:B", "licence": "l", "path": "p", "second": True, "split": {}, "trials": 9}


def inherited(**own):
    return write_out_inherited(
        "datasets", {"whole": WHOLE, "part": {"of": "whole", **own}}, Path("b.toml")
    )["part"]


def test_what_the_corpus_is_is_taken_over():
    assert inherited(path="q") == {
        "of": "whole",
        "adapter": "a:B",
        "licence": "l",
        "path": "q",
        "second": True,
    }


def test_a_dataset_by_itself_stays_as_it_is():
    assert write_out_inherited("datasets", {"whole": WHOLE}, Path()) == {"whole": WHOLE}


@pytest.mark.parametrize("section", [3, [], {"a": 3}, {"a": {"of": 3}}])
def test_what_is_no_table_is_left_to_the_schema(section):
    assert write_out_inherited("datasets", section, Path()) == section


def test_another_one_that_does_not_exist_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"b\.toml: datasets\.part\.of: .*'hole'; did you mean"):
        write_out_inherited("datasets", {"whole": WHOLE, "part": {"of": "hole"}}, Path("b.toml"))


def test_a_chain_is_refused_with_its_end():
    tables = {"whole": WHOLE, "part": {"of": "whole"}, "less": {"of": "part"}}
    with pytest.raises(ConfigError, match=r"less\.of: 'part' stands on 'whole'; name that one"):
        write_out_inherited("datasets", tables, Path("b.toml"))


DATASET = """
[datasets.whole]
adapter = "harness.data.corpora.speech_manifest:SpeechManifest"
licence = "CC0-1.0"
path = "p"
label = "word"
split = { validation = 1, test = 1 }
trials = 10

[datasets.part]
of = "whole"
"""


def loaded(tmp_path, own=""):
    (tmp_path / "benchmark.toml").write_text(DATASET + own)
    return load(tmp_path / "benchmark.toml").benchmark.datasets["part"]


def test_a_benchmark_file_may_use_it(tmp_path):
    part = loaded(tmp_path, 'frozen = "splits/part.tsv"')
    assert part.fields == {"label": "word"}
    assert (part.path, part.split, part.trials) == ("p", None, None)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("trials = 3\ndraw_trials = { count = 3 }", "give either trials or draw_trials"),
        ("freeze = { count = 3 }", "frozen must say where it lies"),
        ('frozen = "f"\nsplit = { validation = 1, test = 1 }', "the frozen list holds the split"),
        ("draw_trials = { number = 3 }", r"part\.draw_trials\.number: unknown key"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(tmp_path, own, message):
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, own)


RECIPES = {"long": {"epochs": 9, "batch": 4, "optimizer": {"name": "sgd", "lr": 1.0}}}


def of_long(**own):
    return write_out_inherited(
        "recipes", {**RECIPES, "own": {"of": "long", **own}}, Path("b.toml")
    )["own"]


def test_a_recipe_takes_over_what_it_does_not_say():
    assert of_long(batch=8) == {**RECIPES["long"], "batch": 8}
    assert of_long(optimizer={"lr": 2.0})["optimizer"] == {"lr": 2.0}, "whole tables, as they stand"


def test_a_length_takes_the_place_of_either():
    assert of_long(steps=3) == {"steps": 3, "batch": 4, "optimizer": RECIPES["long"]["optimizer"]}


def test_a_recipe_of_one_that_does_not_exist():
    with pytest.raises(ConfigError, match=r"b\.toml: recipes\.own\.of: .*'lang'; did you mean"):
        write_out_inherited("recipes", {**RECIPES, "own": {"of": "lang"}}, Path("b.toml"))
