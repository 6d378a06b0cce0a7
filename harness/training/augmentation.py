"""From two views of a target to a training sample: jittered crops cut from the frames at once, and colour changes.

Rows of ``AUGMENTATIONS`` are the released ones: TransT's (pytracking's ltr), SiamCAR's (pysot; also SOTS's shift and
scale), and ``small``, for small trackers that must learn size from few pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes, xywh_to_cxcywh
from inmo.datasets.images import Frame
from inmo.datasets.training.base import Dice, Pair, View
from inmo.trackers.pipeline.crop import Floats, Geometry, Side, mean_colour

Fractions = NDArray[np.float32]
SIDES = (1.0, 20_000.0)


@dataclass(frozen=True)
class Jitter:
    """How a crop differs from the one centred on the target.

    Attributes:
        shift_sides: uniform shift, +- this many mean sides of the (jittered) target.
        shift_pixels: uniform shift, +- this fraction of the crop's side.
        scale_normal: log-normal factor on the target's w and h, each on its own: its deviation.
        scale_uniform: uniform stretch of the crop per axis, 1 +- this.
        zoom_uniform, zoom_share, zoom_normal: one log factor for both axes: uniform +- zoom_uniform in a share of
            the samples, normal of deviation zoom_normal in the others.
    """

    shift_sides: float = 0.0
    shift_pixels: float = 0.0
    scale_normal: float = 0.0
    scale_uniform: float = 0.0
    zoom_uniform: float = 0.0
    zoom_share: float = 0.0
    zoom_normal: float = 0.0


@dataclass(frozen=True)
class Augmentation:
    """One row.

    Attributes:
        template, search: geometry.
        grey: probability that both crops lose their colour.
        brightness: uniform factor 1 +- this, drawn once for both crops.
        contrast: log-normal factor and channel gains of each crop on its own: its deviation.
        colour: deviation of SiamCAR's PCA-like colour offset, in grey levels.
        blur: probability of motion blur in the search region.
        noise: largest deviation of Gaussian noise.
        flip: probability that both crops are mirrored.
        reflect: probability that the search region continues beyond the frame as a mirror, not as the mean colour,
            which would give the target's place away.
    """

    template: Jitter
    search: Jitter
    grey: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    colour: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    flip: float = 0.0
    reflect: float = 0.0


AUGMENTATIONS: Mapping[str, Augmentation] = MappingProxyType(
    {
        "none": Augmentation(Jitter(), Jitter()),
        "transt": Augmentation(Jitter(), Jitter(shift_sides=1.5, scale_normal=0.25), grey=0.05, brightness=0.2),
        "siamcar": Augmentation(
            Jitter(shift_pixels=4 / 127, scale_uniform=0.05),
            Jitter(shift_pixels=64 / 255, scale_uniform=0.18),
            colour=8.0,
            blur=0.2,
        ),
        "sots": Augmentation(
            Jitter(shift_pixels=4 / 128, scale_uniform=0.05),
            Jitter(shift_pixels=64 / 256, scale_uniform=0.18),
            contrast=0.03,
            brightness=0.05,
        ),
        "small": Augmentation(
            Jitter(shift_sides=0.04, scale_normal=0.02),
            Jitter(shift_sides=1.2, scale_normal=0.08, zoom_uniform=0.8, zoom_share=0.55, zoom_normal=0.2),
            grey=0.1,
            brightness=0.2,
            contrast=0.12,
            blur=0.2,
            noise=6.0,
            flip=0.5,
            reflect=0.5,
        ),
    }
)


@dataclass(frozen=True)
class Sample:
    """What a network trains on.

    Attributes:
        template: (Z, Z, 3) uint8 BGR.
        search: (X, X, 3) uint8 BGR.
        box: (4,) float32 centre x, centre y, w, h as fractions of the search region's side; may reach outside it.
        anchor: (2,) float32 w, h of the target in the template, as fractions of the template crop's side.
    """

    template: Frame
    search: Frame
    box: Fractions
    anchor: Fractions


def make_sample(pair: Pair, geometry: Geometry, row: Augmentation, dice: Dice) -> Sample:
    """Cut and colour one sample; ``dice`` decides everything."""
    template, anchor = cut(pair.template, geometry.template_side, geometry.template_size, row.template, dice, False)
    reflect = bool(dice.random() < row.reflect)
    search, box = cut(pair.search, geometry.search_side, geometry.search_size, row.search, dice, reflect)
    if row.flip and dice.random() < row.flip:
        template, search = template[:, ::-1], search[:, ::-1]
        box = box * np.array([-1, 1, 1, 1], np.float32) + np.array([1, 0, 0, 0], np.float32)
    template, search = recolour(template, search, row, dice)
    return Sample(template, search, box, anchor[2:])


def cut(view: View, side_of: Side, size: int, jitter: Jitter, dice: Dice, reflect: bool) -> tuple[Frame, Fractions]:
    """The crop (size, size, 3) of a view and the target in it, (4,) cx, cy, w, h as fractions of its side."""
    place: Boxes = xywh_to_cxcywh(view.box)
    centre, target = place[:2], np.maximum(place[2:], 1.0)
    jittered = target * np.exp(dice.normal(0, 1, 2) * jitter.scale_normal)
    if jitter.zoom_share or jitter.zoom_normal:
        wide = dice.random() < jitter.zoom_share
        zoom = dice.uniform(-1, 1) * jitter.zoom_uniform if wide else dice.normal() * jitter.zoom_normal
        jittered = jittered * np.exp(-zoom)
    side = float(np.clip(side_of(jittered[None])[0], *SIDES))
    sides = side * (1 + dice.uniform(-1, 1, 2) * jitter.scale_uniform)
    reach = jitter.shift_sides * float(np.sqrt(jittered.prod())) + jitter.shift_pixels * sides
    middle = centre + dice.uniform(-1, 1, 2) * reach
    crop = extract(view.frame, middle, sides, size, reflect)
    found = np.concatenate([(centre - middle) / sides + 0.5, target / sides])
    return crop, found.astype(np.float32)


def extract(frame: Frame, middle: Floats, sides: Floats, size: int, reflect: bool) -> Frame:
    """The rectangle of ``sides`` around ``middle`` resized to (size, size, 3), in one interpolation.

    Samples lie where OpenCV's resize puts them. Outside the frame the mean colour is continued, or the frame's mirror
    image.
    """
    height, width = frame.shape[:2]
    first = middle - sides / 2
    low = np.maximum(np.floor(first).astype(int) - 2, 0)
    high = np.minimum(np.ceil(first + sides).astype(int) + 3, [width, height])
    if (low >= high).any():
        return np.full((size, size, 3), mean_colour(frame), np.uint8)
    step = sides / size
    if reflect:  # the mirror needs the whole frame
        low, high = np.zeros(2, int), np.array([width, height])
    part = frame[low[1] : high[1], low[0] : high[0]]
    offset = first - low + step / 2 - 0.5
    matrix = np.array([[step[0], 0, offset[0]], [0, step[1], offset[1]]])
    mode = cv2.BORDER_REFLECT_101 if reflect else cv2.BORDER_CONSTANT
    fill = [float(v) for v in mean_colour(frame)]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(part, matrix, (size, size), flags=flags, borderMode=mode, borderValue=fill))


def recolour(template: Frame, search: Frame, row: Augmentation, dice: Dice) -> tuple[Frame, Frame]:
    """Colour, blur and noise of both crops."""
    grey = dice.random() < row.grey
    bright = 1 + dice.uniform(-1, 1) * row.brightness
    crops = []
    for which, crop in enumerate((template, search)):
        if grey:
            flat = cv2.cvtColor(np.ascontiguousarray(crop), cv2.COLOR_BGR2GRAY)
            crop = np.asarray(cv2.cvtColor(flat, cv2.COLOR_GRAY2BGR), np.uint8)
        gain, offset = np.full(3, bright), np.zeros(3)
        if row.contrast:
            gain = gain * np.exp(dice.normal(0, row.contrast)) * np.exp(dice.normal(0, row.contrast / 2, 3))
        if row.colour:
            offset = dice.normal(0, row.colour, 3)
        if which == 1 and dice.random() < row.blur:
            crop = _smear(crop, dice)
        if (gain != 1).any() or offset.any():
            table = np.clip(np.arange(256)[:, None] * gain + offset + 0.5, 0, 255).astype(np.uint8)
            crop = np.asarray(cv2.LUT(np.ascontiguousarray(crop), table[None]), np.uint8)
        if row.noise and dice.random() < 0.3:
            noise = dice.normal(0, dice.uniform(1, row.noise), crop.shape[:2])
            crop = np.clip(crop + noise[..., None], 0, 255).astype(np.uint8)
        crops.append(np.ascontiguousarray(crop, dtype=np.uint8))
    return crops[0], crops[1]


def _smear(crop: Frame, dice: Dice) -> Frame:
    """Motion blur: a line of random direction and length."""
    length = int(dice.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    angle = dice.uniform(0, np.pi)
    for t in np.linspace(-0.5, 0.5, 2 * length):
        x, y = (0.5 + t * np.array([np.cos(angle), np.sin(angle)])) * (length - 1) + 0.5
        kernel[int(y), int(x)] = 1
    return np.asarray(cv2.filter2D(np.ascontiguousarray(crop), -1, kernel / kernel.sum()))
