"""The embedded digits."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from harness.data.corpora.digits import Digits
from harness.data.corpus import COLUMNS

NOWHERE = Path("nowhere")


@pytest.fixture(scope="module")
def table():
    return Digits().items("quick", NOWHERE)


def test_every_picture_is_its_own_unit(table):
    assert set(table.columns) == set(COLUMNS)
    assert len(table) == table["unit"].nunique() == table["id"].nunique() == 1797


def test_labels_are_the_digits(table):
    assert table["label"].tolist() == [str(label) for label in load_digits().target]


def test_grey_levels_run_from_0_to_255(table):
    item = next(table.itertuples(index=False))
    picture = Digits().read(item, NOWHERE)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, np.rint(load_digits().images[0] / 16 * 255))
    assert picture.max() <= 255


def test_both_profiles_are_the_same(table):
    assert Digits().items("full", NOWHERE).equals(table)


def test_digits_are_classified():
    assert Digits().trials("quick", Path(), "test") is None
