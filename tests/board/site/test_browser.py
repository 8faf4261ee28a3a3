"""Pages in a browser: sorted, filtered, compared, linked to, with the keyboard, on a phone."""

from __future__ import annotations

import itertools
import json

import pytest

from harness.records.costs import Memory, Resources
from tests.board.site.conftest import HOSTILE, make_details

WIDTHS = (390, 1440)


@pytest.fixture
def records(several, make):
    """The usual entries, and one of which no cost is known."""
    return [*several, make("unknown", value=0.09, resources=Resources())]


@pytest.fixture
def board(tab, site_of, records):
    """The page of the usual entries."""
    return tab().open(site_of(records, {0: make_details(), 2: make_details(0.1)}) / "speaker.html")


def names(page, within="table.main tbody.results"):
    """The rows shown, from top to bottom."""
    return page.locator(f"{within} tr[data-row]:visible th bdi").all_inner_texts()


def head(page, title):
    return page.locator("table.main thead th", has_text=title).first


def counts(page, text):
    """Wait until so many rows are announced: a filter takes effect when typing pauses."""
    page.locator(".count").get_by_text(text, exact=True).wait_for()


def pick(page, *entries):
    for entry in entries:
        page.get_by_role("checkbox", name=entry, exact=True).check()


def test_a_head_sorts_best_first_then_the_other_way_then_as_the_table_was(board):
    usual = names(board)
    assert usual[0] == "campplus + aam"
    latency = head(board, "MACs")
    assert latency.get_attribute("aria-sort") is None
    head(board, "EER").get_by_role("button").click()
    assert head(board, "EER").get_attribute("aria-sort") == "ascending"
    assert names(board) == usual
    head(board, "EER").get_by_role("button").click()
    assert head(board, "EER").get_attribute("aria-sort") == "descending"
    assert names(board) == usual[::-1]
    head(board, "EER").get_by_role("button").click()
    assert head(board, "EER").get_attribute("aria-sort") is None
    assert names(board) == usual


def test_rows_without_a_value_are_last_both_ways_and_equal_ones_keep_their_order(board):
    usual, column = names(board), head(board, "embedding")
    without = ["unknown + aam", "mean-fbank (no training)"]
    with_value = [name for name in usual if name not in without]
    for _ in range(2):
        column.get_by_role("button").click()
        assert names(board) == with_value + without
    assert names(board, "table.main tbody.failed") == ["eres2net + aam"]


def test_names_with_numbers_are_sorted_by_their_numbers(tab, site_of, make):
    site = site_of([make(f"net-{n}", value=0.05 + n / 1000) for n in (10, 9, 1)])
    page = tab().open(site / "speaker.html")
    head(page, "entry").get_by_role("button").click()
    assert names(page) == ["net-1 + aam", "net-9 + aam", "net-10 + aam"]


def test_every_word_of_the_filter_must_be_in_a_row_and_the_count_is_announced(board):
    count = board.get_by_role("status")
    assert count.inner_text() == "6 rows"
    board.get_by_role("searchbox").fill("AAM net34")
    counts(board, "1 of 6 rows")
    assert names(board) == ["resnet34 + aam"]
    board.get_by_role("searchbox").fill("nothing like it")
    board.get_by_role("button", name="Show all rows").click()
    assert count.inner_text() == "6 rows"
    assert board.get_by_role("searchbox").input_value() == ""


def test_facets_narrow_a_table_to_one_of_the_values_of_each(board):
    board.locator(".menu summary", has_text="state").click()
    board.get_by_role("checkbox", name="oom").check()
    assert names(board) == []
    assert names(board, "table.main tbody.failed") == ["eres2net + aam"]
    board.get_by_role("checkbox", name="done").check()
    assert len(names(board)) == 5
    assert board.locator(".menu summary", has_text="profile").count() == 0


def test_columns_come_and_go_and_a_link_keeps_them(board):
    assert head(board, "minDCF").is_visible()
    assert not head(board, "MACs").is_visible()
    board.locator(".menu summary", has_text="columns").click()
    board.get_by_role("checkbox", name="minDCF ↓").uncheck()
    board.get_by_role("checkbox", name="MACs (G)").check()
    board.reload()
    assert not head(board, "minDCF").is_visible()
    assert head(board, "MACs").is_visible()
    row = board.locator("tr[data-row]:visible").first
    assert (
        row.locator("td:visible, th:visible").count() == board.locator("thead th:visible").count()
    )


def test_rows_are_compared_side_by_side_with_their_differences(board):
    pick(board, "campplus + aam", "resnet34 + aam")
    panel = board.locator(".compare")
    line = panel.locator("tr", has=board.locator("th", has_text="EER % ↓")).first
    assert "7.31" in line.inner_text()
    assert "+1.95" in line.inner_text()
    pair = panel.locator("table.pairs tbody tr")
    assert pair.locator("td").first.inner_text() == "+1.950"
    # The spread of seeds is known with one degree of freedom alone.
    pair.locator("td").get_by_text("no", exact=True).wait_for()
    board.get_by_role("button", name="compare with this: resnet34 + aam").click()
    assert panel.locator("table.pairs tbody td").first.inner_text() == "−1.950"
    board.get_by_role("button", name="remove campplus + aam").click()
    assert not board.get_by_role("checkbox", name="campplus + aam", exact=True).is_checked()
    panel.get_by_role("button", name="Clear").click()
    assert not panel.is_visible()


def test_costs_are_set_against_each_other_where_they_were_counted_alike(tab, site_of, make):
    counted = [("gpu", 2), ("gpu", 3), ("predicted", 4)]
    records = [
        make(
            f"net-{number}",
            value=0.05 + number / 100,
            resources=Resources(training_memory=Memory(bytes=gib * 2**30, counted=how)),
        )
        for number, (how, gib) in enumerate(counted)
    ]
    page = tab().open(site_of(records) / "speaker.html")
    pick(page, "net-0 + aam", "net-1 + aam", "net-2 + aam")
    line = page.locator(".compare tr", has=page.locator("th", has_text="peak training memory"))
    cells = line.locator("td").all_inner_texts()
    assert [" ".join(cell.split()) for cell in cells] == [
        "2.00 gpu",
        "3.00 gpu × 1.50",
        "4.00 predicted",
    ]


def test_det_curves_are_drawn_of_picked_rows_that_have_some(board):
    pick(board, "campplus + aam", "ecapa-512 + aam", "resnet34 + aam")
    det = board.locator(".det")
    # Of two seeds of ecapa-512 one has a curve.
    assert det.locator("path.line").count() == 2
    assert "No curve is published of 1 picked entry" in det.inner_text()
    assert det.locator("tbody tr").count() == 2
    assert "30.00" in det.locator("tbody tr", has_text="ecapa").inner_text()


def test_points_of_a_picture_are_reached_and_picked_with_the_keyboard(tab, site_of, make):
    sizes = {"small": 1, "middle": 2, "large": 3}
    site = site_of(
        [
            make(
                n,
                value=0.09 - 0.01 * gib,
                resources=Resources(training_memory=Memory(bytes=gib * 2**30, counted="gpu")),
            )
            for n, gib in sizes.items()
        ]
    )
    page = tab().open(site / "speaker.html")
    points = page.locator(".charts .point")
    assert points.count() == 3
    assert page.locator(".charts .point[tabindex='0']").count() == 1
    points.first.focus()
    assert "small + aam: EER 8.00 %, 1.00 GiB" in page.locator("figcaption").inner_text()
    page.keyboard.press("ArrowRight")
    assert "middle" in page.locator("figcaption").inner_text()
    page.keyboard.press("Enter")
    assert page.get_by_role("checkbox", name="middle + aam").is_checked()
    assert points.nth(1).get_attribute("aria-pressed") == "true"


def test_a_link_restores_the_state_and_back_returns_to_the_one_before(board, tab):
    head(board, "minDCF").get_by_role("button").click()
    head(board, "minDCF").get_by_role("button").click()
    pick(board, "resnet34 + aam")
    board.locator(".menu summary", has_text="loss").click()
    board.locator(".menu[open]").get_by_role("checkbox", name="aam").check()
    link = board.url
    other = tab().page
    other.goto(link)
    assert names(other) == names(board)
    assert head(other, "minDCF").get_attribute("aria-sort") == "descending"
    assert other.get_by_role("checkbox", name="resnet34 + aam").is_checked()
    assert other.get_by_role("status").inner_text() == "5 of 6 rows"
    board.go_back()
    assert board.get_by_role("status").inner_text() == "6 rows"
    board.go_back()
    assert not board.get_by_role("checkbox", name="resnet34 + aam").is_checked()
    board.go_back()
    assert head(board, "minDCF").get_attribute("aria-sort") == "ascending"
    board.go_forward()
    assert head(board, "minDCF").get_attribute("aria-sort") == "descending"


def test_a_link_to_what_is_not_there_any_more_shows_the_table(tab, site_of, records):
    site = site_of(records)
    key = tab().open(site / "speaker.html").locator("section.board").get_attribute("data-key")
    page = tab().open(
        site / "speaker.html",
        f"#{key}.sort=-nothing&{key}.picked=ffffff,zz&{key}.f-planet=mars&x.sort=y&{key}.what=1&%",
    )
    assert len(names(page)) == 5
    assert not page.locator(".compare").is_visible()


def test_an_anchor_of_the_index_leads_to_its_table_and_tab_goes_on_from_there(tab, published_site):
    page = tab().open(published_site / "index.html")
    card = page.locator(".card a").last
    title = card.inner_text()
    card.click()
    page.locator("section.board h2", has_text=title).last.wait_for()
    page.keyboard.press("Tab")
    within = page.evaluate(
        "document.activeElement.closest('section').querySelector('h2').textContent"
    )
    assert within == title


def test_the_list_of_tables_leads_to_each_and_keeps_the_rest_of_the_link(tab, published_site):
    page = tab().open(published_site / "speaker.html", "#theme=dark")
    link = page.get_by_role("navigation", name="Tables of this page").get_by_role("link").last
    link.click()
    page.locator("h2:focus", has_text=link.inner_text()).wait_for()
    assert "theme=dark" in page.url
    page.go_back()
    assert page.url.endswith("#theme=dark")


def test_the_theme_is_the_system_s_until_one_is_chosen_which_a_link_carries(tab, site_of, records):
    site = site_of(records)
    page = tab(color_scheme="dark").open(site / "speaker.html")
    background = "getComputedStyle(document.body).backgroundColor"
    dark, light = page.evaluate(background), "rgb(255, 255, 255)"
    assert dark != light
    page.get_by_role("button", name="Theme: auto").click()
    assert page.evaluate(background) == light
    assert "theme=light" in page.url
    link = page.url
    other = tab(color_scheme="dark").page
    other.goto(link)
    assert other.evaluate(background) == light
    other.get_by_role("button", name="Theme: light").click()
    assert other.evaluate(background) == dark


def test_a_browser_that_keeps_nothing_still_shows_the_page(tab, site_of, records):
    new = tab()
    new.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no storage') } })"
    )
    page = new.open(site_of(records) / "speaker.html")
    page.get_by_role("button", name="Theme: auto").click()
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert len(names(page)) == 5


def test_the_keyboard_alone_gets_to_the_tables_sorts_and_closes_menus(board):
    board.keyboard.press("Tab")
    assert board.evaluate("document.activeElement.textContent") == "Skip to the tables"
    board.keyboard.press("Enter")
    assert board.evaluate("document.activeElement.id") == "main"
    head(board, "EER").get_by_role("button").focus()
    board.keyboard.press("Enter")
    board.keyboard.press("Enter")
    assert head(board, "EER").get_attribute("aria-sort") == "descending"
    menu = board.locator(".menu", has_text="columns")
    menu.locator("summary").focus()
    board.keyboard.press("Enter")
    board.keyboard.press("Tab")
    assert board.evaluate("document.activeElement.type") == "checkbox"
    board.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert board.evaluate("document.activeElement.tagName") == "SUMMARY"


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_names_do_nothing_and_break_no_page(tab, site_of, make, width):
    records = [make(name, name[:20], value=0.05, reason=name) for name in HOSTILE]
    page = tab(width).open(site_of(records, {0: make_details()}) / "speaker.html")
    title = page.title()
    for box in page.locator("input.pick").all():
        box.check()
    page.locator(".menu summary", has_text="model").click()
    page.locator(".charts .point").first.focus()
    assert page.title() == title
    assert page.locator("img, main script:not([type='application/json'])").count() == 0
    shown = " ".join(names(page))
    assert all(name in shown for name in HOSTILE if name.isprintable())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("pages", ["matched.html", pytest.param("*.html", marks=pytest.mark.long)])
def test_no_page_scrolls_sideways_on_a_phone(tab, published_site, pages):
    for path in sorted(published_site.glob(pages)):
        page = tab(390).open(path)
        for box in page.locator("input.pick").all()[:3]:
            box.check()
        page.evaluate(
            "document.querySelectorAll('details:not(.menu)').forEach((d) => d.open = true)"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
        for scroll in page.locator(".scroll:visible").all():
            assert scroll.evaluate("each => getComputedStyle(each).overflowX") == "auto"


def test_a_name_stays_in_sight_while_the_table_scrolls_sideways(tab, published_site):
    page = tab(390).open(published_site / "matched.html")
    entry = page.locator("table.main tbody th.entry").first
    before = entry.bounding_box()["x"]
    moved = page.locator(".scroll").first.evaluate(
        "each => { each.scrollLeft = 600; return each.scrollLeft }"
    )
    assert moved > 100
    assert entry.bounding_box()["x"] == pytest.approx(before, abs=60)


def test_what_is_typed_counts_though_a_head_is_clicked_at_once(board):
    board.evaluate(
        """() => {
            const search = document.querySelector("input[type=search]");
            search.value = "AAM net34";
            search.dispatchEvent(new Event("input"));
            document.querySelector("table.main thead button").click();
        }"""
    )
    counts(board, "1 of 6 rows")
    assert names(board) == ["resnet34 + aam"]


def test_a_long_table_shows_its_rows_as_they_are_wanted(tab, site_of, make):
    losses = itertools.cycle(("aam", "softmax"))
    records = [
        make(f"net-{n:03}", next(losses), value=0.02 + n / 1000, units=2) for n in range(250)
    ]
    page = tab().open(site_of(records) / "speaker.html")
    assert page.get_by_role("status").inner_text() == "250 rows"
    assert len(names(page)) == 100
    page.get_by_role("button", name="Show more: 150 further rows").scroll_into_view_if_needed()
    page.locator("table.main tr[data-row]").nth(199).wait_for()
    page.get_by_role("searchbox").fill("softmax net-24")
    counts(page, "5 of 250 rows")
    assert len(names(page)) == 5
    page.get_by_role("searchbox").fill("")
    head(page, "EER").get_by_role("button").click()
    head(page, "EER").get_by_role("button").click()
    counts(page, "250 rows")
    assert names(page)[:2] == ["net-249 + softmax", "net-248 + aam"]
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(names(page)) == 250


def test_without_its_program_a_page_still_holds_every_row(tab, site_of, records):
    page = tab(java_script_enabled=False).open(site_of(records) / "speaker.html")
    assert len(names(page)) == 5
    assert not page.locator("input.pick").first.is_visible()
    assert not page.locator(".tools").is_visible()


def test_speeds_of_several_environments_stand_in_tables_of_their_own(tab, site_of, make):
    site = site_of([make("one", value=0.05), make("two", value=0.06, device="NVIDIA L40S")])
    page = tab().open(site / "speaker.html")
    assert page.locator("h3", has_text="Speed and memory on").count() == 2
    page.get_by_role("searchbox").fill("one")
    counts(page, "1 of 2 rows")
    assert page.locator("table.further tr[data-row]:visible").count() == 1


def test_data_of_a_page_agree_with_what_is_shown(board):
    data = json.loads(board.locator("script[type='application/json']").first.text_content())
    assert [row["name"] for row in data["rows"] if row["group"] == "results"] == names(board)
