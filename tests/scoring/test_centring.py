"""Mean subtraction."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics.validation import MetricError
from harness.scoring.centring import subtract_mean


def test_a_set_seen_from_its_own_centre_has_mean_zero():
    values = np.random.default_rng(0).normal(3, 1, (50, 4)).astype(np.float32)
    centred = subtract_mean(values, values)
    assert centred.dtype == np.float32
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(centred - centred[0], values - values[0], atol=1e-6)


def test_the_mean_is_that_of_the_named_set():
    got = subtract_mean([[5.0, 5.0]], of=[[1.0, 2.0], [3.0, 2.0]])
    np.testing.assert_array_equal(got, [[3.0, 3.0]])


def test_the_mean_of_many_is_summed_in_double_precision():
    many = np.full((200_000, 4), 0.1, dtype=np.float32)
    np.testing.assert_allclose(subtract_mean(many[:1], of=many), 0, atol=1e-8)


@pytest.mark.parametrize(
    ("values", "of", "message"),
    [
        ([[1.0, 2.0]], [[1.0]], "sizes 2 and 1 differ"),
        ([[np.nan]], [[1.0]], "embeddings: 1 of 1 rows"),
        ([[1.0]], [[1.0], [np.inf]], "the set whose mean is subtracted: 1 of 2 rows.*row 1"),
    ],
)
def test_wrong_sets_are_refused(values, of, message):
    with pytest.raises(MetricError, match=message):
        subtract_mean(values, of)
