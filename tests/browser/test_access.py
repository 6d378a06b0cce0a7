"""The page for those who do not see it, or use no pointer: axe-core's rules, the sidebar, reading curves by keys."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from inmo.reports.page.page import write_report
from tests.browser.conftest import open_page
from tests.reports.example import example_store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def overview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two datasets, which has an overview."""
    folder = tmp_path_factory.mktemp("overview")
    return write_report(example_store(folder, labels=("one", "two")), folder / "out", protocols=("clean",))


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_axe_finds_nothing(browser: Any, overview: Path, scheme: str, width: int) -> None:
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    for page in open_page(browser, overview, scheme, width):
        page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        page.evaluate(axe)
        found = page.evaluate("axe.run(document)")
        told = [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes'][:3]]}" for v in found["violations"]]
        assert told == []
        assert len(found["passes"]) > 40, json.dumps([p["id"] for p in found["passes"]])


def test_the_overview_answers_on_the_first_screen(browser: Any, overview: Path) -> None:
    for page in open_page(browser, overview, "light", 1440):
        for part in ("#overview .findings", "#t-overview"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] < 900, part
        assert page.locator("#overview .plot").count() == 2
        assert page.locator("#t-overview tbody tr").count() == 3


def test_the_sidebar_says_where_the_reader_is(browser: Any, overview: Path) -> None:
    for page in open_page(browser, overview):
        here = page.locator("nav [aria-current=location]")
        assert here.all_inner_texts() == ["Overview"]
        for anchor, title in (("two", "two"), ("definitions", "Definitions"), ("one", "one")):
            page.evaluate(f"document.getElementById('{anchor}').scrollIntoView({{behavior: 'instant'}})")
            expect(here).to_have_text(title)
        page.evaluate("scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})")
        expect(here).to_have_text("Provenance")


def test_only_wide_tables_scroll_and_their_first_column_stays(browser: Any, overview: Path) -> None:
    for page in open_page(browser, overview, "light", 390):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        region = page.locator(".scroll:has(#t-overview)")
        region.evaluate("e => { e.scrollLeft = 200; }")
        assert region.evaluate("e => e.scrollLeft") > 0
        first = page.locator("#t-overview tbody th").first.bounding_box()
        assert first["x"] == pytest.approx(region.bounding_box()["x"], abs=1)


def test_a_curve_is_read_from_the_keyboard(page: Any) -> None:
    figure = page.locator(".plot", has_text="Success").first
    plot, before = figure.locator("svg").first, figure.locator("[data-score]").all_inner_texts()
    plot.focus()
    assert plot.get_attribute("role") == "slider" and "plot of 3 trackers" in plot.get_attribute("aria-label")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert plot.get_attribute("aria-valuenow") == "1"
    words = plot.get_attribute("aria-valuetext")
    assert words.startswith("at 0.05: Good ") and words.count(",") == 2
    page.keyboard.press("End")
    assert figure.locator("[data-score]").all_inner_texts() == ["0.0"] * 3
    page.keyboard.press("Escape")
    assert figure.locator("[data-score]").all_inner_texts() == before


def test_the_first_key_leads_past_the_sidebar(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_overview_is_on_the_first_sheet(browser: Any, overview: Path) -> None:
    """A4 at 96 dots per inch, less the margins: what stands below a break would start another sheet."""
    for page in open_page(browser, overview, "dark", 700):
        page.emulate_media(media="print", color_scheme="dark")
        speed = page.locator("#overview .plot").last.bounding_box()
        assert speed["y"] + speed["height"] < 1020
        breaks = "Array.from(document.querySelectorAll('section')).map(e => getComputedStyle(e).breakBefore)"
        assert page.evaluate(breaks)[:2] == ["auto", "page"]
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(253, 253, 252)", "paper is white whatever the screen is"
