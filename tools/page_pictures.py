"""Take the pictures of pages into docs/images.

    python -m tools.page_pictures                   # label.png, and the film play.webp
    python run_all.py report --store output/store --out page --single-file
    python -m tools.page_pictures page/index.html   # report.png and failures.png

The video is a rendered clip of the mini-suite, and the store that of `make report`. Needs the extra test and a
Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2

from inmo.datasets import open_dataset
from inmo.datasets.mini.suite import write_clips
from tools.door import leave_after

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PATIENCE = 180_000  # milliseconds
COLOURS = 128  # of the palette: a fraction of the bytes
FILM = (640, 10, 20)  # pixels across, frames per second, WebP's quality: below 600 kB
SIZE = (1000, 900)  # of the window of play
FIRST, LAST = 600, 1500  # milliseconds for which the ends of the film stand


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
    page.locator("main").screenshot(path=str(IMAGES / name))
    few_colours(IMAGES / name)


def few_colours(path: Path) -> None:
    """Write a picture anew, with a palette."""
    from PIL import Image

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
    """A film of two trackers on one clip, a picture per frame."""
    page.goto(address)
    page.wait_for_function("document.querySelector('#pane0 canvas').width > 300")
    page.locator("#two").select_option(index=2)  # none, the first, the second
    set_box(page, box)
    page.locator("#run:enabled").wait_for()
    asked: list[Any] = []
    page.route("**/step", lambda route: asked.append(route))
    count, shots = int(page.locator("#frame").get_attribute("max")) + 1, []
    bar, below = page.locator("#run").bounding_box(), page.locator("#x").bounding_box()
    part = {"x": 0, "y": 0, "width": SIZE[0], "height": (bar["y"] + bar["height"] + below["y"]) / 2}
    page.locator("#run").click()
    # A pair of steps is asked for when the frame before is painted, and answered when its picture is taken.
    for _ in range(count):
        for pane in (0, 1):
            while not asked:
                page.wait_for_timeout(20)
            if pane == 0:
                shots.append(page.screenshot(clip=part))
            asked.pop().continue_()
    page.unroute("**/step")
    write_film(shots, "play.webp")


def write_film(shots: Sequence[bytes], name: str) -> None:
    """Write pictures of a page as an animated WebP that starts over."""
    from PIL import Image

    across, rate, quality = FILM
    pictures = []
    for shot in shots:
        with Image.open(BytesIO(shot)) as picture:
            size = (across, round(picture.height * across / picture.width))
            pictures.append(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    times = [FIRST, *[1000 // rate] * (len(pictures) - 2), LAST]
    first, *others = pictures
    first.save(IMAGES / name, save_all=True, append_images=others, duration=times, loop=0, quality=quality, method=4)


def report(page: Any, index: Path) -> None:
    """The head of a report's page, and the failure browser of its hardest sequence where it was lost."""
    page.goto(index.resolve().as_uri())
    page.locator(".watch select").first.wait_for()
    page.screenshot(path=str(IMAGES / "report.png"))
    watch = page.locator(".watch").first
    watch.locator("input[type=range]").focus()
    page.keyboard.press("End")
    watch.evaluate("e => window.scrollTo(0, e.getBoundingClientRect().top + window.scrollY - 60)")
    page.wait_for_timeout(1000)
    page.screenshot(path=str(IMAGES / "failures.png"))
    for name in ("report.png", "failures.png"):
        few_colours(IMAGES / name)


@contextmanager
def chromium(playwright: Any, width: int, height: int) -> Iterator[Any]:
    """A window of so many pixels."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    # Playwright waits by code of its own, which the pages' policy forbids.
    page = browser.new_page(viewport={"width": width, "height": height}, bypass_csp=True)
    page.set_default_timeout(PATIENCE)
    yield page
    browser.close()


def main(words: Sequence[str]) -> None:
    """Photograph a report's page, or render a clip, serve it, and photograph both pages that follow it."""
    from playwright.sync_api import sync_playwright

    if words:
        with sync_playwright() as playwright, chromium(playwright, 1280, 1010) as page:
            report(page, Path(words[0]))
        return
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
        with chromium(playwright, 760, 900) as page:
            with served(["label", "dog.mp4", "--tracker", "cnninmo", "--preset", "lite"], folder) as address:
                label(page, box, address)
            page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
            trackers = ["--tracker", "cnninmo", "siamcar", "--preset", "lite"]
            with served(["play", "--browser", "--video", "dog.mp4", *trackers], folder) as address:
                play(page, box, address)


if __name__ == "__main__":
    leave_after(lambda: main(sys.argv[1:]))
