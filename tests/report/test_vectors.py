"""Vectors of a training are drawn: histograms over the steps, other values as they ended."""

from __future__ import annotations

from pathlib import Path

from harness.report.run import Run
from harness.report.section import ReportPicture
from harness.report.sections import vectors
from harness.report.text import read_words
from harness.series.series import Series, StepVector, scalar_frame

WORDS = read_words("en")


def of(*held: StepVector) -> Run:
    return Run("log", Path("log"), series=Series("log", scalar_frame([]), vectors=held))


def density(step: int) -> StepVector:
    return StepVector(
        "Train/gradient_density", step, 1.0, (0.5, step / 100, 0.1), (0.0, 0.3, 0.6, 1.0)
    )


def test_of_many_steps_some_are_drawn_the_first_and_the_last_among_them():
    steps = [vector.step for vector in vectors.chosen([density(step) for step in range(1, 41)])]
    assert len(steps) == vectors.STEPS
    assert (steps[0], steps[-1]) == (1, 40)
    assert len(vectors.chosen([density(1), density(2)])) == 2


def test_each_vector_has_a_picture_with_its_meaning():
    counts = StepVector("Train/class_counts", 9, 1.0, (3.0, 5.0), labels=("wood", "glass"))
    many = StepVector("Train/class_counts_of_all", 9, 1.0, tuple(map(float, range(200))))
    section = vectors.section([of(density(3), density(9), counts, many)], WORDS)
    assert section is not None
    pictures = [block for block in section.blocks if isinstance(block, ReportPicture)]
    assert [each.name for each in pictures] == [
        "vector-1-train-gradient_density",
        "vector-1-train-class_counts",
        "vector-1-train-class_counts_of_all",
    ]
    assert WORDS.get("glossary.gradient_density") in pictures[0].caption
    assert all(each.content.startswith(b"<?xml") for each in pictures)


def test_a_series_without_vectors_has_no_such_section():
    assert vectors.section([of(), Run("none", Path("none"))], WORDS) is None


def test_bars_are_those_of_the_last_step_which_the_title_names():
    made = vectors.section(
        [of(*(StepVector("Train/cluster_counts", step, 1.0, (3.0, 4.0)) for step in (5, 469)))],
        WORDS,
    )
    assert made is not None
    (picture,) = (block for block in made.blocks if isinstance(block, ReportPicture))
    assert b"<!-- Train/cluster_counts, step 469 -->" in picture.content
    assert b"<!-- step 469 -->" not in picture.content


def test_weights_of_which_one_dwarfs_the_others_have_a_logarithmic_axis():
    edges = (0.0, 0.3, 0.6, 1.0)
    made = vectors.section(
        [of(StepVector("Train/gradient_weight", 3, 1.0, (0.8, 1.5, 1e11), edges))], WORDS
    )
    assert made is not None
    (picture,) = (block for block in made.blocks if isinstance(block, ReportPicture))
    assert b"<!-- 1e10 -->" in picture.content or b"<!-- 1e11 -->" in picture.content


def test_words_are_explained_only_where_they_are_drawn():
    few = StepVector("Train/class_counts", 9, 1.0, (3.0, 5.0), labels=("wood", "glass"))
    many = StepVector("Train/class_counts", 9, 1.0, tuple(map(float, range(200))))
    drawn = [
        section.drawn for held in (few, many) if (section := vectors.section([of(held)], WORDS))
    ]
    assert drawn == [("step",), vectors.DRAWN]
