"""Sections on trials, of published runs whose scores are judged here again."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.config.loader import load
from harness.metrics.recall_at_k import recall_at_k
from harness.records.documents import sha256_file
from harness.records.record import Artefact
from harness.report.judged import judged_runs
from harness.report.run import Run, find_runs
from harness.report.section import Paragraph, ReportPicture, ReportTable, Section, Widget
from harness.report.sections import conditions, det_roc, embedding_space, scores, wrong_trials
from harness.report.text import read_words
from harness.run.job.results import EMBEDDINGS, save_embeddings
from tests.published import newest

SPEECH = "speaker/quick/open-26666"
WORDS = read_words("en")


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    given = [str(newest(f"{SPEECH}/{name}-aam")) for name in ("campplus", "eres2net")]
    return find_runs(given, Path("no-runs"), load(None))


def tables(section: Section | None) -> list[ReportTable]:
    assert section is not None
    return [block for block in section.blocks if isinstance(block, ReportTable)]


def pictures(section: Section | None) -> dict[str, str]:
    assert section is not None
    return {b.name: b.content.decode() for b in section.blocks if isinstance(b, ReportPicture)}


def widget(section: Section | None) -> Widget:
    assert section is not None
    return next(block for block in section.blocks if isinstance(block, Widget))


def test_errors_at_the_threshold_are_those_of_the_record(runs):
    section = scores.section(runs, WORDS)
    assert len(pictures(section)) == 2
    for run, row in zip(runs, tables(section)[0].rows, strict=True):
        for name, cell in (("miss", row[4]), ("false_alarm", row[5])):
            rate = run.record.metrics[f"{name}_at_threshold"].value
            assert cell.startswith(f"{100 * rate:.2f} %")
        (judged,) = judged_runs([run])
        counts = run.record.dataset.counts["test"]
        wrong = int(judged.verdicts.wrong.sum())
        missed = run.record.metrics["miss_at_threshold"].value * counts["targets"]
        others = counts["trials"] - counts["targets"]
        accepted = run.record.metrics["false_alarm_at_threshold"].value * others
        assert wrong == round(missed) + round(accepted)


def test_bands_are_compared_only_where_there_are_two(runs):
    for shown, text in ((runs[:1], "lead_of_one"), (runs, "lead")):
        section = det_roc.section(shown, WORDS)
        assert section is not None
        lead = WORDS(f"detection.{text}", draws=det_roc.RESAMPLES)
        assert section.blocks[0] == Paragraph(lead, quiet=True)


def test_curves_name_the_eer_of_the_record_and_are_the_same_bytes_again(runs):
    drawn = pictures(det_roc.section(runs[:1], WORDS))
    assert drawn == pictures(det_roc.section(runs[:1], WORDS))
    assert drawn["det"].count("<path") > 5
    assert "FillBetweenPolyCollection" in drawn["det"] + drawn["roc"]


def test_parts_of_the_test_have_the_figures_of_the_details(runs):
    section = conditions.section(runs, WORDS)
    told = {table.head[0]: table for table in tables(section)}
    gender = told["gender"]
    assert gender.head[1:3] == tuple(run.name for run in runs)
    group = runs[1].details.breakdowns["gender"].groups[0]
    assert group.name == "both f"
    row = next(row for row in gender.rows if row[0] == "both female")
    assert row[2].startswith(f"{100 * group.metrics['eer'].value:.2f} (")
    assert row[-2:] == (f"{group.trials:,}", f"{group.targets:,}")
    alone = next(each for each in tables(conditions.section(runs[:1], WORDS)))
    assert alone.head[1] == WORDS("metrics.eer")
    # Parts without targets borrow them, which is told once and not in every row.
    assert section.blocks[0].text.endswith(WORDS("conditions.against"))
    assert {"condition-gender", "condition-session"} <= pictures(section).keys()


def test_the_browser_shows_the_hardest_errors_and_plays_each_sound_once(runs):
    section = wrong_trials.section(runs, WORDS)
    found = widget(section)
    first = judged_runs(runs)[0]
    (hardest,) = first.verdicts.hardest(1, first.speakers, accepted=True).places
    ids = first.items["id"].to_numpy(str)
    assert ids[first.trials.test[hardest]] in found.html
    assert found.html.count('<article class="card"') == 5 * 8
    assert found.html.count("wrong in 2 of 2 systems") >= 8
    kept = re.findall(r'data-key="([\w-]+)" preload="none" src="data:audio/flac;base64,([^"]+)"',
                      found.html)  # fmt: skip
    keys = [key for key, _ in kept]
    assert len(set(keys)) == len(keys)
    assert set(re.findall(r'data-of="([\w-]+)"', found.html)) == set(keys)
    samples, rate = soundfile.read(BytesIO(b64decode(kept[0][1])), dtype="int16")
    listing = first.run.listing
    item = next(first.items.iloc[[int(keys[0].split("-")[1])]].itertuples(index=False))
    np.testing.assert_array_equal(samples, listing.corpus.read(item, listing.folder)[: 6 * rate])
    # What Markdown shows instead has the same trials.
    (table,) = found.instead
    assert len(table.rows) == 40
    assert any("passed over" in getattr(block, "text", "") for block in section.blocks)


def test_without_a_free_licence_the_page_holds_no_sound(runs, monkeypatch):
    monkeypatch.setattr("harness.report.contents.may_copy", lambda _: False)
    monkeypatch.setattr("harness.report.sections.wrong_trials.may_copy", lambda _: False)
    section = wrong_trials.section(runs[:1], WORDS)
    assert "data:audio" not in widget(section).html
    assert "data:image/png" in widget(section).html
    assert any("holds no sounds" in getattr(block, "text", "") for block in section.blocks)


def with_embeddings(run: Run, folder: Path, embeddings: np.ndarray) -> Run:
    path = folder / EMBEDDINGS
    assert save_embeddings(path, embeddings, 2**20)
    kept = {"embeddings": Artefact(sha256=sha256_file(path), bytes=path.stat().st_size)}
    record = run.record.model_copy(update={"artefacts": run.record.artefacts | kept})
    return replace(run, record=record, stages={"evaluate": folder})


def test_kept_embeddings_are_drawn_and_searched(runs, tmp_path):
    items = judged_runs(runs)[0].items
    labels = items["label"].to_numpy(str)
    rng = np.random.default_rng(1)
    centres = {label: rng.normal(size=16) for label in np.unique(labels)}
    made = np.stack([centres[label] for label in labels]) + rng.normal(size=(len(labels), 16))
    kept = with_embeddings(runs[0], tmp_path, (1e6 * made).astype(np.float32))
    without = replace(runs[1], stages={"evaluate": tmp_path / "none"})
    section = embedding_space.section([kept, without], WORDS)
    expected, queries = recall_at_k(made, labels, embedding_space.KS)
    (row,) = tables(section)[0].rows
    assert row[1] == f"{queries:,}"
    shown = [float(cell.removesuffix(" %")) / 100 for cell in row[3:]]
    assert shown == pytest.approx(list(expected.values()), abs=0.01)
    assert sorted(pictures(section)) == ["pca-1", "tsne-1"]
    assert any("no embeddings of its test" in getattr(b, "text", "") for b in section.blocks)


@pytest.mark.parametrize(("unit", "said"), [("speaker", "of its speaker"), ("dialogue", "label")])
def test_labels_of_a_test_are_called_speakers_only_where_they_are(runs, tmp_path, unit, said):
    items = judged_runs(runs)[0].items
    made = np.random.default_rng(1).normal(size=(len(items), 4)).astype(np.float32)
    kept = with_embeddings(runs[0], tmp_path, made)
    dataset = kept.record.dataset.model_copy(update={"unit": unit})
    told = replace(kept, record=kept.record.model_copy(update={"dataset": dataset}))
    section = embedding_space.section([told], WORDS)
    texts = [getattr(block, "text", "") + getattr(block, "caption", "") for block in section.blocks]
    assert any(said in text for text in texts)
    assert any("speaker" in text for text in texts) is (unit == "speaker")


def test_embeddings_of_another_hash_are_not_believed(runs, tmp_path):
    items = judged_runs(runs)[0].items
    kept = with_embeddings(runs[0], tmp_path, np.ones((len(items), 4), np.float32))
    save_embeddings(tmp_path / EMBEDDINGS, np.zeros((len(items), 4), np.float32), 2**20)
    assert kept.embeddings is None


def test_a_log_without_a_record_has_no_sections_on_trials():
    log = Run("log", Path("log"))
    for each in (scores, det_roc, conditions, wrong_trials, embedding_space):
        assert each.section([log], WORDS) is None
