"""Wrong verdicts on trials: hardest, shared, and what they gather at."""

import numpy as np

from harness.report.verdicts import EACH, Verdicts, accepted_pairs, rejected_items, shared


def verdicts(scores, target, threshold=0.5):
    return Verdicts(np.array(scores, np.float32), np.array(target, bool), threshold)


FIRST = verdicts([0.9, 0.1, 0.4, 0.8, 0.6, 0.2], [1, 1, 1, 0, 0, 0])
SECOND = verdicts([0.9, 0.4, 0.7, 0.6, 0.1, 0.3], [1, 1, 1, 0, 0, 0])
APART = (np.arange(6), np.arange(6))
"""Speakers of both sides, none of whom is in two trials."""


def test_the_hardest_lie_farthest_beyond_the_threshold():
    assert FIRST.hardest(9, APART, accepted=True) == ([3, 4], [])
    assert FIRST.hardest(9, APART, accepted=False) == ([1, 2], [])
    assert FIRST.hardest(1, APART, accepted=False) == ([1], [])


def test_of_equal_ones_the_first_of_the_list_are_shown():
    many = verdicts([0.9] * 500 + [0.1] * 10, [0] * 510)
    speakers = (np.arange(510), np.arange(510))
    assert many.hardest(3, speakers, accepted=True) == ([0, 1, 2], [])


def test_a_speaker_is_shown_a_few_times_and_what_was_passed_over_is_told():
    """Speaker 0 is on the enrolled side of the five hardest, and on the tested side of the last."""
    system = verdicts([0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.8, 0.7], [0] * 8)
    sides = (np.array([0, 0, 0, 0, 0, 6, 7, 8]), np.array([1, 2, 3, 4, 5, 7, 8, 0]))
    assert EACH == 3
    assert system.hardest(9, sides, accepted=True) == ([0, 1, 2, 5, 6], [3, 4, 7])
    assert system.hardest(4, sides, accepted=True) == ([0, 1, 2, 5], [3, 4])
    # Both sides of a rejected trial are one speaker, who is counted once.
    missed = verdicts([0.1, 0.2, 0.3, 0.4], [1] * 4)
    own = np.zeros(4, int)
    assert missed.hardest(9, (own, own), accepted=False) == ([0, 1, 2], [3])


def test_a_score_at_the_threshold_is_accepted():
    assert verdicts([0.5, 0.5], [1, 0]).wrong.tolist() == [False, True]


def test_votes_decide_before_margins():
    third = verdicts([0.9, 0.49, 0.4, 0.51, 0.1, 0.3], [1, 1, 1, 0, 0, 0])
    assert shared([FIRST, SECOND], 9, APART).places == [1, 3]
    # The third trial has two votes of three, and wider margins than the second's and the fourth's.
    assert shared([FIRST, SECOND, third], 9, APART).places == [1, 3, 2]
    assert shared([FIRST, SECOND, third], 1, APART) == ([1], [])


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
    assert shared([right, right], 5, sides) == ([], [])
