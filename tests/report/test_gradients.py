"""The pages of easy and hard examples, and a training at a glance, of a training that was run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from adapters.ghm import GhmClassification
from harness.records.record import Record
from harness.report.run import Run
from harness.report.section import Paragraph, ReportPicture, ReportTable, Section
from harness.report.sections import gradients, overview, vectors
from harness.report.text import LANGUAGES, read_words
from harness.series.reading import read_series
from harness.series.series_file import SeriesWriter
from harness.train.system import System
from tests.train.small_training import RECIPE, Trunk, trained

WORDS = read_words("en")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A training of four epochs, whose gradients were looked at after each."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(1)
    system = System(Trunk(), GhmClassification(bins=4), 3)
    changes = {"vector_epochs": (1, 2, 3, 4), "schedules": {}, "select": "last", "steps": 12}
    trained(folder, RECIPE.model_copy(update=changes), system=system, scheduled=())
    return Run("ghm", folder, series=read_series(folder)[0])


def made(section: Section | None) -> Section:
    assert section is not None
    return section


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_the_middle_and_the_last_epoch_are_shown(run: Run, language: str) -> None:
    section = made(gradients.section([run], read_words(language)))
    pictures = [block.name for block in section.blocks if isinstance(block, ReportPicture)]
    assert pictures == [f"gradients-1-train-{step}" for step in (3, 6, 12)]
    tables = [block for block in section.blocks if isinstance(block, ReportTable)]
    assert len(tables) == 2 * len(pictures)  # of the distributions, and of what is one number


def test_nine_statistics_of_norms_and_weights_stand_beside_one_another(run: Run) -> None:
    section = made(gradients.section([run], WORDS))
    table, summary, *_ = (block for block in section.blocks if isinstance(block, ReportTable))
    cells = {row[0]: row[1:] for row in table.rows}
    assert len(table.head) == 3
    assert cells["items"] == ("6", "6")
    assert len(cells) == 9
    low, _, high = cells["bin of the norm that holds most"][0].partition("–")
    assert float(high) - float(low) == pytest.approx(0.1)
    assert summary.head == ("", "Train")
    whole = dict(summary.rows)
    assert 0 <= float(whole["evenness of the weighted gradients"]) <= 1


def test_what_is_counted_in_a_ranking_is_called_pairs(
    run: Run, published: Callable[[str], tuple[Path, Record]]
) -> None:
    record = published("speaker/quick/open-26666/campplus-aam")[1]
    protocol = record.protocol.model_copy(update={"primary": "pair_accuracy"})
    ranking = replace(run, record=record.model_copy(update={"protocol": protocol}))
    section = made(gradients.section([ranking], WORDS))
    table = next(block for block in section.blocks if isinstance(block, ReportTable))
    assert "pairs" in [row[0] for row in table.rows]
    told = [block.text for block in section.blocks if isinstance(block, Paragraph)]
    assert "RankNet gives every pair the weight 1" in " ".join(told)


def test_vectors_that_are_shown_there_are_not_drawn_again(run: Run) -> None:
    section = made(vectors.section([run], WORDS))
    names = [block.name for block in section.blocks if isinstance(block, ReportPicture)]
    assert "vector-1-train-gradient_density" in names
    assert not [name for name in names if "norm_" in name or "weighted_gradients" in name]


def test_a_log_without_gradients_has_no_such_page() -> None:
    assert gradients.section([Run("none", Path("none"))], WORDS) is None
    assert overview.section([Run("none", Path("none"))], WORDS) is None


def validated(folder: Path, accuracies: Sequence[float], weight: float) -> Run:
    """A log whose loss as trained is a multiple of cross-entropy."""
    writer = SeriesWriter(folder, {}, 0, lambda step: step / 10)
    for step, (loss, accuracy) in enumerate(zip((2.0, 1.0, 1.5), accuracies, strict=True), 1):
        values = {"raw_loss": loss, "weighted_loss": loss * weight, "accuracy": accuracy}
        both = {f"{group}/{k}": v for group in ("Test", "TrainEval") for k, v in values.items()}
        writer.add(10 * step, 1.0, both)
    writer.flush()
    return Run("ghm", folder, series=read_series(folder)[0])


def test_a_loss_that_is_cross_entropy_is_shown_once(tmp_path: Path) -> None:
    section = made(overview.section([validated(tmp_path, (0.4, 0.7, 0.8), 1.0)], WORDS))
    _, note, *pictures, table = section.blocks
    assert isinstance(note, Paragraph)
    assert note.text == WORDS("overview.one_loss")
    assert len(pictures) == 2
    assert isinstance(table, ReportTable)
    assert "loss as trained" not in {*section.drawn, *(name.split(",")[0] for name in table.head)}


def test_a_validation_that_was_best_and_last_has_one_row(tmp_path: Path) -> None:
    section = made(overview.section([validated(tmp_path, (0.4, 0.7, 0.8), 0.5)], WORDS))
    table = section.blocks[-1]
    assert isinstance(table, ReportTable)
    assert [row[0].partition(" (")[0] for row in table.rows] == [
        "First validation",
        "Best and last validation",
    ]


def test_a_training_at_a_glance_names_first_best_and_last(tmp_path: Path) -> None:
    run = validated(tmp_path, (0.4, 0.8, 0.7), 0.5)
    _, *pictures, table = made(overview.section([run], WORDS)).blocks
    assert len(pictures) == 3
    assert all(isinstance(each, ReportPicture) for each in pictures)
    assert isinstance(table, ReportTable)
    assert [row[0] for row in table.rows] == [
        "First validation (epoch 1)",
        "Best validation (epoch 2)",
        "Last validation (epoch 3)",
    ]
    best = dict(zip(table.head, table.rows[1], strict=True))
    assert best["accuracy, validation"] == "80.0 %"
    assert best["cross-entropy, training"] == "1"
    assert best["loss as trained, validation"] == "0.5"
