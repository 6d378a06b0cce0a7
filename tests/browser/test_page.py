"""The page in a real browser: headless Chromium, opened from disk."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.page import write_report
from tests.reports.example import HOSTILE, example_store

pytestmark = pytest.mark.slow

OPTIONS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: CI must have one (Debian: apt-get install chromium)")
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=list(OPTIONS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    return write_report(example_store(folder), folder / "out", protocols=("clean",))


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def page(browser: Any, report: Path) -> Iterator[Any]:
    yield from _open(browser, report, "light", 1300)


def _open(browser: Any, report: Path, scheme: str, width: int) -> Iterator[Any]:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda r: None if r.url.startswith(("data:", report.as_uri())) else trouble.append(r.url))
    page.goto(report.as_uri())
    yield page
    assert trouble == []
    context.close()


def _column(page: Any, table: str, column: int) -> list[str]:
    cells = page.locator(f"#{table} tbody tr:visible > :nth-child({column})")
    return [text.strip() for text in cells.all_inner_texts()]


@pytest.mark.parametrize("width", [1300, 390, 320])
def test_opens_in_both_schemes_at_every_width(browser: Any, report: Path, scheme: str, width: int) -> None:
    for page in _open(browser, report, scheme, width):
        assert page.title() == "Tracking benchmark"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
        paper = [int(v) for v in re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))]
        assert (min(paper[:3]) > 200) == (scheme == "light")
        curve = page.locator(".plot .curve").first
        assert curve.evaluate("e => getComputedStyle(e).stroke") != "none"
        assert page.evaluate("Array.from(document.images).every(i => i.loading === 'lazy' || i.complete)")


def test_hostile_names_are_shown_as_text(page: Any) -> None:
    assert HOSTILE in _column(page, "t-folder", 1)
    assert "b&w" in _column(page, "t-folder-sequences", 1)
    assert page.locator("svg script, td script, th script").count() == 0


def test_sorting_by_numbers_and_words(page: Any) -> None:
    names = _column(page, "t-folder", 1)
    assert names == ["Good", "Fair & square", HOSTILE]
    head = page.locator("#t-folder thead th", has_text="AUC").first
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert _column(page, "t-folder", 1) == names
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert _column(page, "t-folder", 1) == names[::-1]
    page.locator("#t-folder thead th button").first.click()
    assert _column(page, "t-folder", 1) == [HOSTILE, "Fair & square", "Good"]
    assert head.get_attribute("aria-sort") is None


def test_holes_stay_last_either_way(page: Any) -> None:
    fair = page.locator("#t-folder-sequences thead th", has_text="Fair").locator("button")
    for _ in range(2):
        fair.click()
        assert page.locator("#t-folder-sequences tbody tr").last.locator("th").inner_text() == "clip1"
    hole = page.locator("#t-folder-sequences tbody tr").last.locator("td.missing")
    assert hole.inner_text() == "–"
    assert hole.get_attribute("title") == "it fell over"


def test_filtering_rows(page: Any) -> None:
    box = page.locator("[data-filter=t-folder-sequences]")
    box.fill("CLIP1")
    assert _column(page, "t-folder-sequences", 1) == ["clip1"]
    box.fill("")
    assert len(_column(page, "t-folder-sequences", 1)) == 8


def test_switching_a_tracker_off_everywhere(page: Any) -> None:
    button = page.locator("nav .switch", has_text="Good")
    number = button.get_attribute("data-t")
    parts = page.locator(f".plot > svg [data-t='{number}']")
    assert parts.count() == 5  # three curves, a row of the distribution, a point of the speed plot
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert all(not part.is_visible() for part in parts.all())
    assert page.locator(f".legend .switch[data-t='{number}'][aria-pressed='true']").count() == 0
    page.locator(f".legend .switch[data-t='{number}']").first.click()
    assert all("off" not in (part.get_attribute("class") or "") for part in parts.all())


def test_reading_values_off_a_curve(page: Any) -> None:
    figure = page.locator(".plot", has_text="Success").first
    area = figure.locator("svg").first.bounding_box()
    before = figure.locator("[data-score]").all_inner_texts()
    page.mouse.move(area["x"] + area["width"] * (40 + 332 * 0.5) / 380, area["y"] + area["height"] / 2)
    assert figure.locator("output").inner_text() == "· reading at 0.5"
    assert figure.locator("[data-score]").all_inner_texts() != before
    page.mouse.move(1, 1)
    assert figure.locator("output").inner_text() == ""
    assert figure.locator("[data-score]").all_inner_texts() == before


def test_provenance_is_one_click_away(page: Any) -> None:
    details = page.locator("#provenance details").first
    assert details.get_attribute("open") is None
    page.locator("#t-folder tbody a", has_text="Good").click()
    opened = page.locator("#provenance details[open]")
    assert opened.count() == 1
    assert "2024-01-01" in opened.inner_text()
    assert "000000000000" in opened.inner_text()


def test_everything_works_from_the_keyboard(page: Any) -> None:
    page.locator("nav .switch").first.focus()
    page.keyboard.press("Space")
    assert page.locator("nav .switch").first.get_attribute("aria-pressed") == "false"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button,a,input')].filter(e => !(e.textContent || e.labels?.length)).length"
    )
    assert unnamed == 0


def test_prints_everything(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open])").count() == 0
    assert len(page.pdf()) > 20_000
