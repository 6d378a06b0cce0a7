"""Watching a tracker: over a video file, a folder of frames or a camera, on the screen or into a video."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from inmo.datasets.images import Frame
from inmo.datasets.own.media import open_media
from inmo.errors import UserError
from inmo.harness.run.engine import check_step
from inmo.harness.run.jobs import built
from inmo.harness.run.setup import Setup
from inmo.reports.figures.frames import Track, bgr, colour_on_image, draw_boxes
from inmo.reports.video.video_file import VideoFile, even
from inmo.trackers.base import SequenceAware

CAMERA = "camera"
WINDOW = "InMo harness"
STOP = (27, ord("q"))  # Esc
WIDTH, STRIP = 960, 40  # pixels of what is shown, and of the line of words below it
PATIENCE = 30  # seconds for a display to answer
LATEST = 20  # frames whose mean speed is printed


class Screen:
    """A window of OpenCV's. Raises UserError where this build or this machine has none."""

    def __init__(self) -> None:
        if why := no_window() or silent_display():
            raise UserError(f"{why}: give --out FILE.mp4 to write a video, with --box X Y W H for the target")

    def select(self, frame: Frame) -> tuple[float, float, float, float]:
        """The box that the user draws with the mouse. Raises UserError for none."""
        x, y, w, h = cv2.selectROI(WINDOW, frame, showCrosshair=True)
        if w <= 0 or h <= 0:
            raise UserError("no box was drawn: drag the mouse over the target and press Enter, or give --box X Y W H")
        return float(x), float(y), float(w), float(h)

    def show(self, frame: Frame) -> bool:
        """Show a frame; False when the user wants to stop (Esc or q)."""
        cv2.imshow(WINDOW, frame)
        return cv2.waitKey(1) & 0xFF not in STOP

    def close(self) -> None:
        cv2.destroyAllWindows()


def no_window() -> str:
    """Why no window can be opened, in words; empty where one can."""
    lines = [line.split(":", 1)[1].strip() for line in cv2.getBuildInformation().splitlines() if "GUI:" in line]
    if not lines or lines[0].upper().startswith("NONE"):
        return "this build of OpenCV has no windows (it is the headless one)"
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display here"
    return ""


def silent_display() -> str:
    """Why the display gives no window, in words; empty where it gives one. Asked in another process, since OpenCV's
    window library ends the one whose display does not answer."""
    words = f"import cv2; cv2.namedWindow({WINDOW!r}); cv2.destroyAllWindows()"
    try:
        if not subprocess.run([sys.executable, "-c", words], capture_output=True, timeout=PATIENCE).returncode:
            return ""
    except subprocess.TimeoutExpired:
        pass
    name = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or "here"
    return f"the display {name} opens no window"


def frames_of(video: str) -> Iterator[Frame]:
    """Frames as they come, BGR uint8. Raises UserError for what cannot be opened or read.

    Args:
        video: a video file, a folder of image files or of a sequence, ``camera`` or ``camera:1``.
    """
    if Path(video).is_dir():
        frames = open_media(Path(video))
        yield from map(frames.read, range(len(frames)))
        return
    name, _, number = video.partition(":")
    camera = name == CAMERA and (not number or number.isdigit())
    if not camera and not Path(video).is_file():
        raise UserError(f"{video} is not there: give a video file, a folder of frames, or {CAMERA}")
    capture = cv2.VideoCapture(int(number or 0)) if camera else cv2.VideoCapture(video)
    try:
        ok, frame = capture.read()
        if not ok:
            raise UserError(f"{video} gives no frame: {'is a camera connected?' if camera else 'is it a video?'}")
        while ok:
            yield np.asarray(frame, dtype=np.uint8)
            ok, frame = capture.read()
    finally:
        capture.release()


def rate_of(video: str) -> float:
    """Frames per second of a video file as it says itself; 25 for anything else."""
    found = cv2.VideoCapture(video).get(cv2.CAP_PROP_FPS) if Path(video).is_file() else 0.0
    return float(found) if 1 <= found <= 240 else 25.0


def play(
    setup: Setup,
    video: str,
    *,
    box: Sequence[float] | None = None,
    out: Path | None = None,
    most: int | None = None,
    benchmark: str = "folder",
    device: str = "auto",
) -> int:
    """Follow one target.

    Args:
        setup: the tracker.
        video: see ``frames_of``.
        box: x, y, w, h in the first frame, in pixels from 0; drawn with the mouse when None.
        out: FILE.mp4 to write, with FILE.csv beside it, in place of a window.
        most: stop after so many frames.
        benchmark: whose test-time constants are used.
        device: as everywhere.

    Returns:
        how many frames were followed.

    Raises:
        UserError: whatever the user can mend. TrackerFailure: the tracker went wrong.
    """
    screen = Screen() if out is None else None
    if box is None and screen is None:
        raise UserError("say where the target is in the first frame: --box X Y W H, in pixels from 0")
    tracker: Any = built(setup.spec.name, setup.on(benchmark), device)
    if isinstance(tracker, SequenceAware):
        raise UserError(f"{setup.spec.name} looks up what is known of a sequence: name a tracker that looks at frames")
    source = frames_of(video)
    first = next(source)
    chosen = tuple(box) if box is not None else screen.select(first) if screen else ()
    check_box(chosen, first)
    title = setup.shown
    picture = _Picture(title, Path(video).name or video, first)
    rows: list[tuple[float, ...]] = [(*chosen, float("nan"))]
    spent: deque[float] = deque(maxlen=LATEST)
    with ExitStack() as stack:
        writer = stack.enter_context(VideoFile(out, picture.size, rate_of(video))) if out is not None else None
        if screen:
            stack.callback(screen.close)
        state = tracker.init([first], np.array([chosen], np.float64))
        for index, frame in enumerate(chain([first], source)):
            if index:
                started = perf_counter()
                step = tracker.step([frame], state)
                spent.append(perf_counter() - started)
                check_step(step, video, index, 1)
                state = step.state
                rows.append((*step.boxes[0].tolist(), float(step.scores[0])))
            shown = picture.drawn(frame, np.array([rows[-1][:4]]), index, len(spent) / sum(spent) if spent else 0.0)
            if writer:
                writer.write(shown)
            if (screen and not screen.show(shown)) or len(rows) == most:
                break
    if out is not None:
        lines = [",".join((str(i), *(f"{v:.3f}" for v in row))) for i, row in enumerate(rows)]
        out.with_suffix(".csv").write_text("\n".join(["frame,x,y,w,h,score", *lines]) + "\n", encoding="utf-8")
    return len(rows)


def check_box(box: Sequence[float], frame: Frame) -> None:
    """Raises UserError for a first box that is not finite, of no size, or outside the frame."""
    height, width = frame.shape[:2]
    x, y, w, h = box
    if not (np.isfinite(box).all() and w > 0 and h > 0 and x < width and y < height and x + w > 0 and y + h > 0):
        raise UserError(
            f"--box {' '.join(f'{v:g}' for v in box)} is no box in a frame of {width} x {height} pixels: give the "
            "left, the top, the width and the height of the target in the first frame"
        )


class _Picture:
    """Frames with the box drawn in and a line of words below, in the page's colours."""

    def __init__(self, title: str, words: str, first: Frame) -> None:
        from inmo.reports.video.film import font

        height, width = first.shape[:2]
        self.title, self.words = title, words
        self.width = even(min(WIDTH, max(width, 480)))
        self.height = even(height * self.width / width)
        self.size = (self.width, self.height + STRIP)
        self.fonts = font("Sans-Bold", 15), font("Sans", 13), font("SansMono", 13)

    def drawn(self, frame: Frame, box: Any, index: int, speed: float) -> Frame:
        """(H, W, 3) BGR of ``size``; ``box`` (1, 4) in pixels of the frame, ``speed`` in frames per second."""
        from PIL import Image, ImageDraw

        from inmo.reports.video.film import INK, PAPER, SOFT

        canvas = np.empty((self.size[1], self.size[0], 3), np.uint8)
        canvas[:] = bgr(PAPER)
        picture = draw_boxes(frame, [Track(box, colour_on_image(0))], width=self.width)[: self.height]
        canvas[: len(picture)] = picture
        strip = Image.fromarray(canvas[self.height :, :, ::-1].copy())
        draw = ImageDraw.Draw(strip)
        bold, plain, mono = self.fonts
        draw.text((16, STRIP / 2), self.title, INK, bold, anchor="lm")
        draw.text((26 + bold.getlength(self.title), STRIP / 2), self.words, SOFT, plain, anchor="lm")
        right = f"frame {index}" + (f"  {speed:.0f} fps" if speed else "")
        draw.text((self.width - 16, STRIP / 2), right, INK, mono, anchor="rm")
        canvas[self.height :] = np.asarray(strip, dtype=np.uint8)[:, :, ::-1]
        return canvas
