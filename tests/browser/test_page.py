"""The page in a real browser: headless Chromium, opened from disk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inmo.reports.blocks.response_maps import maps_block
from inmo.reports.page.page import write_report
from tests.browser.conftest import open_page
from tests.reports.blocks.test_response_maps import STAR, maps
from tests.reports.example import HOSTILE, example_store

pytestmark = pytest.mark.slow


def _column(page: Any, table: str, column: int) -> list[str]:
    cells = page.locator(f"#{table} tbody tr:visible > :nth-child({column})")
    return [text.strip() for text in cells.all_inner_texts()]


@pytest.mark.parametrize("width", [1300, 390, 320])
def test_opens_in_both_schemes_at_every_width(browser: Any, report: Path, scheme: str, width: int) -> None:
    for page in open_page(browser, report, scheme, width):
        assert page.title() == "Tracking benchmark"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
        paper = [int(v) for v in re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))]
        assert (min(paper[:3]) > 200) == (scheme == "light")
        curve = page.locator(".plot .curve").first
        assert curve.evaluate("e => getComputedStyle(e).stroke") != "none"
        assert page.evaluate("Array.from(document.images).every(i => i.loading === 'lazy' || i.complete)")
        assert page.locator(".watch .over").bounding_box()["width"] <= width


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
    kept = page.locator("output[for=t-folder-sequences]")
    assert kept.inner_text() == "1 of 8"
    box.fill("")
    assert len(_column(page, "t-folder-sequences", 1)) == 8
    assert kept.inner_text() == ""


def test_switching_a_tracker_off_everywhere(page: Any) -> None:
    button = page.locator("nav .switch", has_text="Good")
    number = button.get_attribute("data-t")
    parts = page.locator(f".plot > svg [data-t='{number}']")
    assert parts.count() == 6  # three curves, one of an attribute, a row of the distribution, a point of the speed plot
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert all(not part.is_visible() for part in parts.all())
    assert page.locator(f".legend .switch[data-t='{number}'][aria-pressed='true']").count() == 0
    page.locator(f".legend .switch[data-t='{number}']").first.click()
    assert all("off" not in (part.get_attribute("class") or "") for part in parts.all())


def test_all_trackers_off_and_on(page: Any) -> None:
    page.get_by_role("button", name="None", exact=True).click()
    drawn = ".plot > svg [data-t]:visible, .watch svg [data-t]:not([data-t=truth]):visible"
    assert page.locator(drawn).count() == 0
    page.get_by_role("button", name="All", exact=True).click()
    assert page.locator(".plot > svg [data-t]:visible").count() == 18


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
    assert "run_all.py track --tracker tracker0 --set gain=1.0 --dataset folder=" in opened.inner_text()


def test_provenance_from_the_head_of_a_column(page: Any) -> None:
    head = page.locator("#t-folder-sequences thead th", has_text="Fair")
    head.get_by_role("link", name="111111").click()
    assert page.locator("#provenance details[open] summary").inner_text().startswith("Fair & square")
    assert head.get_attribute("aria-sort") is None


def test_everything_works_from_the_keyboard(page: Any) -> None:
    page.locator("nav .switch").first.focus()
    page.keyboard.press("Space")
    assert page.locator("nav .switch").first.get_attribute("aria-pressed") == "false"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button,a,input,select')]"
        ".filter(e => !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).length"
    )
    assert unnamed == 0


def test_prints_everything(page: Any) -> None:
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open])").count() == 0
    assert len(page.pdf()) > 20_000


@pytest.mark.parametrize(("width", "columns"), [(1300, 6), (390, 2)])
def test_activation_maps_can_be_read_at_every_width(browser: Any, tmp_path: Path, width: int, columns: int) -> None:
    block = maps_block([(maps(*STAR), -1)], stem="figure3", title="Figure 3")
    report = write_report(example_store(tmp_path, sequences=1), tmp_path / "out", blocks=[block])
    for page in open_page(browser, report, "light", width):
        lefts = page.locator(".panels svg").evaluate_all("all => all.map(e => e.getBoundingClientRect().left)")
        assert len(set(lefts)) == columns
        heights = page.locator(".maps text").evaluate_all("all => all.map(e => e.getBoundingClientRect().height)")
        assert min(heights) >= 11, "words smaller than the page's smallest"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


SEQUENCES = (
    "<script>alert(1)",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "--><i id=owned>",
)


def test_sequences_with_hostile_names_are_shown_as_text(browser: Any, tmp_path: Path) -> None:
    """The names reach attributes, options, tables and the JSON within a script element; a dialog would fail the tab."""
    from inmo.datasets.base import Annotation, Benchmark, Dataset, Sequence
    from inmo.harness.store.records import Run
    from inmo.harness.store.store import open_store
    from tests.reports.example import result

    store = open_store(tmp_path / "store", write=True)
    annotation = Annotation(np.array([[1.0, 2, 30, 40]] * 20))
    sequences = tuple(Sequence("folder", name, lambda: annotation) for name in SEQUENCES)
    facts = Benchmark("folder", "Folder", lambda *_: None, 0, "pysot")  # type: ignore[arg-type,return-value]
    store.put_dataset(Dataset(facts, "folder", "/nowhere", sequences), SEQUENCES)
    run = Run("kcf", HOSTILE, "a" * 12)
    store.put_run("folder", run)
    for number, sequence in enumerate(sequences):
        store.put_sequence("folder", sequence, annotation)
        store.put_result("folder", run, sequence.name, result(annotation, 6.0, number))
    for page in open_page(browser, write_report(store, tmp_path / "out")):
        assert sorted(_column(page, "t-folder-sequences", 1)) == sorted(SEQUENCES)
        assert page.locator("#owned, img[src=x]").count() == 0
