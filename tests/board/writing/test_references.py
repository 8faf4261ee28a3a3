"""Published figures of others: read, matched to tables, shown apart, and in no rank."""

from __future__ import annotations

import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, tables
from harness.board.writing.console import show
from harness.board.writing.json_document import document, document_text
from harness.board.writing.markdown import references_section, section
from harness.board.writing.reference_tables import ELSEWHERE, reference_grid
from harness.board.writing.references import References, references
from harness.errors import RequestError
from harness.records.record import Record, RecordedFold
from tests.places import ROOT

PUBLISHED = ROOT / "leaderboards"

FILE = """\
schema = 1

[metrics.eer]
title = "EER"
unit = "%"
higher_is_better = false

[metrics.min_dcf]
title = "minDCF"
unit = ""
higher_is_better = false

[datasets.voices]
title = "Voices"
suites = ["speaker"]

[datasets.others]
title = "Others"
suites = ["speaker", "image"]

[[sources]]
toolkit = "Toolkit"
dataset = "voices"
repository = "https://example.org/a"
commit = "0123456789abcdef0123456789abcdef01234567"
path = "results/x_1.md"
protocol.enrolment = "one file a model"
rows = [
    { system = "net", metrics = { eer = 0.0670, min_dcf = 0.390 }, parameters = 6_700_000 },
    { system = "net", scoring = "AS-norm", metrics = { eer = 0.0130 }, note = "of two runs" },
]

[[sources]]
toolkit = "Second"
dataset = "others"
repository = "https://example.org/b"
commit = "0123456789abcdef0123456789abcdef01234567"
path = "README.md"
protocol = {}
rows = [{ system = "one", metrics = { eer = 0.5 } }]
"""


@pytest.fixture
def told(tmp_path: Path) -> References:
    (tmp_path / "references.toml").write_text(FILE)
    return references(tmp_path)


def made(*records: Record) -> Table:
    (table,) = tables(FiledRecord(record) for record in records)
    return table


def rendered(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def texts(table_or_group) -> list[list[str]]:
    grid = reference_grid(table_or_group)
    return [["".join(piece.text for piece in cell) for cell in line] for line in grid.lines]


def test_a_table_gets_the_figures_on_its_dataset_and_the_page_the_rest(told, make, data):
    table = made(make(dataset=data(name="voices")))
    assert [group.dataset for group in told.beside(table)] == ["voices"]
    assert [group.dataset for group in told.elsewhere("speaker", ["voices"])] == ["others"]
    assert [group.dataset for group in told.elsewhere("image", [])] == ["others"]
    assert told.beside(made(make(dataset=data(name="unheard")))) == []


def test_folds_of_a_dataset_are_of_that_dataset(told, make, data):
    fold = RecordedFold(of="voices", index=1, folds=2, lock="c" * 64, protocol="d" * 64)
    table = made(make(dataset=data(name="voices-1", fold=fold)))
    assert [group.dataset for group in told.beside(table)] == ["voices"]


def test_digits_stand_as_they_were_published(told, make, data):
    (group,) = told.beside(made(make(dataset=data(name="voices"))))
    assert texts(group) == [
        ["Toolkit", "net", "6.70", "0.390", "–", "6.7", "1"],
        ["Toolkit", "net", "1.30", "–", "AS-norm", "–", "1"],
    ]


def test_they_change_no_rank_and_no_row(told, several, data):
    records = [
        each.model_copy(update={"dataset": data(name="voices", title="Voices")}) for each in several
    ]
    table = made(*records)
    (alone,) = document([table])["tables"]
    beside = document([table], told)
    assert beside["tables"] == [alone]
    assert [each["dataset"] for each in beside["published_elsewhere"]] == ["voices", "others"]


def test_the_document_holds_fractions_and_where_they_stand(told, make, data):
    table = made(make(dataset=data(name="voices")))
    voices, _ = json.loads(document_text([table], told))["published_elsewhere"]
    (source,) = voices["sources"]
    commit = "0123456789abcdef0123456789abcdef01234567"
    assert source["address"] == f"https://example.org/a/blob/{commit}/results/x_1.md"
    assert source["protocol"] == {"enrolment": "one file a model"}
    assert [row["metrics"] for row in source["rows"]] == [
        {"eer": 0.067, "min_dcf": 0.39},
        {"eer": 0.013},
    ]


def test_a_page_shows_them_in_italics_with_source_and_rules(told, make, data):
    table = made(make(dataset=data(name="voices")))
    text = section(table, {}, told.beside(table))
    _, below = text.split(f"<summary>{ELSEWHERE}")
    for said in (
        "*6.70*",
        "not measured here, protocols differ",
        "1: Toolkit, results/x\\_1.md at 0123456. Enrolment: one file a model.",
        "Toolkit, net: of two runs.",
    ):
        assert said in text
    assert len(re.findall(r"<td[^>]*><em>net</em></td>", rendered(below))) == 2
    assert '<a href="https://example.org/a/blob/0123456789abcdef' in rendered(text)
    assert ELSEWHERE not in section(table)


def test_a_section_of_its_own_shows_what_no_table_is_of(told):
    text = references_section(told.elsewhere("image", []))
    assert text.startswith(f"## {ELSEWHERE}\n\n**Others**")
    assert references_section([]) == ""


def test_names_show_as_the_text_they_are(tmp_path, make, data):
    name = "<script>*a*|`b`[c](d)"
    (tmp_path / "references.toml").write_text(FILE.replace('"Toolkit"', f'"{name}"'))
    table = made(make(dataset=data(name="voices")))
    found = rendered(references_section(references(tmp_path).beside(table)))
    assert "<script" not in found
    assert "<em>&lt;script&gt;*a*|`b`[c](d)</em>" in found


def test_a_terminal_shows_them_dimmed_below_the_table(told, make, data):
    table = made(make(dataset=data(name="voices")))
    console = Console(file=io.StringIO(), width=100, color_system="standard", force_terminal=True)
    show([table], console, told)
    lines = console.file.getvalue().splitlines()
    row = next(line for line in lines if "AS-norm" in line)
    assert "\x1b[2m" in row
    assert "1.30" in row


def test_a_folder_without_the_file_has_none(tmp_path):
    assert references(tmp_path).of("speaker") == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("eer = 0.0130", "eer = 1.30", "sources.0.rows.1.metrics.eer: Input should be less than"),
        ("eer = 0.0130", "eer = nan", "sources.0.rows.1.metrics.eer: Input should be a finite"),
        ("eer = 0.0130", "err = 0.0130", "sources.0.rows.1.metrics.err: unknown metric; did you"),
        ('scoring = "AS-norm",', "", "sources.0.rows.1: says again what sources.0.rows.0 is"),
        ('scoring = "AS', 'scorring = "AS', "sources.0.rows.1.scorring: unknown key; did you mean"),
        ("protocol.enrolment", "protocol.enrollment", "unknown key; did you mean 'enrolment'?"),
        ('dataset = "others"', 'dataset = "other"', "sources.1.dataset: unknown 'other'; did you"),
        ('toolkit = "Second"\n', "", "sources.1.toolkit: missing; it must be given"),
        ("https://example.org/b", "javascript:alert(1)", "sources.1.repository: String should"),
        ("commit = ", 'commit = "main" # ', "sources.0.commit: String should match"),
        ("schema = 1", "schema = 2", "schema: Input should be 1"),
        ("schema = 1", "schema", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, old, new, said):
    path = tmp_path / "references.toml"
    path.write_text(FILE.replace(old, new, 1))
    with pytest.raises(RequestError, match=re.escape(said)) as caught:
        references(tmp_path)
    assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def published() -> dict[tuple[str, ...], dict[str, Decimal]]:
    """What the published file says: dataset, toolkit, system, scoring -> metrics."""
    return {
        (group.dataset, source.toolkit, row.system, row.loss or "", said): row.metrics
        for group in references(PUBLISHED).of("speaker")
        for _, source, row in group.rows
        for said in ["lm " * row.large_margin + row.scoring]
        if not (source.toolkit == "SpeechBrain" and "VoxCeleb2 dev" in source.protocol.training)
    }


@pytest.mark.parametrize(
    ("key", "eer", "min_dcf"),
    [
        (("cnceleb", "WeSpeaker", "ResNet34-TSTP-emb256", "", ""), "7.134", ".408"),
        (
            ("cnceleb", "WeSpeaker", "ResNet34-TSTP-emb256", "", "lm AS-norm, QMF"),
            "6.119",
            ".361",
        ),
        (
            ("cnceleb", "WeSpeaker", "ECAPA_TDNN_GLOB_c512-ASTP-emb192", "", "AS-norm"),
            "7.644",
            ".390",
        ),
        (("cnceleb", "3D-Speaker", "CAM++", "", ""), "6.78", ".393"),
        (("cnceleb", "3D-Speaker", "ERes2Net-base", "", "lm "), "6.69", ".388"),
        (("cnceleb", "VoiceprintRecognition-Pytorch", "CAM++", "", ""), "8.332", ".48536"),
        (("cnceleb", "VoiceprintRecognition-Pytorch", "CAM++", "CE", ""), "12.684", ".65176"),
        (("voxceleb1-o", "WeSpeaker", "CAM++", "", "lm AS-norm"), ".659", None),
        (("voxceleb1-o", "3D-Speaker", "ERes2NetV2", "", "lm "), ".61", ".054"),
        (("voxceleb1-o", "SpeechBrain", "ECAPA-TDNN", "", "s-norm"), ".80", None),
    ],
)
def test_the_published_file_says_what_its_sources_print(published, key, eer, min_dcf):
    wanted = {"eer": Decimal(eer) / 100} | ({"min_dcf": Decimal(min_dcf)} if min_dcf else {})
    assert published[key] == wanted


def test_every_published_source_tells_how_it_trained_and_scored():
    groups = references(PUBLISHED).of("speaker")
    assert {group.dataset: len(group.rows) for group in groups} == {
        "cnceleb": 42,
        "voxceleb1-o": 35,
    }
    rules = [source.protocol for group in groups for source in group.sources]
    assert all(each.training and each.augmentation and each.scoring for each in rules)
