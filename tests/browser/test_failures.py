"""The failure browser in headless Chromium: choosing, stepping, playing, switching off, printing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from inmo.reports.page.page import write_report
from tests.browser.conftest import open_page
from tests.reports.example import HOSTILE, example_store

pytestmark = pytest.mark.slow

GOOD, FAIR = "Good", "Fair & square"


def _where(page: Any) -> int:
    text = page.locator(".watch .where").inner_text()
    found = re.fullmatch(r"frame (\d+) of 19", text)
    assert found, text
    return int(found[1])


def _overlaps(page: Any) -> dict[str, str]:
    rows = page.locator(".watch tbody tr").all()
    return {row.locator(".switch").inner_text(): row.locator("td").first.inner_text() for row in rows}


def _lost(page: Any) -> dict[str, str]:
    rows = page.locator(".watch tbody tr").all()
    return {row.locator(".switch").inner_text(): row.locator("td").last.inner_text() for row in rows}


def test_opens_at_the_hardest_sequence_and_says_where_it_was_lost(page: Any) -> None:
    assert page.locator(".watch select option").count() == 8
    assert page.locator(".watch select option:checked").inner_text().startswith("clip7 ")
    assert _lost(page) == {GOOD: "never", FAIR: "never", HOSTILE: "9"}
    assert page.locator(".watch .gone").count() == 1
    assert page.locator(".watch .gone title").text_content() == f"{HOSTILE} lost at frame 9, not found again"
    assert page.locator(".watch .trace-line").count() == 3


def test_stepping_by_buttons(page: Any) -> None:
    image = page.locator(".stage img")
    assert _overlaps(page) == {GOOD: "1.00", FAIR: "1.00", HOSTILE: "1.00"}
    page.get_by_role("button", name="Step on").click()
    assert _where(page) == 1
    # 8, 13 and 21 pixels aside on boxes 40 wide: 32/48, 27/53, 19/61
    assert _overlaps(page) == {GOOD: "0.67", FAIR: "0.51", HOSTILE: "0.31"}
    assert image.get_attribute("src") == "frames/folder/clip7/1.jpg"
    expect(page.locator(".stage img")).to_have_js_property("naturalWidth", 160)
    assert image.get_attribute("alt") == "Frame 1 of clip7"
    assert page.locator(".stage rect:not(.case)").count() == 4
    truth = page.locator(".stage .truth rect").last
    assert [float(truth.get_attribute(name)) for name in ("x", "y", "width", "height")] == [22, 37, 40, 30]
    page.get_by_role("button", name="Step back").click()
    page.get_by_role("button", name="Step back").click()
    assert _where(page) == 0


def test_stepping_by_keys(page: Any) -> None:
    page.locator(".stage").focus()
    for key, expected in (
        ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 19), ("ArrowRight", 19), ("Home", 0)
    ):  # fmt: skip
        page.keyboard.press(key)
        assert _where(page) == expected
    slider = page.locator(".watch input")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert _where(page) == 1
    assert slider.get_attribute("aria-valuetext") == "frame 1 of 19"
    assert page.locator(".watch .live").inner_text() == f"frame 1 of 19: {GOOD} 0.67, {FAIR} 0.51, {HOSTILE} 0.31"


def test_playing_by_key_and_to_the_end_by_button(page: Any) -> None:
    stage, play = page.locator(".stage"), page.locator("[data-go=play]")
    stage.focus()
    page.keyboard.press("Space")
    assert play.get_attribute("aria-label") == "Pause"
    expect(page.locator(".watch .where")).to_have_text(re.compile(r"frame ([2-9]|1\d) of 19"))
    page.keyboard.press("Space")
    assert play.get_attribute("aria-label") == "Play"
    halted = _where(page)
    page.wait_for_timeout(400)
    assert _where(page) == halted
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    play.click()
    expect(play).to_have_attribute("aria-label", "Play")
    assert _where(page) == 19


def test_choosing_another_sequence(page: Any) -> None:
    select = page.locator(".watch select")
    page.get_by_role("button", name="Easier").click()
    assert select.locator("option:checked").inner_text().startswith("clip6 ")
    assert _lost(page)[HOSTILE] == "3"
    assert page.locator(".watch .lost button").get_attribute("title") == "found again at frame 13"
    select.select_option(label=next(t for t in select.locator("option").all_inner_texts() if t.startswith("clip1 ")))
    assert _lost(page)[FAIR] == "it fell over"
    assert _overlaps(page)[FAIR] == "–"
    assert page.locator(".watch .trace-line").count() == 2
    page.locator("#t-folder-sequences tbody a", has_text="b&w").click()
    assert select.locator("option:checked").inner_text().startswith("b&w ")
    assert page.evaluate("document.activeElement.className") == "stage"
    assert page.locator(".stage img").get_attribute("src") == "frames/folder/b%2526w/0.jpg"
    expect(page.locator(".stage img")).to_have_js_property("naturalWidth", 160)


def test_an_address_leads_to_a_sequence(page: Any) -> None:
    link = page.locator("#t-folder-sequences tbody a", has_text="clip2").get_attribute("href")
    page.evaluate("hash => { location.hash = hash }", link)
    expect(page.locator(".watch select")).to_have_value(link.removeprefix("#"))


def test_going_to_a_loss(page: Any) -> None:
    page.get_by_role("button", name=f"{HOSTILE} lost the target at frame 9").click()
    assert _where(page) == 9
    current = page.locator(".thumbs [aria-current]")
    assert current.get_attribute("aria-label") == f"Frame 9, lost by {HOSTILE}"
    page.locator(".thumbs button").nth(3).click()
    assert _where(page) == 3
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Frame 4"
    assert page.locator(".thumbs button[tabindex='0']").count() == 1
    plot = page.locator(".watch .over")
    area = plot.bounding_box()
    plot.click(position={"x": area["width"] - 18, "y": 40})
    assert _where(page) == 19


def test_a_tracker_switched_off_stays_off(page: Any) -> None:
    row = page.locator(".watch tbody tr", has_text=GOOD)
    number = row.get_attribute("data-t")
    row.locator(".switch").click()
    drawn = page.locator(f".watch svg [data-t='{number}']:visible")
    assert drawn.count() == 0
    assert page.locator(f"nav .switch[data-t='{number}']").get_attribute("aria-pressed") == "false"
    page.get_by_role("button", name="Step on").click()
    page.get_by_role("button", name="Easier").click()
    assert drawn.count() == 0
    row.locator(".switch").click()
    assert drawn.count() > 2


def test_a_tracker_looks_the_same_in_sidebar_plot_and_frames(page: Any) -> None:
    page.get_by_role("button", name="Step on").click()
    style = "e => { const s = getComputedStyle(e); return [s.strokeDasharray, s.strokeWidth] }"
    seen = set()
    for number in range(3):
        dashes, _ = page.locator(f"nav .switch[data-t='{number}'] path").evaluate(style)
        assert page.locator(f".over [data-t='{number}'] .trace-line").evaluate(style)[0] == dashes
        assert page.locator(f".plot [data-t='{number}'].curve").first.evaluate(style)[0] == dashes
        box = page.locator(f".stage [data-t='{number}'] .line").evaluate(style)
        small = page.locator(f".thumbs [data-t='{number}'] .line").first.evaluate(style)
        assert box[0] == small[0] == dashes
        assert page.locator(f".frame-legend .i{number} .line").evaluate(style) == box
        seen.add((dashes, box[1]))
    truth = page.locator(".stage .truth .line").evaluate(style)
    assert truth == ["none", "4px"] == page.locator(".frame-legend .truth .line").evaluate(style)
    assert len(seen) == 3 and {width for _, width in seen} == {"2px"}


@pytest.mark.parametrize("width", [390, 320])
def test_its_table_fits_a_phone(browser: Any, report: Path, width: int) -> None:
    for page in open_page(browser, report, "light", width):
        box = page.locator(".watch .scroll")
        assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
        head = page.locator(".watch thead th").last
        assert head.inner_text().split() == ["Lost", "at", "frame"]
        assert head.evaluate("e => e.getBoundingClientRect().right") <= width


def test_pointing_at_a_tracker_brings_it_out(page: Any) -> None:
    page.locator(".watch tbody tr", has_text=GOOD).hover()
    faint = page.locator(".watch .over .faint")
    assert faint.count() == 2
    page.mouse.move(1, 1)
    assert faint.count() == 0


def test_prints_a_strip_of_frames_without_controls(page: Any) -> None:
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".watch [data-go]:visible, .watch input:visible").count() == 0
    assert page.locator(".thumbs li:visible").count() == 10
    for image in page.locator(".thumbs .main img").all():
        expect(image).to_have_js_property("naturalWidth", 160)
    assert page.locator(".watch .over").is_visible()


def test_without_images_the_plot_works_and_says_why(browser: Any, tmp_path: Path) -> None:
    report = write_report(example_store(tmp_path, sequences=2, images=False), tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.jpg"))
    for page in open_page(browser, report, "dark", 390):
        assert "clips does not exist" in page.locator(".watch .why").inner_text()
        assert not page.locator(".stage").is_visible()
        page.get_by_role("button", name="Step on").click()
        assert _where(page) == 1
        assert page.locator(".watch .trace-line").count() == 2  # clip1, which one of three has no result of


def test_without_scripts_the_rest_stands(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(report.as_uri())
    assert not page.locator(".watch").is_visible()
    assert page.locator("#t-folder-sequences tbody tr").count() == 8
    context.close()


def test_a_page_in_one_file_shows_frames_wherever_it_lies(browser: Any, tmp_path: Path) -> None:
    made = write_report(example_store(tmp_path, sequences=3), tmp_path / "out", single_file=True)
    moved = made.rename(tmp_path / "mailed.html")
    for page in open_page(browser, moved):
        image = page.locator(".stage img")
        assert image.get_attribute("src").startswith("data:image/jpeg;base64,")
        page.wait_for_function("() => document.querySelector('.stage img').naturalWidth > 0")
        assert page.locator(".files").count() == 0
