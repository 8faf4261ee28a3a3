"""A benchmark file is read whole, or refused with file, key and mend."""

import math
import re
import sys

import pytest

from harness.config.imports import construct
from harness.config.loader import load, look_up, with_settings
from harness.config.merging import builtin_benchmark
from harness.config.recipes import Recipe
from harness.errors import ConfigError


def refusal(path):
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert path.name in str(caught.value)
    return str(caught.value)


def test_a_good_file(written):
    loaded = load(written())
    assert loaded.suite("small").datasets == ("digits",)
    assert loaded.benchmark.models["net"].fields == {"channels": 64}
    assert loaded.lock_path == loaded.folder / "mine.lock"
    assert loaded.where("models", "net") == f"{loaded.path}: models.net"


def test_our_own_file_is_good():
    loaded = load(builtin_benchmark())
    assert {"speaker", "image", "loss"} <= set(loaded.benchmark.suites)


def test_without_a_path_the_current_folder_comes_first(written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load().path == builtin_benchmark()
    written().rename(tmp_path / "benchmark.toml")
    assert load().path == tmp_path / "benchmark.toml"


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        ("batch = 8", "bach = 8", "recipes.short.bach", "did you mean 'batch'?"),
        ("batch = 8", 'batch = "8"', "recipes.short.batch", "found '8'"),
        ("batch = 8", "batch = 8.0", "recipes.short.batch", "valid integer"),
        (
            "batch = 8",
            "batch = 8\nmomenta = [1, -inf]",
            "recipes.short.momenta.1",
            "-inf is no fin",
        ),
        ("channels = 64", "channels = nan", "models.net.channels", "nan is no finite number"),
        ("batch = 8", "batch = 0", "recipes.short.batch", "from 1 to"),
        ("steps = 10", "steps = 10\nepochs = 1", "recipes.short", "either steps or epochs"),
        ("steps = 10", "", "recipes.short", "either steps or epochs"),
        ('"Small"', "7", "suites.small.title", "valid string"),
        ('title = "Small"', "", "suites.small.title", "missing"),
        ("[suites.small]", "[suits.small]", "suits", "did you mean 'suites'?"),
        ('licence = "CC-BY-4.0"', "", "datasets.digits.licence", "missing"),
        ("seed = 0", "sed = 0", "datasets.digits.split.sed", "did you mean 'seed'?"),
        ("profiles.quick", "profiles.fast", "suites.small.profiles.fast", "'quick' or 'full'"),
        ("quick = { recipe", "quick = { recip", "profiles.quick.recip", "did you mean 'recipe'?"),
        ('models = ["net"]', 'models = ["ent"]', "suites.small.models", "did you mean 'net'?"),
        ('datasets = ["digits"]', 'datasets = ["digit"]', "suites.small.datasets", "'digits'?"),
        ('losses = ["plain"]', 'losses = ["plan"]', "suites.small.losses", "'plain'?"),
        ('recipe = "short"', 'recipe = "shor"', "suites.small.profiles", "did you mean 'short'?"),
        ("[models.net]", '[models."../net"]', "models.../net", "match pattern"),
        ('losses = ["plain"]', "", "suites.small", "give models and losses, or neither"),
        ('models = ["net"]\nlosses = ["plain"]', "", "suites.small", "nothing to run"),
        ('models = ["net"]', 'models = ["net", "net"]', "suites.small", "a system comes twice"),
        ('quick = { recipe = "short" }', "quick = {}", "suites.small", "give a recipe"),
        (
            'title = "Small"',
            'title = "Small"\ncurve = "imbalance"',
            "suites.small.curve",
            "datasets.digits gives no number 'imbalance'",
        ),
        (
            'quick = { recipe = "short" }',
            'quick = { recipe = "short", budgets = [80] }\ncurve = "imbalance"',
            "suites.small",
            "curve: results are a curve over several budgets; give either",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_mend(written, old, new, key, mend):
    message = refusal(written(old, new))
    assert re.search(rf"{re.escape(key)}\b", message)
    assert mend in message


def test_every_fault_is_told_at_once(written):
    message = refusal(written("batch = 8\nsteps = 10", 'batch = "a"\nsteps = "b"'))
    assert "recipes.short.batch" in message
    assert "recipes.short.steps" in message


@pytest.mark.parametrize(
    ("override", "key", "mend"),
    [
        ("set = { stepz = 3 }", "overrides.0.set.stepz", "did you mean 'steps'?"),
        ("set = { steps = '3' }", "overrides.0.set.steps", "found '3'"),
        ("set = { steps = 2024-01-01 }", "overrides.0.set.steps", "valid integer"),
        ("set = { 'batch.size' = 3 }", "overrides.0.set.batch.size", "one value, not a table"),
        ("set = { 'optimizer.rate' = 3 }", "overrides.0.set.optimizer.rate", "unknown key"),
        ("model = 'nett'\nset = {}", "overrides.0.model", "did you mean 'net'?"),
        ("profile = 'full'\nset = {}", "overrides.0.profile", "known: quick"),
        ("recipe = 'long'\nset = {}", "overrides.0.recipe", "short"),
        ("modle = 'net'\nset = {}", "overrides.0.modle", "did you mean 'model'?"),
    ],
)
def test_a_wrong_override(written, override, key, mend):
    message = refusal(written(add=f"[[suites.small.overrides]]\n{override}\n"))
    assert f"suites.small.{key}" in message
    assert mend in message


def test_an_override_is_checked_against_the_recipes_of_its_own_profile(written):
    path = written(
        'profiles.quick = { recipe = "short" }',
        'profiles.quick = { recipe = "short" }\nprofiles.full = { recipe = "long" }',
        add="[recipes.long]\nepochs = 2\n"
        "[[suites.small.overrides]]\nprofile = 'full'\nset = { epochs = 3 }\n",
    )
    assert load(path).benchmark.suites["small"].overrides[0].set == {"epochs": 3}


@pytest.mark.parametrize(
    ("entry", "key", "mend"),
    [
        ('{ model = "nett", loss = "plain" }', "entries.0.model", "did you mean 'net'?"),
        ('{ model = "net", loss = "plane" }', "entries.0.loss", "did you mean 'plain'?"),
        ('{ model = "net", loss = "plain", recipe = "x" }', "entries.0.recipe", "known: short"),
        ('{ model = "net", loss = "plain" }', "", "a system comes twice"),
    ],
)
def test_a_wrong_entry(written, entry, key, mend):
    message = refusal(written('losses = ["plain"]', f'losses = ["plain"]\nentries = [{entry}]'))
    assert "suites.small" in message
    assert key in message
    assert mend in message


def test_an_entry_brings_its_own_recipe_and_needs_no_other(written):
    entries = 'entries = [{ model = "net", loss = "plain", recipe = "short" }]'
    path = written(
        'models = ["net"]\nlosses = ["plain"]\nprofiles.quick = { recipe = "short" }',
        f"{entries}\nprofiles.quick = {{}}",
    )
    assert load(path).benchmark.suites["small"].systems[0].recipe == "short"


def test_an_exclusion_of_an_unknown_dataset(written):
    text = "[[suites.small.exclude]]\ndataset = 'letters'\nreason = 'none'\n"
    assert "suites.small.exclude.0.dataset" in refusal(written(add=text))


def test_not_toml(written):
    message = refusal(written(add="[models\n"))
    assert "not TOML" in message
    assert "at line" in message


def test_not_text(written):
    path = written()
    path.write_bytes(b"title = '\xff\xfe'")
    assert "not TOML" in refusal(path)


def test_no_such_file(tmp_path):
    assert "no such file" in refusal(tmp_path / "absent.toml")


def test_a_folder_is_not_a_file(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_a_file_is_not_a_folder(written):
    assert "cannot be read" in refusal(written() / "benchmark.toml")


def test_a_suite_that_is_asked_for_and_does_not_exist(written):
    with pytest.raises(ConfigError, match="no suite is called 'smal'; did you mean 'small'"):
        load(written()).suite("smal")


def test_known_gives_the_entry():
    assert look_up({"a": 1}, "a", "letter") == 1


def test_a_file_of_ones_own_on_top_of_ours(tmp_path):
    (tmp_path / "own_network_of_loader_test.py").write_text(
        "from dataclasses import dataclass\n\n\n"
        "@dataclass(frozen=True)\nclass Own:\n    width: int = 4\n    version = 1\n"
    )
    path = tmp_path / "own.toml"
    path.write_text(
        'base = "trialboard"\n[models.own]\nadapter = "own_network_of_loader_test:Own"\nwidth = 8\n'
    )
    loaded = load(path)
    table = loaded.benchmark.models["own"]
    assert construct(table.adapter, table.fields, "models.own").width == 8
    assert "ecapa-512" in loaded.benchmark.models
    assert loaded.benchmark.budget == load(builtin_benchmark()).benchmark.budget
    assert str(tmp_path) in sys.path


def test_a_bases_entry_stays_as_it_is(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('base = "trialboard"\n[losses.aam]\nadapter = "adapters.losses:Softmax"\n')
    message = refusal(path)
    assert "losses.aam" in message
    assert "choose another name" in message


def test_a_base_beside_the_file_brings_its_budget_and_its_modules(written, tmp_path):
    folder = tmp_path / "above"
    folder.mkdir()
    base = written(add='[budget]\ngpu_memory = "11 GiB"\n')
    path = folder / "top.toml"
    path.write_text(f'base = "../{base.name}"\n[models.more]\nadapter = "a:B"\n')
    loaded = load(path)
    assert loaded.benchmark.budget.gpu_memory == "11 GiB"
    assert set(loaded.benchmark.models) == {"net", "more"}
    assert {str(folder), str(tmp_path)} <= set(sys.path)


def test_a_base_that_does_not_exist(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('base = "nothing.toml"\n')
    with pytest.raises(ConfigError, match=r"nothing\.toml: no such file"):
        load(path)


def test_a_circle_of_bases(tmp_path):
    (tmp_path / "a.toml").write_text('base = "b.toml"\n')
    (tmp_path / "b.toml").write_text('base = "a.toml"\n')
    with pytest.raises(ConfigError, match="its own base"):
        load(tmp_path / "a.toml")


@pytest.mark.parametrize("text", ["base = 3\n", 'base = "trialboard"\nmodels = 3\n'])
def test_a_base_or_section_of_the_wrong_type(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text)
    assert re.search(r"(base|models): Input should be", refusal(path))


RECIPE = Recipe(batch=8, steps=10)


def test_settings_are_finite():
    with pytest.raises(ConfigError, match=r"r: optimizer\.lr: inf is no finite number"):
        with_settings(RECIPE, {"optimizer": {"lr": math.inf}}, "r: ")


def test_settings_reach_into_tables():
    changed = with_settings(RECIPE, {"optimizer.lr": 0.5, "augment": {"time_mask": 3}}, "")
    assert changed.optimizer.lr == 0.5
    assert changed.optimizer.name == RECIPE.optimizer.name
    assert changed.augment.time_mask == 3
    assert RECIPE.optimizer.lr != 0.5


def test_a_length_in_epochs_replaces_one_in_steps_and_back():
    assert with_settings(RECIPE, {"epochs": 2}, "").steps is None
    assert with_settings(Recipe(epochs=2), {"steps": 3}, "").epochs is None


def test_a_new_schedule_may_be_set():
    changed = with_settings(RECIPE, {"schedules.margin.end": 0.25}, "")
    assert changed.schedules["margin"].end == 0.25


def test_an_unknown_setting_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match=r"--set optimizer\.lrr: unknown key; did you mean 'lr'"):
        with_settings(RECIPE, {"optimizer.lrr": 1}, "--set ")


def test_a_budget_of_ones_own_on_a_base_is_refused(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('base = "trialboard"\n[budget]\ngpu_memory = "24 GiB"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"mine.toml: budget: the base 'trialboard' has its own"):
        load(file)


def test_datasets_of_a_curve_have_different_numbers(written):
    twin = (
        '[datasets.twin]\nof = "digits"\nsplit = { validation = 200, test = 500 }\nimbalance = 3\n'
    )
    both = written(
        'datasets = ["digits"]',
        'datasets = ["digits", "twin"]\ncurve = "imbalance"',
        add=twin,
    )
    spoilt = both.read_text().replace("[models.net]", "imbalance = 3.0\n[models.net]", 1)
    both.write_text(spoilt)
    assert "suites.small.curve: several datasets have imbalance = 3" in refusal(both)
    both.write_text(spoilt.replace("imbalance = 3.0", "imbalance = 1.5"))
    benchmark = load(both).benchmark
    assert benchmark.levels(benchmark.suites["small"]) == {"digits": 1.5, "twin": 3.0}
