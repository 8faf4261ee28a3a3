"""The site as text: the same bytes, everything escaped, every link to something that is there."""

from __future__ import annotations

import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from harness.board.publishing.published_tables import read_folder
from harness.board.publishing.site_pages import page_name
from harness.board.site.templates import SCRIPT, STYLE, json_for_script
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.versions.changelog import log_entries
from harness.board.writing.references import References, references
from harness.records.costs import Memory, Resources
from harness.records.documents import sha256
from tests.board.site.conftest import (
    HOSTILE,
    NO_REFERENCES,
    PUBLISHED,
    make_details,
    site_pages,
)


class Parsed(HTMLParser):
    """What a page holds: elements with their attributes, its texts, its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._within = tag

    def handle_endtag(self, tag):
        self._within = ""

    def handle_data(self, data):
        (self.scripts if self._within == "script" else self.texts).append(data)

    @property
    def links(self) -> list[str]:
        return [attrs["href"] or "" for tag, attrs in self.elements if "href" in attrs]

    @property
    def data(self) -> list[dict]:
        return [json.loads(text) for text in self.scripts if text.startswith("{")]


def pages_of(records, details=None, told: References = NO_REFERENCES):
    filed = {f"records/{number}.json": record for number, record in enumerate(records)}
    return site_pages(filed, details, told)


def test_the_same_records_in_whatever_order_give_the_same_bytes(several):
    made = [(f"records/{number}.json", record) for number, record in enumerate(several)]
    shuffled = [dict(random.Random(seed).sample(made, len(made))) for seed in range(4)]
    wanted = site_pages(dict(made))
    assert all(site_pages(each) == wanted for each in shuffled)


def test_each_suite_has_a_page_and_the_index_links_to_its_tables(several, make, protocol):
    image = make(protocol=protocol(suite="index", suite_title="Images"))
    pages = pages_of([*several, image])
    assert sorted(pages) == [
        "site/board.css",
        "site/board.js",
        "site/changes.html",
        "site/index.html",
        "site/index.suite.html",
        "site/speaker.html",
    ]
    links = Parsed(pages["site/index.html"]).links
    for page in ("index.suite.html", "speaker.html"):
        anchors = {
            attrs["id"] for _, attrs in Parsed(pages[f"site/{page}"]).elements if "id" in attrs
        }
        told = [urlsplit(link).fragment for link in links if link.startswith(f"{page}#")]
        assert told
        assert set(told) <= anchors


def test_no_records_give_an_index_that_says_so():
    assert "No records yet." in site_pages({})["site/index.html"]


def test_links_of_the_published_site_lead_to_files_and_anchors_that_are_there(published_site):
    for path in published_site.glob("*.html"):
        page = Parsed(path.read_text())
        anchors = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https"
            elif parts.path:
                there = published_site / unquote(parts.path)
                assert there.exists(), link
                assert not parts.fragment or f'id="{unquote(parts.fragment)}"' in there.read_text()
            else:
                assert unquote(parts.fragment) in anchors, link


def test_every_published_record_is_linked_from_the_page_of_its_suite(published_site):
    linked = {
        link for path in published_site.glob("*.html") for link in Parsed(path.read_text()).links
    }
    latest = {
        part.path
        for table in tables(
            FiledRecord(record, path) for path, record in read_folder(PUBLISHED)[0].items()
        )
        for row in table.rows
        for filed in row.filed
        for part in filed.files
    }
    assert {f"../{path}" for path in latest} <= linked


def test_pages_load_and_run_nothing_but_the_shared_assets(published_site):
    loading = {"srcset", "action", "formaction", "background", "ping", "style"}
    hashes = {name: sha256((published_site / name).read_bytes())[:12] for name in (STYLE, SCRIPT)}
    for path in published_site.glob("*.html"):
        page = Parsed(path.read_text())
        loaded = []
        for tag, attrs in page.elements:
            assert tag not in {"iframe", "object", "embed", "base", "form", "style"}
            if tag == "img":  # a published picture, with words in its place
                assert (PUBLISHED / "site" / attrs.pop("src")).resolve().is_relative_to(PUBLISHED)
                assert attrs["alt"]
            assert not loading & attrs.keys()
            assert not [name for name in attrs if name.startswith("on")]
            if tag == "link" or "src" in attrs:
                loaded.append((tag, attrs.get("href") or attrs.get("src")))
        # The hash is of the content, so that no cache shows another version.
        assert loaded == [
            ("link", f"{STYLE}?{hashes[STYLE]}"),
            ("script", f"{SCRIPT}?{hashes[SCRIPT]}"),
        ]
        assert all(script.startswith("{") for script in page.scripts)
        policy = next(a["content"] for _, a in page.elements if a.get("http-equiv"))
        # On a server, `file:` allows nothing; without one, some browsers do not take it for 'self'.
        assert "default-src 'none'; style-src 'self' file:; script-src 'self' file:;" in policy
        assert "unsafe" not in policy
    # The namespace of SVG is the only address that the program holds.
    addresses = re.findall(r"https?://[^\s\"']+", (published_site / SCRIPT).read_text())
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}


def test_pages_are_well_formed(published_site, make):
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    hostile = pages_of([make(name, name, value=0.05) for name in HOSTILE])
    texts = [path.read_text() for path in published_site.glob("*.html")]
    for text in [*texts, *(text for path, text in hostile.items() if path.endswith(".html"))]:
        html5lib.HTMLParser(strict=True).parse(text)


def test_hostile_names_are_text_on_every_page(make, protocol):
    names = [name for name in HOSTILE if "script" in name or "img" in name]
    newer = protocol(version=2, digest="c" * 64)
    first = make("one", None, value=0.05)
    pages = pages_of(
        [first, *(make(name, None, value=0.05, reason=name, protocol=newer) for name in names)]
    )
    assert len(pages) == 6
    for text in (
        text
        for path, text in pages.items()
        if path.endswith(".html") and not path.endswith(".v1.html")
    ):
        page = Parsed(text)
        assert [tag for tag, _ in page.elements if tag == "img"] == []
        assert sum(tag == "script" for tag, _ in page.elements) == 1 + len(page.data)
        for name in names:
            assert any(name in shown for shown in page.texts)


def test_what_cannot_be_printed_shows_as_the_replacement_character(make):
    text = pages_of([make("abc\u202edcba", None), make("other", None)])["site/speaker.html"]
    assert "\u202e" not in text
    assert "abc\ufffddcba" in text


def test_embedded_data_read_back_as_they_were():
    document = {"<!--": ["</script>", "&amp;", "\u2028\u2029", "a\"b'"], "n": [1, 0.5, None, True]}
    text = json_for_script(document)
    assert json.loads(text) == document
    assert not set("<>&\u2028\u2029") & set(text)


def test_rows_without_a_result_stand_apart_and_say_why(several):
    text = pages_of(several)["site/speaker.html"]
    failed = text[text.index('<tbody class="failed">') :]
    assert "Without a result" in failed
    assert "oom: out of memory at batch 128, fits 56" in failed
    assert 'class="pick"' not in failed[: failed.index("</tbody>")]


def test_claimed_rows_stand_apart_and_are_compared_with_nobody(make):
    pages = pages_of(
        [
            make("one", value=0.05),
            make("two", value=0.06),
            make("told", value=0.01, trust="claimed", left_one_out={}),
        ]
    )
    page = Parsed(pages["site/speaker.html"])
    assert "Claimed: not checked here" in page.texts
    data = page.data[0]
    groups = {row["name"]: row["group"] for row in data["rows"]}
    told = next(name for name in groups if name.startswith("told"))
    assert groups[told] == "claimed"
    assert [row["name"] for row in data["rows"]].index(told) not in data["pairs"]["rows"]


def test_memory_that_was_predicted_says_so(make):
    predicted = Resources(training_memory=Memory(bytes=3 * 2**30, counted="predicted"))
    text = pages_of([make("one", resources=predicted), make("two")])["site/speaker.html"]
    assert '<span class="v">3.00</span> <span class="note">predicted</span>' in text
    assert '<span class="v">3.21</span> <span class="note">gpu</span>' in text


def test_rows_keep_their_names_in_links_when_others_come(several, make):
    def keys(records):
        rows = Parsed(pages_of(records)["site/speaker.html"]).data[0]["rows"]
        return {row["name"]: row["key"] for row in rows}

    before, after = keys(several), keys([*several, make("another", value=0.001)])
    assert before.items() <= after.items()


def test_the_value_behind_a_cell_is_what_it_shows(published_site):
    pages = [Parsed(path.read_text()) for path in published_site.glob("*.html")]
    columns = [(data, column) for page in pages for data in page.data for column in data["columns"]]
    assert {bool(column["numeric"]) for _, column in columns} == {False, True}
    for data, column in columns:
        assert len(column["values"]) == len(data["rows"]) > 0
        kinds = {type(value) for value in column["values"] if value is not None}
        assert kinds <= ({int, float} if column["numeric"] else {str})


def test_an_older_protocol_has_a_page_of_its_own(make, protocol):
    old = [make(name, value=value) for name, value in (("one", 0.05), ("two", 0.06))]
    rules = protocol(version=2, digest="c" * 64)
    pages = pages_of([*old, *(each.model_copy(update={"protocol": rules}) for each in old)])
    assert sorted(pages) == [
        "site/board.css",
        "site/board.js",
        "site/changes.html",
        "site/index.html",
        "site/speaker.html",
        "site/speaker.v1.html",
    ]
    assert "speaker.v1.html" in Parsed(pages["site/speaker.html"]).links
    assert "speaker.html" in Parsed(pages["site/speaker.v1.html"]).links
    assert "speaker.v1.html" not in pages["site/index.html"]
    assert page_name("speaker.v1") != page_name("speaker", 1)


def test_the_change_log_has_a_page_that_the_index_and_the_suite_link_to(make, protocol):
    rules = protocol(version=2, digest="c" * 64, parameters={"p_target": 0.05})
    older = [make(name, value=value) for name, value in (("one", 0.05), ("two", 0.06))]
    newer = [make("one", value=0.03, protocol=rules), make("three", value=0.02, protocol=rules)]
    images = make(protocol=protocol(suite="changes", suite_title="Images"))
    pages = pages_of([*older, *newer, images])
    log = Parsed(pages["site/changes.html"])

    made = tables(FiledRecord(record, f"{i}.json") for i, record in enumerate([*older, *newer]))
    (entry,) = log_entries(made[0], made)
    cells = [piece.text for grid in entry.grids for line in grid.lines for (piece,) in line]
    assert entry.title == "Changes since protocol 1"
    assert len(entry.grids) == 3
    for told in (entry.title, *entry.lines, *cells, *entry.notes):
        assert told in log.texts
    assert any(text.startswith("No changes yet") for text in log.texts)

    anchors = {attrs["id"] for _, attrs in log.elements if "id" in attrs}
    assert {"suite-speaker", "suite-changes"} <= anchors
    assert "changes.html" in Parsed(pages["site/index.html"]).links
    assert "changes.html#suite-changes" in Parsed(pages["site/changes.suite.html"]).links
    speaker = Parsed(pages["site/speaker.html"])
    (table,) = [attrs["id"] for _, attrs in speaker.elements if attrs.get("class") == "board"]
    assert {"changes.html#suite-speaker", f"changes.html#{table}"} <= set(speaker.links)
    assert table in anchors
    assert f"speaker.html#{table}" in log.links
    # Where nothing is new, no table says so.
    assert "What is new in this table" not in pages["site/speaker.v1.html"]


def test_figures_of_others_are_muted_and_beside_the_table_of_their_dataset(make, data):
    told = references(PUBLISHED)
    elsewhere = pages_of([make("one"), make("two")], told=told)["site/speaker.html"]
    beside = pages_of([make("one", dataset=data(name="cnceleb"))], told=told)["site/speaker.html"]
    for text in (elsewhere, beside):
        assert 'class="grid further muted"' in text
        assert "RepVGG_TINY_A0" in text
    assert elsewhere.index("RepVGG_TINY_A0") > elsewhere.rindex('<section class="board"')
    assert beside.index("RepVGG_TINY_A0") < beside.index("</section>")


def test_curves_go_into_the_page_of_the_rows_that_have_some(make):
    records = [make("one", value=0.05), make("two", value=0.06)]
    pages = pages_of(records, {"records/0.json": make_details()})
    det = Parsed(pages["site/speaker.html"]).data[0]["det"]
    assert list(det["rows"]) == ["0"]
    curve = det["rows"]["0"][0]
    # Probits of 0.05 and 0.3, and half a trial inside of 0 and 1, in thousandths.
    assert curve["x"] == [3481, -524, -1645, -2878, -3481]
    assert curve["y"] == [-3023, -2326, -1645, -524, 3023]
    assert curve["miss"] == [100.0, 30.0, 5.0]


def test_the_site_is_a_package_with_its_templates_and_assets():
    folder = Path(PUBLISHED.parent / "harness" / "board" / "site")
    from harness.board.site.templates import SCRIPTS, STYLES

    named = {f"{name}.js" for name in SCRIPTS} | {f"{name}.css" for name in STYLES}
    assert {path.name for path in (folder / "assets").iterdir()} == named
