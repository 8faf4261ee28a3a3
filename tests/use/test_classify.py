"""Classes of pictures, by a classifier that is small enough to be checked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from harness.errors import RequestError
from harness.run.plan.questions import DeclaredInput
from harness.use.classify import predict
from harness.use.given_items import GivenItems
from harness.use.model_facts import ModelFacts

FACTS = ModelFacts(
    entry="nearest mean",
    seed=None,
    suite="image",
    profile="quick",
    dataset="digits",
    licence="CC-BY-4.0",
    source="",
    synthetic=False,
    unit="picture",
    record="0" * 64,
    checkpoint="0" * 64,
    code="",
    output="logits",
    input=DeclaredInput(name="Image", fields={"size": 8, "channels": 1}),
    kind="image",
    classes=tuple("0123456789"),
    metrics={},
)


class NearestMean:
    """The nearer a class's mean, the higher its logit."""

    def __init__(self, facts: ModelFacts = FACTS) -> None:
        self.facts = facts
        pictures, labels = digits()
        self.means = np.stack([pictures[labels == label].mean(axis=0) for label in range(10)])

    def outputs(self, items: GivenItems) -> NDArray[np.float32]:
        stacked = np.stack([content.astype(float) for content in items.contents])
        gaps = stacked[:, None] - self.means[None]
        return (-np.square(gaps).sum(axis=(2, 3)) / 2e4).astype(np.float32)


def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    bunch = load_digits()
    return np.rint(bunch.images * (255 / 16)), bunch.target


def saved(folder: Path, count: int) -> tuple[list[Path], list[str]]:
    pictures, labels = digits()
    paths = [folder / f"{place}.png" for place in range(count)]
    for path, picture in zip(paths, pictures, strict=False):
        Image.fromarray(picture.astype(np.uint8)).save(path)
    return paths, [str(label) for label in labels[:count]]


def test_pictures_are_told_apart(tmp_path: Path) -> None:
    paths, labels = saved(tmp_path, 100)
    found = predict(NearestMean(), paths, top=3)
    assert [each.file for each in found] == [str(path) for path in paths]
    best = [each.classes[0].label for each in found]
    assert np.mean([told == label for told, label in zip(best, labels, strict=True)]) > 0.85
    for each in found:
        shares = [one.probability for one in each.classes]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1


def test_all_classes_may_be_asked_for(tmp_path: Path) -> None:
    (found,) = predict(NearestMean(), saved(tmp_path, 1)[0], top=50)
    assert {each.label for each in found.classes} == set(FACTS.classes)
    assert sum(each.probability for each in found.classes) == pytest.approx(1)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(RequestError, match=r"text\.png: cannot be decoded"):
        predict(NearestMean(), [tmp_path / "text.png"], top=1)


def test_classes_without_names_are_refused(tmp_path: Path) -> None:
    nameless = NearestMean(FACTS.model_copy(update={"classes": ()}))
    with pytest.raises(RequestError, match="its lists name the classes"):
        predict(nameless, saved(tmp_path, 1)[0], top=1)
