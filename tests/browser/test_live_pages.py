"""The pages of label and of play --browser in a real browser, served by the commands as people start them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inmo.datasets import open_dataset
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

REFUSED = "Unprocessable Entity"
"""What Chromium says of an answer that tells the person what to mend."""
FIRST = (4, 6, 16, 14)
"""The box of the clips' first frame, which moves by (2, 1) a frame."""


def interruptible() -> None:
    """What a shell starts in the background has SIGINT ignored, and so have its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(run: subprocess.Popen[str]) -> str:
    """What a process that was told to end says at last; one that does not end is killed."""
    try:
        return run.communicate(timeout=60)[1]
    except subprocess.TimeoutExpired:
        run.kill()
        raise


@contextmanager
def served(words: Sequence[str], folder: Path) -> Iterator[str]:
    """The address that a command prints; an interruption ends it well."""
    command = [sys.executable, str(ROOT / "run_all.py"), *words]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=env,
        preexec_fn=interruptible,
    ) as run:  # fmt: skip
        assert run.stdout is not None and run.stderr is not None
        try:
            lines = iter(run.stdout.readline, "")
            address = next((line.strip() for line in lines if line.startswith("http")), "")
            assert address, run.stderr.read()
            yield address
        finally:
            run.send_signal(signal.SIGINT)
            left = ended(run)
        assert run.returncode == 0
        assert left == ""


@contextmanager
def opened(browser: Any, address: str, width: int = 1200) -> Iterator[Any]:
    """A tab at the address. Errors, console messages and requests to anywhere else fail the test."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    trouble: list[str] = []
    page.on("console", lambda message: None if REFUSED in message.text else trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((address, "data:")) else trouble.append(r.url))
    page.goto(address)
    yield page
    assert trouble == []
    context.close()


def drag(page: Any, canvas: Any, start: Sequence[float], end: Sequence[float]) -> None:
    """With the mouse, from one place in the frame to another, in pixels of the frame."""
    place = canvas.bounding_box()
    scale = place["width"] / canvas.evaluate("e => e.width")
    for (x, y), act in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(place["x"] + x * scale, place["y"] + y * scale)
        act()


def words(page: Any, where: str) -> str:
    text: str = page.locator(where).inner_text()
    return text


def wait(page: Any, where: str, text: str) -> None:
    page.locator(where, has_text=re.compile(text)).wait_for(timeout=60_000)


def test_a_clip_is_labelled(browser: Any, clips: Path) -> None:
    """Draw, track to the end, correct, mark absent, take back, close and go on, and read it as a data set."""
    (clips / "long" / "groundtruth_rect.txt").unlink()
    home = clips / "long"
    with served(["label", "long", "--tracker", "kcf"], clips) as address:
        with opened(browser, address) as page:
            wait(page, "#where", "frame 1 of 12")
            stage = page.locator("#stage")
            assert page.locator("#track").is_disabled()
            drag(page, stage, FIRST[:2], (FIRST[0] + FIRST[2], FIRST[1] + FIRST[3]))
            page.locator("#stage[data-kind=drawn]").wait_for()
            assert page.locator("#w").input_value() == "16"
            page.keyboard.press("t")
            wait(page, "#said", "this is the last frame")
            assert words(page, "#where") == "frame 12 of 12"
            assert stage.get_attribute("data-kind") == "tracked"
            boxes = np.loadtxt(home / "groundtruth_rect.txt", delimiter=",")
            assert np.abs(boxes - [[4 + 2 * i, 6 + i, 16, 14] for i in range(12)]).max() < 3
            for _ in range(5):
                page.keyboard.press("ArrowLeft")
            wait(page, "#where", "frame 7 of 12")
            page.locator("#stage[data-kind=tracked]").wait_for()
            x, y = float(page.locator("#x").input_value()), float(page.locator("#y").input_value())
            drag(page, stage, (x + 8, y + 7), (x + 10, y + 8))  # taken hold of inside: the box moves
            page.locator("#stage[data-kind=drawn]").wait_for()
            assert float(page.locator("#x").input_value()) == pytest.approx(x + 2, abs=0.2)
            page.locator("#w").fill("20")
            page.locator("#w").press("Enter")
            page.locator("#said:empty").wait_for(state="attached")
            page.keyboard.press("Escape")
            page.locator("#on").click()
            page.locator("#stage[data-kind='']").wait_for()  # what was proposed after the correction is gone
            page.locator("#hide").click()
            page.locator("#stage[data-kind=absent]").wait_for()
            page.locator("#w").fill("0")
            page.locator("#set").click()
            page.locator("#said.bad").wait_for()
            assert "a box needs" in words(page, "#said")
        with opened(browser, address, width=390) as page:
            wait(page, "#where", "frame 8 of 12")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate(
                "[...document.querySelectorAll('button,input,canvas')].every(e => (e.innerText ?? '').trim() || "
                "e.ariaLabel || e.labels?.length)"
            )
    (sequence,) = [s for s in open_dataset("folder", str(clips)).sequences if s.name == "long"]
    annotation = sequence.annotation()
    assert annotation.absent is not None
    assert annotation.absent.astype(int).tolist() == [0] * 7 + [1] + [0] * 4
    assert annotation.boxes[6, 2] == 20
    assert np.isnan(annotation.boxes[8:]).all()
    kept = {"absent.txt", "groundtruth_rect.txt", "img", "keyframes.json"}
    assert {path.name for path in home.iterdir()} == kept
    assert sorted(path.name for path in clips.iterdir()) == ["long", "middle", "short"]


def test_trackers_are_watched_side_by_side(browser: Any, clips: Path) -> None:
    command = ["play", "--browser", "--video", ".", "--tracker", "siamcar", "cnninmo", "--preset", "nano"]
    with served(command, clips) as address, opened(browser, address) as page:
        wait(page, "#facts", "long: 12 frames of 64 × 48")
        page.locator("#video").select_option("short")
        wait(page, "#facts", "short: 6 frames")
        first, second = page.locator("#pane0"), page.locator("#pane1")
        assert page.locator("#run").is_disabled()
        assert not second.is_visible()
        page.locator("#two").select_option(index=2)  # none, the first, the second
        stage = page.locator("#pane0 canvas")
        page.locator("#pane0 canvas[width='64']").wait_for()
        drag(page, stage, FIRST[:2], (FIRST[0] + FIRST[2], FIRST[1] + FIRST[3]))
        wait(page, "#pane1 b", "CNNInMo")
        assert "SiamCAR" in first.locator("b").inner_text()
        page.locator("#run:enabled").click()
        wait(page, "#said", "this was the last frame")
        assert words(page, "#where") == "frame 6 of 6"
        assert re.fullmatch(r"score 0\.\d{3}", second.locator(".score").inner_text())
        assert "fps" in second.locator(".speed").inner_text()
        with_region = page.locator("#pane1 canvas").evaluate("e => e.toDataURL()")
        page.locator("#region").uncheck()
        page.locator("#region:not(:checked)").wait_for()
        page.wait_for_timeout(500)
        assert page.locator("#pane1 canvas").evaluate("e => e.toDataURL()") != with_region
        page.locator("#one").select_option(index=1)  # switched: it starts again from the same box
        wait(page, "#pane0 b", "CNNInMo")
        wait(page, "#where", "frame 1 of 6")
        page.locator("#h").fill("0")
        page.locator("#set").click()
        page.locator("#said.bad").wait_for()
        assert "a box needs" in words(page, "#said")
