"""A sequence as a video: every tracker's box in the frames, and their overlap over time below with a running cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image, ImageDraw, ImageFont

from inmo.boxes import Boxes
from inmo.datasets.images import Frame, Frames
from inmo.reports.figures.frames import bgr, colour_on_image, draw_boxes, tracker_boxes, true_boxes
from inmo.reports.figures.style import DASHES, Style
from inmo.reports.scoring.failures import runs
from inmo.reports.scoring.metrics import Values
from inmo.reports.video.video_file import VideoFile, even

PAPER, INK, SOFT, GRID = "#15181c", "#e6e8ea", "#9aa3ad", "#31373e"  # the page's on a dark ground
TALLEST = 0.72  # of the video's width: taller images are drawn smaller
LEFT, RIGHT, HEAD, LEGEND, CURVES, FOOT = 44, 18, 40, 24, 150, 26  # pixels of the panel at a width of 960
FAINT = 0.3  # opacity of what is still to come


@dataclass(frozen=True)
class Follower:
    """One tracker: (n, 4) boxes in pixels from 0 and (n,) overlaps, NaN where the target cannot be seen."""

    name: str
    boxes: Boxes
    overlaps: Values
    style: Style


@dataclass(frozen=True)
class Scene:
    """What is shown.

    Attributes:
        title, words: of the sequence, and of where it comes from.
        truth: (n, 4) ground truth in pixels from 0, NaN where the target cannot be seen.
        followers: drawn in order, so that the last one is on top; the legend has them the other way around.
    """

    title: str
    words: str
    truth: Boxes
    followers: tuple[Follower, ...]

    def __len__(self) -> int:
        return len(self.truth)


class Film:
    """The frames of a scene as they are drawn, one size for all.

    Args:
        scene: what is shown.
        first: the first frame, whose shape decides the layout.
        width: pixels of the video.
    """

    def __init__(self, scene: Scene, first: Frame, width: int) -> None:
        self.scene, self.width = scene, even(width)
        self.scale = self.width / 960
        height, across = first.shape[:2]
        self.picture = min(self.width, round(self.width * TALLEST * across / height))
        self.picture_height = max(1, round(height * self.picture / across))
        self.fonts = {name: font(name, round(size * self.scale)) for name, size in
                      (("Sans-Bold", 16), ("Sans", 13), ("SansMono", 13))}  # fmt: skip
        self.panel = _Panel(scene, self.width, self.scale, self.fonts)
        total = self.picture_height + self.panel.height
        self.size = (self.width, total + total % 2)

    def frames(self, source: Frames) -> Iterator[Frame]:
        """Every frame, (height, width, 3) BGR. Raises UserError for one that cannot be read."""
        for index in range(min(len(self.scene), len(source))):
            yield self.frame(source.read(index), index)

    def frame(self, image: Frame, index: int) -> Frame:
        """One drawn frame."""
        canvas = np.empty((self.size[1], self.width, 3), np.uint8)
        canvas[:] = bgr(PAPER)
        tracks = [true_boxes(self.scene.truth[index : index + 1])]
        tracks += [tracker_boxes(each.boxes[index : index + 1], each.style) for each in self.scene.followers]
        thick = max(2, round(2 * self.scale))
        picture = draw_boxes(image, tracks, width=self.picture, thick=thick)[: self.picture_height]
        left = (self.width - self.picture) // 2
        canvas[: len(picture), left : left + self.picture] = picture
        panel = self.panel.at(index)
        canvas[self.picture_height : self.picture_height + len(panel)] = panel
        return canvas


class _Panel:
    """What stands below the images: title, legend with running numbers, curves with the cursor."""

    def __init__(self, scene: Scene, width: int, scale: float, fonts: dict[str, Any]) -> None:
        self.scene, self.width, self.scale, self.fonts = scene, width, scale, fonts
        self.legend = [*reversed(scene.followers)]
        entry = max([fonts["Sans"].getlength(each.name) for each in self.legend] + [40 * scale]) + 92 * scale
        self.across = max(1, int((width - (LEFT + RIGHT) * scale) // entry))
        rows = -(-len(self.legend) // self.across)
        self.entry = entry
        self.head = round((HEAD + LEGEND * rows) * scale)
        self.height = self.head + round((CURVES + FOOT) * scale)
        self.bright, self.faint = (self._drawn(opacity) for opacity in (1.0, FAINT))

    def at(self, index: int) -> Frame:
        """(height, width, 3) BGR: past curves bright, coming ones faint, the cursor between, numbers as of now."""
        x = self._x(index)
        split = min(self.width, round(x) + 1)
        whole = np.concatenate([self.bright[:, :split], self.faint[:, split:]], axis=1)
        top, bottom = self.head, self.height - round(FOOT * self.scale)
        line = np.ascontiguousarray(whole)
        cv2.line(line, (round(x), top), (round(x), bottom), bgr(INK), max(1, round(self.scale)), cv2.LINE_AA)
        for each in self.scene.followers:
            value = each.overlaps[index]
            if np.isfinite(value):
                at = (round(x * 16), round((bottom - value * (bottom - top)) * 16))
                for radius, colour in ((5.5, PAPER), (4.0, colour_on_image(each.style.hue))):
                    cv2.circle(line, at, round(radius * self.scale * 16), bgr(colour), -1, cv2.LINE_AA, 4)
        image = Image.fromarray(line[:, :, ::-1])
        draw = ImageDraw.Draw(image)
        for number, each in enumerate(self.legend):
            left, middle = self._place(number)
            value = each.overlaps[index]
            text = f"{value:.2f}" if np.isfinite(value) else "–"
            left += self.fonts["Sans"].getlength(each.name) + 38 * self.scale
            draw.text((left, middle), text, INK, self.fonts["SansMono"], anchor="lm")
        right, middle = self.width - RIGHT * self.scale, HEAD / 2 * self.scale
        draw.text((right, middle), f"frame {index} / {len(self.scene) - 1}", INK, self.fonts["SansMono"], anchor="rm")
        return np.ascontiguousarray(np.asarray(image, dtype=np.uint8)[:, :, ::-1])

    def _x(self, index: int) -> float:
        left, right = LEFT * self.scale, self.width - RIGHT * self.scale
        return left + (right - left) * index / max(1, len(self.scene) - 1)

    def _place(self, number: int) -> tuple[float, float]:
        row, column = divmod(number, self.across)
        return LEFT * self.scale + column * self.entry, (HEAD + LEGEND * (row + 0.5)) * self.scale

    def _drawn(self, opacity: float) -> Frame:
        """The panel without what changes, its curves so opaque."""
        with mpl.rc_context({"font.family": "DejaVu Sans", "text.parse_math": False}):
            figure = Figure(figsize=(self.width / 100, self.height / 100), dpi=100, facecolor=PAPER)
            canvas = FigureCanvasAgg(figure)
            self._curves(figure, opacity)
            canvas.draw()  # type: ignore[no-untyped-call]
            pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        image = Image.fromarray(pixels[:, :, :3].copy())
        draw = ImageDraw.Draw(image)
        middle = HEAD / 2 * self.scale
        start = LEFT * self.scale
        draw.text((start, middle), self.scene.title, INK, self.fonts["Sans-Bold"], anchor="lm")
        start += self.fonts["Sans-Bold"].getlength(self.scene.title) + 10 * self.scale
        draw.text((start, middle), self.scene.words, SOFT, self.fonts["Sans"], anchor="lm")
        for number, each in enumerate(self.legend):
            left, middle = self._place(number)
            _swatch(draw, left, middle, each.style, self.scale)
            draw.text((left + 30 * self.scale, middle), each.name, INK, self.fonts["Sans"], anchor="lm")
        return np.ascontiguousarray(np.asarray(image, dtype=np.uint8)[:, :, ::-1])

    def _curves(self, figure: Figure, opacity: float) -> None:
        left, bottom = LEFT * self.scale / self.width, FOOT * self.scale / self.height
        across, up = 1 - (LEFT + RIGHT) * self.scale / self.width, 1 - self.head / self.height - bottom
        axes = figure.add_axes((left, bottom, across, up), facecolor=PAPER)
        for start, end in zip(*runs(np.asarray(np.isnan(self.scene.truth).any(axis=1))), strict=True):
            axes.axvspan(start - 0.5, end - 0.5, color=GRID, alpha=0.55, linewidth=0)
        for each in self.scene.followers:
            dashes = DASHES[each.style.dash] or (None, None)
            axes.plot(
                each.overlaps, color=colour_on_image(each.style.hue), dashes=dashes, linewidth=1.4 * self.scale,
                alpha=opacity, solid_capstyle="round", clip_on=False,
            )  # fmt: skip
        axes.set(xlim=(0, max(1, len(self.scene) - 1)), ylim=(0, 1), yticks=[0, 0.5, 1])
        axes.set_yticklabels(["0", "0.5", "1"])
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.tick_params(length=0, labelsize=8 * self.scale, colors=SOFT)
        axes.grid(visible=True, color=GRID, linewidth=0.8 * self.scale)
        axes.set_axisbelow(True)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_ylabel("overlap", color=SOFT, fontsize=8 * self.scale, labelpad=4 * self.scale)


def write_film(film: Film, source: Frames, path: Path, *, fps: float) -> int:
    """Write all frames; returns how many. Raises UserError for a frame or a file that cannot be read or written."""
    with VideoFile(path, film.size, fps) as video:
        for frame in film.frames(source):
            video.write(frame)
    return video.written


def _swatch(draw: ImageDraw.ImageDraw, left: float, middle: float, style: Style, scale: float) -> None:
    """A short piece of the tracker's line."""
    x, end = left, left + 22 * scale
    pattern = [d * 1.3 * scale for d in DASHES[style.dash]] or [end - left, 0]
    step = 0
    while x < end:
        stop = min(end, x + pattern[step % len(pattern)])
        if step % 2 == 0:
            draw.line([(x, middle), (stop, middle)], colour_on_image(style.hue), max(2, round(2.5 * scale)))
        x, step = stop, step + 1


def font(name: str, size: int) -> Any:
    """DejaVu, which comes with matplotlib: the same picture on every machine."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(folder / f"DejaVu{name}.ttf"), max(6, size))
