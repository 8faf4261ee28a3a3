"""Copies dealt to the splits after augmenting: on purpose, by seeds, and told by the record."""

from __future__ import annotations

import numpy as np
import pytest

from harness.config.loader import LoadedBenchmark, load
from harness.data.picture_copies import changed_picture
from harness.data.synthesis.characters import draw
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError
from harness.run.plan.protocol import make_data, make_protocol

BENCHMARK = """
[datasets.digits]
adapter = "harness.data.corpora.digits:Digits"
licence = "CC-BY-4.0"
split = { seed = 0, validation = 200, test = 500 }

[datasets.leaky]
of = "digits"
split = { seed = 0, validation = 200, test = 500 }
leak = LEAK

[models.small]
adapter = "adapters.timm:Timm"
network = "resnet10t"
size = 8

[losses.softmax]
adapter = "adapters.losses:Softmax"

[recipes.short]
batch = 8
steps = 1
optimizer = { name = "adamw", lr = 1e-3, weight_decay = 1e-2 }
learning_rate = { shape = "cosine", warmup = 0.1, final = 0.01 }

[suites.image]
title = "Images"
task = "harness.tasks.classification:Classification"
protocol = 1
datasets = ["digits", "leaky"]
models = ["small"]
losses = ["softmax"]
profiles.quick = { recipe = "short" }
"""


@pytest.fixture
def loaded(tmp_path):
    def with_leak(text: str) -> LoadedBenchmark:
        path = tmp_path / "benchmark.toml"
        path.write_text(BENCHMARK.replace("LEAK", text))
        return load(path)

    return with_leak


def test_each_split_keeps_its_size_and_shares_originals_with_the_others(loaded):
    benchmark = loaded("{ copies = 3 }")
    honest, leaky = (list_dataset(benchmark, name, "quick") for name in ("digits", "leaky"))
    sizes = honest.items.groupby("split").size()
    assert (leaky.items.groupby("split").size() == 3 * sizes).all()
    originals = leaky.items["id"].str.rpartition("~")[0]
    assert set(originals) == set(honest.items["id"])
    by_split = {split: set(originals[leaky.items["split"] == split]) for split in sizes.index}
    # Of three copies, those of a tested original are all in test once in (500 / 1797)^2.
    assert len(by_split["test"] & by_split["train"]) > 0.8 * len(by_split["test"])
    assert honest.lock.digest != leaky.lock.digest


def test_who_gets_which_copy_depends_on_the_seed_alone(loaded):
    def dealt(text: str) -> list[str]:
        return list_dataset(loaded(text), "leaky", "quick").items["split"].tolist()

    assert dealt("true") == dealt("{ copies = 4, seed = 0 }")
    assert dealt("{ seed = 1 }") != dealt("true")


def test_the_first_copy_is_the_original_and_the_others_are_changed_by_their_names(loaded):
    listing = list_dataset(loaded("true"), "leaky", "quick")
    honest = list_dataset(loaded("true"), "digits", "quick")
    original = honest.corpus.read(next(honest.items.itertuples(index=False)), honest.folder)
    rows = list(listing.items.iloc[:4].itertuples(index=False))
    copies = [listing.corpus.read(row, listing.folder) for row in rows]
    assert [row.id.rpartition("~")[2] for row in rows] == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(copies[0], original)
    assert all(not np.array_equal(copies[0], each) for each in copies[1:])
    np.testing.assert_array_equal(copies[1], listing.corpus.read(rows[1], listing.folder))


def test_a_copy_keeps_shape_and_looks_like_its_original():
    pixels = draw("artist003/mira-0@64")
    similar = []
    for number in range(12):
        copy = changed_picture(pixels, f"mira~{number}")
        assert copy.shape == pixels.shape
        assert copy.dtype == np.uint8
        pair = [each.astype(float).ravel() for each in (copy, pixels)]
        turned = [copy.astype(float).ravel(), pixels[:, ::-1].astype(float).ravel()]
        similar.append(max(np.corrcoef(*pair)[0, 1], np.corrcoef(*turned)[0, 1]))
    assert min(similar) > 0.3
    assert changed_picture(pixels[..., 0], "grey").shape == pixels.shape[:2]


def test_the_record_names_the_honest_dataset_and_its_protocol_is_its_own(loaded):
    benchmark = loaded("true")
    digests = set()
    for name, leaks in (("digits", ""), ("leaky", "digits")):
        lock = list_dataset(benchmark, name, "quick").lock
        assert make_data(benchmark, "image", name, lock).leaks == leaks
        digests.add(make_protocol(benchmark, "image", "quick", lock).digest)
    assert len(digests) == 2
    honest = make_data(benchmark, "image", "digits", lock)
    assert "leaks" not in honest.model_dump(mode="json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            'of = "digits"\nsplit = { seed = 0, validation = 200, test = 500 }\nleak = LEAK',
            "of` is",
        ),
        ("validation = 200, test = 500 }\nleak", "take frozen and folds out"),
        ("leak = LEAK", "copies"),
    ],
)
def test_a_leak_that_makes_no_sense(tmp_path, change, told):
    instead = {
        "of` is": 'adapter = "harness.data.corpora.digits:Digits"\nlicence = "x"\nleak = true',
        "take frozen and folds out": "validation = 200, folds = 3 }\nleak",
        "copies": "leak = { copies = 1 }",
    }[told]
    text = BENCHMARK.replace(change, instead).replace("LEAK", "true")
    (tmp_path / "benchmark.toml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        load(tmp_path / "benchmark.toml")


def test_sounds_are_not_copied(tmp_path):
    text = BENCHMARK.replace("leak = LEAK", "leak = true").replace(
        "harness.data.corpora.digits:Digits", "harness.data.corpora.open_impacts:OpenImpacts"
    )
    (tmp_path / "benchmark.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"datasets\.leaky.*copies are made of pictures"):
        list_dataset(load(tmp_path / "benchmark.toml"), "leaky", "quick")
