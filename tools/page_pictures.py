"""Take the pictures of the pages of label and of play --browser: docs/images/label.png and play.png.

    python -m tools.page_pictures

The video is rendered: a clip of the embedded mini-suite. Needs the extra test and a Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from inmo.datasets import open_dataset
from inmo.datasets.mini.suite import write_clips

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PATIENCE = 180_000  # milliseconds
COLOURS = 128  # of the palette: a fraction of the bytes


@contextmanager
def served(words: Sequence[str], folder: Path) -> Iterator[str]:
    """The address that a command of ours prints."""
    command = [sys.executable, str(ROOT / "run_all.py"), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as run:
        assert run.stdout is not None
        try:
            yield next(line.strip() for line in run.stdout if line.startswith("http"))
        finally:
            run.terminate()


def set_box(page: Any, box: Sequence[float]) -> None:
    """Type a box in, which is what dragging it does."""
    for name, value in zip("xywh", box, strict=True):
        page.locator(f"#{name}").fill(f"{value:g}")
    page.locator("#set").click()


def take(page: Any, name: str) -> None:
    """Write the page, cut to its content, as a picture of few colours."""
    from PIL import Image

    path = IMAGES / name
    page.locator("main").screenshot(path=str(path))
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def label(page: Any, box: Sequence[float], address: str) -> None:
    """A clip with proposed, drawn, interpolated and absent frames."""
    page.goto(address)
    page.wait_for_function("document.querySelector('#stage').width > 300")
    set_box(page, box)
    page.locator("#stage[data-kind=drawn]").wait_for()
    page.locator("#track").click()
    page.wait_for_function("document.querySelector('#frame').value >= 30")
    page.locator("#track").click()
    page.wait_for_function("document.querySelector('#track').textContent.startsWith('Track')")
    at = int(page.locator("#frame").input_value())
    for frame, act in ((at + 4, "#set"), (at + 12, "#set"), (at + 14, "#hide"), (8, "")):
        values = [float(page.locator(f"#{name}").input_value() or 0) for name in "xywh"]
        page.locator("#frame").evaluate("(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }", str(frame))
        page.locator("#where", has_text=f"frame {frame + 1} ").wait_for()
        if act == "#set":
            set_box(page, values)
            page.locator("#stage[data-kind=drawn]").wait_for()
        elif act:
            page.locator(act).click()
            page.locator("#stage[data-kind=absent]").wait_for()
    page.locator("#stage[data-kind=tracked]").wait_for()
    take(page, "label.png")


def play(page: Any, box: Sequence[float], address: str) -> None:
    """Two trackers on one clip, stopped on the way."""
    page.goto(address)
    page.wait_for_function("document.querySelector('#pane0 canvas').width > 300")
    page.locator("#two").select_option(index=2)  # none, the first, the second
    set_box(page, box)
    page.locator("#run:enabled").click()
    page.wait_for_function("document.querySelector('#frame').value >= 10")
    page.locator("#run").click()
    page.wait_for_function("document.querySelector('#run').textContent.startsWith('Run')")
    page.wait_for_timeout(500)
    take(page, "play.png")


def main() -> None:
    """Render a clip, serve it, and photograph both pages."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        write_clips(folder / "clips", 1)
        (sequence,) = open_dataset("folder", str(folder / "clips")).sequences
        assert sequence.frames is not None
        frames = sequence.frames()
        height, width = frames.read(0).shape[:2]
        writer = cv2.VideoWriter(str(folder / "dog.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25, (width, height))
        for index in range(len(frames)):
            writer.write(frames.read(index))
        writer.release()
        box = sequence.annotation().boxes[0].tolist()
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        # Playwright waits by code of its own, which the pages' policy forbids.
        page = browser.new_page(viewport={"width": 760, "height": 900}, bypass_csp=True)
        page.set_default_timeout(PATIENCE)
        with served(["label", "dog.mp4", "--tracker", "cnninmo", "--preset", "lite"], folder) as address:
            label(page, box, address)
        page.set_viewport_size({"width": 1000, "height": 900})
        trackers = ["--tracker", "siamcar", "cnninmo", "--preset", "nano"]
        with served(["play", "--browser", "--video", "dog.mp4", *trackers], folder) as address:
            play(page, box, address)
        browser.close()


if __name__ == "__main__":
    main()
