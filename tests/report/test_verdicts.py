"""Wrong verdicts on trials: hardest, shared, and what they gather at."""

import numpy as np

from harness.report.verdicts import Verdicts, accepted_pairs, rejected_items, shared


def verdicts(scores, target, threshold=0.5):
    return Verdicts(np.array(scores, np.float32), np.array(target, bool), threshold)


FIRST = verdicts([0.9, 0.1, 0.4, 0.8, 0.6, 0.2], [1, 1, 1, 0, 0, 0])
SECOND = verdicts([0.9, 0.4, 0.7, 0.6, 0.1, 0.3], [1, 1, 1, 0, 0, 0])


def test_the_hardest_lie_farthest_beyond_the_threshold():
    assert FIRST.hardest(9, accepted=True).tolist() == [3, 4]
    assert FIRST.hardest(9, accepted=False).tolist() == [1, 2]
    assert FIRST.hardest(1, accepted=False).tolist() == [1]


def test_of_equal_ones_the_first_of_the_list_are_shown():
    many = verdicts([0.9] * 500 + [0.1] * 10, [0] * 510)
    assert many.hardest(3, accepted=True).tolist() == [0, 1, 2]


def test_a_score_at_the_threshold_is_accepted():
    assert verdicts([0.5, 0.5], [1, 0]).wrong.tolist() == [False, True]


def test_votes_decide_before_margins():
    third = verdicts([0.9, 0.49, 0.4, 0.51, 0.1, 0.3], [1, 1, 1, 0, 0, 0])
    assert shared([FIRST, SECOND], 9).tolist() == [1, 3]
    # The third trial has two votes of three, and wider margins than the second's and the fourth's.
    assert shared([FIRST, SECOND, third], 9).tolist() == [1, 3, 2]
    assert len(shared([FIRST, SECOND, third], 1)) == 1


def test_an_item_with_another_speakers_label_is_found():
    """Item 7 bears the label of speaker 1 and sounds like speaker 4."""
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(5), 5)
    true = label.copy()
    true[7] = 4
    one, other = np.triu_indices(len(label), k=1)
    target = label[one] == label[other]
    systems = [
        verdicts(
            np.where(true[one] == true[other], 0.9, 0.1) + rng.normal(0, 0.1, len(one)), target
        )
        for _ in range(2)
    ]
    first = rejected_items(systems, (one, other), most=3, fewest=3)[0]
    assert (first.place, first.wrong, first.judged) == ((7,), 8, 8)
    pair = accepted_pairs(systems, (label[one], label[other]), most=1, fewest=3)[0]
    assert (pair.place, pair.wrong, pair.judged) == ((1, 4), 10, 50)


def test_nothing_gathers_where_nothing_is_wrong():
    right = verdicts([0.9, 0.1], [1, 0])
    sides = (np.array([0, 0]), np.array([1, 2]))
    assert rejected_items([right], sides, 5, 1) == []
    assert accepted_pairs([right], sides, 5, 1) == []
    assert shared([right, right], 5).tolist() == []
