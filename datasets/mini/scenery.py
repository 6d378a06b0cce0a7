"""What stands still: large painted backgrounds with perspective, and the things that hide a target."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from inmo.datasets.mini.exact import Dice, Ints, Packed, pack, smooth_noise
from inmo.datasets.mini.puppets import Puppet, part
from inmo.datasets.mini.sprites import Canvas, Colour, Pattern, jitter, palette, shaded, tint


def _blob(picture: Ints, dice: Dice, cx: int, cy: int, rx: int, ry: int, colour: Colour) -> None:
    """A rough-edged round patch: a bush, a stone, a crown of leaves."""
    height, width = picture.shape[:2]
    x0, x1, y0, y1 = max(0, cx - rx), min(width, cx + rx), max(0, cy - ry), min(height, cy + ry)
    if x0 >= x1 or y0 >= y1:
        return
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.int64)
    rough = smooth_noise(dice, y1 - y0, x1 - x0, max(3, min(rx, ry) // 3), 3)
    far = ((x - cx) * 256 // rx) ** 2 + ((y - cy) * 256 // ry) ** 2
    inside = far < 65536 - (255 - rough) * 160
    light = rough + (cy - y) * 60 // ry
    picture[y0:y1, x0:x1][inside] = tint(np.clip(light, 0, 255), shaded(colour, 0.35), shaded(colour, 1.3))[inside]


def _plank(picture: Ints, dice: Dice, x0: int, y0: int, x1: int, y1: int, colour: Colour) -> None:
    """A flat, lightly mottled rectangle."""
    height, width = picture.shape[:2]
    x0, x1, y0, y1 = max(0, x0), min(width, x1), max(0, y0), min(height, y1)
    if x0 < x1 and y0 < y1:
        level = smooth_noise(dice, y1 - y0, x1 - x0, 12, 2)
        picture[y0:y1, x0:x1] = tint(level, shaded(colour, 0.8), shaded(colour, 1.12))


def _ground(picture: Ints, dice: Dice, horizon: int, near: Colour, far: Colour, tile: int, lines: Colour) -> None:
    """A plane that runs to the horizon: noise, and tile lines that close up with distance."""
    height, width = picture.shape[:2]
    rows = np.arange(1, height - horizon + 1, dtype=np.int64)
    depth = 4096 * height // (rows * 4 + 24)  # far rows lie deep
    noise = smooth_noise(dice, height - horizon, width, 9, 4)
    across = (np.arange(width, dtype=np.int64)[None, :] - width // 2) * depth[:, None] // 1024
    mix = np.minimum(depth * 255 // depth[0], 255)[:, None]
    level = np.clip(noise + (across // (tile * 2) + depth[:, None] // (tile * 2)) % 2 * 24 - 12, 0, 255)
    low, high = tint(level, shaded(near, 0.55), shaded(near, 1.2)), tint(level, shaded(far, 0.8), far)
    colour = low + ((high - low) * mix[..., None] >> 8)
    seam = (across % (tile * 4) < np.maximum(depth[:, None] // 512, 1) * 2) & (mix < 70)
    colour = np.where(seam[..., None], np.array(lines, dtype=np.int64), colour)
    picture[horizon:] = colour


def _house(picture: Ints, dice: Dice, x: int, base: int, wide: int, tall: int) -> None:
    wall = jitter(dice, dice.pick(((120, 150, 185), (150, 155, 160), (90, 105, 160), (170, 190, 200))), 24)
    _plank(picture, dice, x, base - tall, x + wide, base, wall)
    step = max(8, wide // dice.between(3, 6))
    pane = dice.pick(((120, 95, 70), (60, 50, 45), (150, 200, 225)))
    for top in range(base - tall + 6, base - step, step + 4):
        for left in range(x + 5, x + wide - step // 2, step):
            _plank(picture, dice, left, top, left + step * 3 // 5, top + step * 4 // 5, jitter(dice, pane, 25))
    _plank(picture, dice, x, base - tall - 4, x + wide, base - tall, shaded(wall, 0.5))


def street(dice: Dice, height: int, width: int) -> Ints:
    """Houses behind a road."""
    picture = np.zeros((height, width, 3), dtype=np.int64)
    horizon = height * dice.between(42, 52) // 100
    picture[:horizon] = tint(smooth_noise(dice, horizon, width, 60, 4), (200, 170, 140), (245, 235, 225))
    _ground(picture, dice, horizon, (105, 105, 108), (130, 132, 130), 150, (190, 200, 200))
    x = -dice.between(0, 30)
    while x < width:
        wide = dice.between(50, 110)
        _house(picture, dice, x, horizon + 2, wide, dice.between(min(60, horizon // 2), horizon - 8))
        x += wide + dice.between(0, 14)
    for _ in range(width // 45):
        where, size = dice.between(0, width), dice.between(7, 16)
        _plank(picture, dice, where, horizon - size * 5, where + 4, horizon + size, (60, 62, 66))
        _blob(picture, dice, where, horizon - size, size * 2, size, jitter(dice, (50, 110, 60), 25))
    for _ in range(width // 30):
        where = dice.between(horizon + 10, height)
        size = 4 + (where - horizon) // 6
        _blob(picture, dice, dice.between(0, width), where, size, size // 2 + 1, jitter(dice, (110, 115, 120), 45))
    return picture


def field(dice: Dice, height: int, width: int) -> Ints:
    """Grass up to a line of trees."""
    picture = np.zeros((height, width, 3), dtype=np.int64)
    horizon = height * dice.between(28, 42) // 100
    picture[:horizon] = tint(smooth_noise(dice, horizon, width, 50, 4), (225, 175, 120), (250, 240, 230))
    _ground(picture, dice, horizon, (60, 135, 85), (90, 150, 130), 60, (80, 160, 120))
    for _ in range(width // 14):
        size = dice.between(12, 30)
        _blob(picture, dice, dice.between(0, width), horizon - size // 3, size, size, jitter(dice, (45, 95, 50), 30))
    for _ in range(width // 9):
        where = dice.between(horizon + 6, height)
        size = 3 + (where - horizon) // 9
        colour = dice.pick(((60, 150, 110), (40, 90, 70), (90, 160, 190), (120, 130, 140)))
        _blob(picture, dice, dice.between(0, width), where, size * 2, size, jitter(dice, colour, 30))
    return picture


def hall(dice: Dice, height: int, width: int) -> Ints:
    """Indoors: a tiled floor and a wall with pictures and shelves."""
    picture = np.zeros((height, width, 3), dtype=np.int64)
    horizon = height * dice.between(50, 62) // 100
    wall = jitter(dice, dice.pick(((170, 185, 195), (190, 175, 150), (140, 165, 150))), 20)
    _plank(picture, dice, 0, 0, width, horizon, wall)
    _ground(picture, dice, horizon, (100, 130, 160), (120, 140, 160), 24, (60, 75, 95))
    for _ in range(width // 32):
        x, y = dice.between(-20, width), dice.between(0, horizon * 3 // 4)
        wide, tall = dice.between(22, 56), dice.between(20, 50)
        frame, inner = palette(dice, 2)
        _plank(picture, dice, x, y, x + wide, y + tall, shaded(frame, 0.6))
        _plank(picture, dice, x + 3, y + 3, x + wide - 3, y + tall - 3, inner)
        _blob(picture, dice, x + wide // 2, y + tall // 2, wide // 3, tall // 3, frame)
    for _ in range(width // 60):
        x, top = dice.between(0, width), horizon - dice.between(20, 60)
        wide = dice.between(26, 60)
        _plank(picture, dice, x, top, x + wide, horizon + 8, jitter(dice, (70, 100, 140), 30))
        for left in range(x + 3, x + wide - 4, 6):
            _plank(picture, dice, left, top + 4, left + 4, top + 16, palette(dice, 1)[0])
    return picture


def aerial(dice: Dice, height: int, width: int) -> Ints:
    """From above: fields, roads, roofs and trees."""
    picture = tint(smooth_noise(dice, height, width, 40, 5), (55, 95, 75), (105, 160, 140))
    for _ in range(width * height // 26000):
        x, y = dice.between(-40, width), dice.between(-40, height)
        colour = jitter(dice, dice.pick(((80, 140, 150), (70, 120, 80), (100, 150, 175))), 25)
        _plank(picture, dice, x, y, x + dice.between(60, 140), y + dice.between(50, 110), colour)
    for start in range(dice.between(20, 90), width, dice.between(130, 190)):
        _plank(picture, dice, start, 0, start + 26, height, (112, 112, 115))
        for y in range(0, height, 24):
            _plank(picture, dice, start + 12, y, start + 14, y + 12, (215, 220, 220))
    for start in range(dice.between(20, 90), height, dice.between(120, 170)):
        _plank(picture, dice, 0, start, width, start + 26, (105, 106, 110))
    for _ in range(width * height // 9000):
        x, y = dice.between(0, width), dice.between(0, height)
        if dice.chance(0.45):
            wide, tall = dice.between(22, 48), dice.between(18, 40)
            roof = jitter(dice, dice.pick(((80, 90, 170), (120, 120, 125), (60, 80, 120), (175, 180, 185))), 25)
            _plank(picture, dice, x + 4, y + 4, x + wide + 4, y + tall + 4, (45, 55, 50))
            _plank(picture, dice, x, y, x + wide, y + tall, roof)
            _plank(picture, dice, x, y + tall // 2, x + wide, y + tall, shaded(roof, 0.75))
        else:
            size = dice.between(6, 15)
            _blob(picture, dice, x, y, size, size, jitter(dice, (45, 105, 60), 25))
    return picture


def reef(dice: Dice, height: int, width: int) -> Ints:
    """Under water: light from above, weed and coral below."""
    level = smooth_noise(dice, height, width, 70, 5) // 2
    level += (height - np.arange(height, dtype=np.int64))[:, None] * 120 // height
    picture = tint(np.clip(level, 0, 255), (110, 70, 20), (225, 190, 110))
    for _ in range(width // 6):
        y = height - dice.below(dice.between(height // 4, height * 3 // 4))
        size = dice.between(8, 30)
        colour = dice.pick(((70, 90, 200), (60, 140, 90), (150, 90, 150), (80, 170, 200), (110, 110, 90)))
        _blob(
            picture, dice, dice.between(0, width), y, size, size * dice.between(8, 16) // 10, jitter(dice, colour, 30)
        )
    return picture


def water(dice: Dice, height: int, width: int) -> Ints:
    """Open water with waves, buoys and a far shore."""
    picture = np.zeros((height, width, 3), dtype=np.int64)
    horizon = height * dice.between(22, 34) // 100
    picture[:horizon] = tint(smooth_noise(dice, horizon, width, 60, 4), (215, 185, 160), (250, 235, 220))
    for _ in range(width // 18):
        size = dice.between(8, 22)
        _blob(picture, dice, dice.between(0, width), horizon, size * 2, size, jitter(dice, (70, 90, 75), 20))
    rows = np.arange(height - horizon, dtype=np.int64)
    fine, coarse = smooth_noise(dice, height - horizon, width, 7, 2), smooth_noise(dice, height - horizon, width, 22, 3)
    ripple = (fine + coarse + rows[:, None] * 9 % (14 + rows[:, None] // 6) * 5) * 2 // 5
    picture[horizon:] = tint(np.clip(ripple, 0, 255), (110, 75, 35), (225, 200, 160))
    for _ in range(width // 50):
        where = dice.between(horizon + 8, height)
        size = 3 + (where - horizon) // 10
        _blob(picture, dice, dice.between(0, width), where, size, size, palette(dice, 1)[0])
    return picture


SCENES: dict[str, Callable[[Dice, int, int], Ints]] = {
    "street": street,
    "field": field,
    "hall": hall,
    "aerial": aerial,
    "reef": reef,
    "water": water,
}


def backdrop(dice: Dice, scene: str, height: int, width: int, clutter: Sequence[Colour] = ()) -> Packed:
    """(height, width) packed background; ``clutter`` strews it with patches in these colours, figured like a target."""
    picture = SCENES[scene](dice, height, width)
    for _ in range(height * width // 3600 if clutter else 0):
        x, y, size = dice.between(0, width), dice.between(0, height), dice.between(7, 22)
        first, second = dice.pick(clutter), dice.pick(clutter)
        _blob(picture, dice, x, y, size, size, first)
        _blob(picture, dice, x + size // 3, y + size // 4, size // 2, size // 2, second)
    colours = np.clip(picture, 0, 255).astype(np.uint8)
    return pack(colours, np.full((height, width), 255, dtype=np.uint8))


def occluder(dice: Dice, kind: str) -> Puppet:
    """Something to pass behind: a ``post``, ``tree``, ``wall``, ``bush`` or ``sign``."""
    trunk, leaf = jitter(dice, (60, 85, 110), 20), jitter(dice, (55, 120, 65), 35)
    match kind:
        case "post":
            canvas, size = Canvas(16, 150, dice), 150.0
            canvas.fill(canvas.box(3, 0, 13, 150), Pattern((jitter(dice, (130, 130, 130), 40), trunk), "bands", 50))
        case "tree":
            canvas, size = Canvas(110, 150, dice), 150.0
            canvas.fill(canvas.capsule((55, 60), (55, 146), 6, 9), Pattern((trunk, shaded(trunk, 0.6)), "stripes", 5))
            for _ in range(9):
                x, y, r = dice.between(28, 82), dice.between(24, 66), dice.between(16, 26)
                shade = jitter(dice, leaf, 25)
                canvas.fill(canvas.ellipse(x, y, r, r * 0.8), Pattern((shade, shaded(shade, 0.7)), "spots", 6))
        case "wall":
            canvas, size = Canvas(110, 110, dice), 110.0
            brick = jitter(dice, (80, 100, 160), 30)
            canvas.fill(canvas.box(2, 2, 108, 108), Pattern((brick, shaded(brick, 0.7)), "bands", 14), mottle=40)
            canvas.fill(canvas.box(0, 0, 110, 7), Pattern((shaded(brick, 0.5), brick)))
        case "sign":
            canvas, size = Canvas(96, 64, dice), 64.0
            ink = palette(dice, 2)
            canvas.fill(canvas.box(2, 2, 94, 62), Pattern(((225, 228, 230), (225, 228, 230))), mottle=10)
            canvas.fill(canvas.box(8, 10, 88, 26), Pattern((ink[0], ink[0])))
            canvas.fill(canvas.box(8, 34, 70, 42) | canvas.box(8, 48, 80, 55), Pattern((ink[1], ink[1])))
        case _:
            canvas, size = Canvas(120, 80, dice), 80.0
            for _ in range(10):
                x, y, r = dice.between(24, 96), dice.between(26, 58), dice.between(14, 24)
                shade = jitter(dice, leaf, 25)
                canvas.fill(canvas.ellipse(x, y, r, r), Pattern((shade, shaded(shade, 0.6)), "spots", 5))
    return Puppet((part(canvas, (canvas.width / 2, canvas.height / 2)),), size)
