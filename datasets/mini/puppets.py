"""The things that move: jointed figures of painted parts, one builder per kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from inmo.datasets.mini.exact import Dice, Packed
from inmo.datasets.mini.sprites import MARGIN, Canvas, Colour, Pattern, Point, patterns, shaded


@dataclass(frozen=True)
class Part:
    """One painted piece of a puppet, hinged to another.

    Attributes:
        levels: the sprite at falling sizes.
        pivot: the hinge in the sprite, in its pixels.
        parent: index of the part it hangs on; -1 for the body, which hangs on the puppet's place.
        at: where on the parent, in the parent's sprite pixels.
        rest, swing, phase, beat: angle = rest + swing * sin(2 pi (beat * gait + phase)), in turns.
        flap: the same oscillation as a share of width and of height.
        roll: turns per cycle of gait (wheels).
        wave: amplitude as a share of the sprite's height and wavelength as a share of its width; (0, 0) for none.
        behind: drawn before the body.
    """

    levels: tuple[Packed, ...]
    pivot: Point
    parent: int = -1
    at: Point = (0.0, 0.0)
    rest: float = 0.0
    swing: float = 0.0
    phase: float = 0.0
    beat: int = 1
    flap: tuple[float, float] = (0.0, 0.0)
    roll: float = 0.0
    wave: tuple[float, float] = (0.0, 0.0)
    behind: bool = False


@dataclass(frozen=True)
class Puppet:
    """Parts, the body first, and the height in sprite pixels that counts as the puppet's size."""

    parts: tuple[Part, ...]
    height: float

    @property
    def bends(self) -> bool:
        """True when parts move against each other so far that the silhouette changes."""
        return any(p.swing >= 0.04 or max(p.flap) >= 0.15 or p.wave[0] >= 0.08 for p in self.parts)


def part(canvas: Canvas, pivot: Point, *, parent: int = -1, at: Point = (0.0, 0.0), **motion: Any) -> Part:
    """A part from its painting and further fields of ``Part``; pivot and place in canvas pixels, without the margin."""
    shift = MARGIN - 0.5  # canvas edges to the middles of sprite pixels
    hinge = (pivot[0] + shift, pivot[1] + shift)
    place = (at[0] + shift, at[1] + shift) if parent >= 0 else at
    return Part(canvas.sprite(), hinge, parent, place, **motion)


SKINS: tuple[Colour, ...] = ((140, 175, 225), (95, 135, 195), (60, 90, 140), (45, 60, 95))


def _limb(dice: Dice, length: int, thick: float, pattern: Pattern, tip: Colour | None) -> Canvas:
    wide = int(thick * 2) + 6
    canvas = Canvas(wide, length + 8, dice)
    middle = wide / 2
    canvas.fill(canvas.capsule((middle, thick), (middle, length - 2), thick, thick * 0.75), pattern)
    if tip is not None:
        canvas.fill(canvas.ellipse(middle + 1, length + 1, thick + 0.5, thick * 0.9), Pattern((tip, tip)))
    return canvas


def walker(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A person seen from the side, walking."""
    shirt, legs, plain = patterns(dice, colours)
    skin, shoe = dice.pick(SKINS), shaded(colours[2], 0.5)
    torso = Canvas(34, 44, dice)
    torso.fill(torso.capsule((17, 12), (17, 36), 11, 8), shirt)
    torso.fill(torso.box(8, 36, 26, 40), Pattern((shoe, shoe)))
    if dice.chance(0.5):
        torso.fill(torso.ellipse(8, 20, 6, 11), plain)
    head = Canvas(26, 28, dice)
    head.fill(head.ellipse(13, 14, 9, 11), Pattern((skin, skin)), mottle=10)
    head.fill(head.ellipse(12, 7, 10, 6), Pattern((colours[4], colours[2]), "spots", 4))
    head.fill(head.ellipse(19, 14, 1.6, 1.8), Pattern(((20, 20, 20), (20, 20, 20))), mottle=0)
    arm, leg = _limb(dice, 32, 4.5, shirt, skin), _limb(dice, 42, 6.0, legs, shoe)
    far_arm, far_leg = _limb(dice, 32, 4.5, plain, skin), _limb(dice, 42, 6.0, legs, shoe)
    return Puppet(
        (
            part(torso, (17, 38), swing=0.012, beat=2),
            part(head, (13, 24), at=(18, 5), parent=0, swing=0.02, beat=2),
            part(leg, (9, 6), at=(15, 38), parent=0, swing=0.1),
            part(far_leg, (9, 6), at=(20, 38), parent=0, swing=0.1, phase=0.5, behind=True),
            part(arm, (7.5, 5), at=(14, 12), parent=0, swing=0.12, phase=0.5),
            part(far_arm, (7.5, 5), at=(22, 12), parent=0, swing=0.12, behind=True),
        ),
        104.0,
    )


def hound(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A four-legged animal, trotting."""
    coat, socks, _ = patterns(dice, colours)
    dark = shaded(colours[2], 0.6)
    body = Canvas(78, 40, dice)
    body.fill(body.capsule((18, 18), (60, 20), 15, 12), coat, mottle=40)
    head = Canvas(40, 34, dice)
    head.fill(head.ellipse(16, 17, 12, 12), coat, mottle=40)
    head.fill(head.capsule((20, 20), (34, 23), 7, 4), socks)
    head.fill(head.polygon((6, 12), (10, 0), (17, 9)), Pattern((dark, dark)))
    head.fill(head.ellipse(20, 14, 2, 2), Pattern(((15, 15, 15), (15, 15, 15))), mottle=0)
    tail = _limb(dice, 34, 4.0, coat, colours[4])
    legs = [_limb(dice, 34, 5.0, socks, dark) for _ in range(4)]
    hips = ((16, 24, 0.0, False), (23, 24, 0.5, True), (54, 25, 0.5, False), (61, 25, 0.0, True))
    return Puppet(
        (
            part(body, (39, 20), swing=0.012, beat=2),
            part(head, (12, 22), at=(64, 13), parent=0, swing=0.045, rest=-0.04),
            part(tail, (7, 5), at=(8, 13), parent=0, rest=0.32, swing=0.09, beat=2),
            *(
                part(leg, (8, 5), at=(x, y), parent=0, swing=0.11, phase=phase, behind=behind)
                for leg, (x, y, phase, behind) in zip(legs, hips, strict=True)
            ),
        ),
        68.0,
    )


def bird(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A bird in flight, wings beating."""
    plumage, wing_paint, plain = patterns(dice, colours)
    body = Canvas(70, 34, dice)
    body.fill(body.polygon((2, 10), (24, 15), (22, 22), (2, 26)), wing_paint)
    body.fill(body.ellipse(36, 18, 20, 10), plumage, mottle=40)
    body.fill(body.ellipse(55, 14, 9, 8), plain)
    body.fill(body.polygon((62, 11), (69, 15), (62, 18)), Pattern(((40, 150, 240), (40, 150, 240))))
    body.fill(body.ellipse(57, 12, 1.6, 1.6), Pattern(((10, 10, 10), (10, 10, 10))), mottle=0)
    wings = []
    for _ in range(2):
        wing = Canvas(40, 46, dice)
        wing.fill(wing.polygon((8, 44), (32, 44), (26, 14), (4, 2), (2, 20)), wing_paint, mottle=40)
        wings.append(wing)
    return Puppet(
        (
            part(body, (36, 18), swing=0.015),
            part(wings[0], (20, 44), at=(36, 16), parent=0, flap=(0.1, 1.0), swing=0.05),
            part(wings[1], (20, 44), at=(42, 15), parent=0, flap=(0.1, 1.0), phase=0.06, swing=0.05, behind=True),
        ),
        48.0,
    )


def fish(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A fish swimming to the left, its tail end waving."""
    scales, fins, plain = patterns(dice, colours)
    body = Canvas(110, 64, dice)
    body.fill(body.polygon((78, 32), (108, 10), (100, 32), (108, 54)), fins)
    body.fill(body.polygon((34, 18), (52, 2), (72, 20)), fins)
    body.fill(body.polygon((40, 46), (56, 60), (66, 44)), fins)
    body.fill(body.ellipse(44, 32, 40, 19), scales, mottle=40)
    body.fill(body.ellipse(14, 33, 12, 13), plain)
    body.fill(body.ellipse(15, 28, 3.4, 3.4), Pattern(((245, 245, 245), (245, 245, 245))), mottle=0)
    body.fill(body.ellipse(14, 28, 1.8, 1.8), Pattern(((10, 10, 10), (10, 10, 10))), mottle=0)
    fin = Canvas(26, 18, dice)
    fin.fill(fin.polygon((2, 6), (24, 2), (18, 16)), fins)
    return Puppet(
        (
            part(body, (50, 32), swing=0.02, wave=(0.2, 0.95)),
            part(fin, (2, 8), at=(34, 38), parent=0, swing=0.08, rest=0.05, beat=2),
        ),
        56.0,
    )


def jelly(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A jellyfish: a pulsing bell over trailing arms."""
    bell_paint, frill, _ = patterns(dice, colours)
    bell = Canvas(74, 50, dice)
    bell.fill(bell.ellipse(37, 36, 34, 34) & bell.box(0, 0, 74, 38), bell_paint, mottle=50)
    for x in (10, 23, 37, 51, 64):
        bell.fill(bell.ellipse(x, 39, 8, 7), frill)
    arms = []
    for index in range(5):
        arm = Canvas(60, 14, dice)
        arm.fill(arm.capsule((4, 7), (54, 7), 4.5, 1.5), frill if index % 2 else Pattern((colours[1], colours[0])))
        arms.append(
            part(
                arm,
                (4, 7),
                at=(12 + 12 * index, 40),
                parent=0,
                rest=0.25 + 0.012 * (2 - index),
                wave=(0.5, 0.6),
                swing=0.05,
                phase=0.13 * index,
                behind=True,
            )
        )
    return Puppet((part(bell, (37, 30), flap=(0.16, 0.16)), *arms), 88.0)


def car(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A car or van from the side, wheels turning."""
    paint = Pattern((colours[0], colours[3]), dice.pick(("plain", "bands", "stripes")), 26)
    glass, rubber = (150, 130, 105), (32, 30, 30)
    roof = dice.between(2, 12)
    body = Canvas(112, 52, dice)
    body.fill(body.polygon((18, 24), (34, roof), (78, roof), (94, 24)), paint, mottle=14)
    body.fill(body.polygon((24, 24), (37, roof + 4), (53, roof + 4), (53, 24)), Pattern((glass, glass)), mottle=30)
    body.fill(body.polygon((58, 24), (58, roof + 4), (75, roof + 4), (86, 24)), Pattern((glass, glass)), mottle=30)
    body.fill(body.capsule((10, 34), (102, 34), 10, 10), paint, mottle=14)
    body.fill(body.box(2, 39, 110, 43), Pattern((colours[2], colours[2])), mottle=10)
    body.fill(body.ellipse(106, 31, 4, 4), Pattern(((190, 245, 255), (190, 245, 255))), mottle=0)
    body.fill(body.ellipse(5, 31, 3, 4), Pattern(((40, 40, 215), (40, 40, 215))), mottle=0)
    wheels = []
    for x in (27, 85):
        wheel = Canvas(26, 26, dice)
        wheel.fill(wheel.ellipse(13, 13, 12, 12), Pattern((rubber, rubber)), mottle=10, round_off=False)
        wheel.fill(wheel.ellipse(13, 13, 7, 7), Pattern((colours[4], rubber), "checks", 13), round_off=False)
        wheels.append(part(wheel, (13, 13), at=(x, 43), parent=0, roll=1.0))
    return Puppet((part(body, (56, 30), swing=0.004, beat=2), *wheels), 54.0)


def ball(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A patterned ball with a soft skin."""
    skin, patch, _ = patterns(dice, colours)
    canvas = Canvas(64, 64, dice)
    canvas.fill(canvas.ellipse(32, 32, 30, 30), skin, round_off=False)
    canvas.fill(canvas.polygon((32, 14), (48, 26), (42, 46), (22, 46), (16, 26)), patch, round_off=False)
    return Puppet((part(canvas, (32, 32), flap=(0.0, 0.1), roll=0.3, beat=2),), 60.0)


def butterfly(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A butterfly from above: wide wings that open and close."""
    upper, lower, _ = patterns(dice, colours)
    dark = shaded(colours[2], 0.5)
    body = Canvas(14, 56, dice)
    body.fill(body.capsule((7, 8), (7, 50), 4.5, 3), Pattern((dark, colours[4]), "bands", 6))
    sides = []
    for side in (-1, 1):
        wing = Canvas(46, 60, dice)
        root = 44 if side < 0 else 2
        for cx, cy, rx, ry, paint in ((23, 20, 21, 17, upper), (26, 44, 15, 14, lower)):
            x = cx if side < 0 else 46 - cx
            wing.fill(wing.ellipse(x, cy, rx, ry), Pattern((dark, dark)))
            wing.fill(wing.ellipse(x, cy, rx - 3, ry - 3), paint, round_off=False)
        sides.append(part(wing, (root, 30), at=(7, 26), parent=0, flap=(0.7, 0.0), swing=0.02 * side))
    return Puppet((part(body, (7, 28), swing=0.03), *sides), 60.0)


def face(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A head and shoulders, nodding."""
    cloth, cap, _ = patterns(dice, colours)
    skin = dice.pick(SKINS)
    shoulders = Canvas(92, 40, dice)
    shoulders.fill(shoulders.ellipse(46, 40, 44, 32), cloth)
    head = Canvas(64, 84, dice)
    head.fill(head.ellipse(32, 46, 25, 34), Pattern((skin, skin)), mottle=12)
    head.fill(head.ellipse(32, 22, 27, 19), cap)
    for x in (22, 42):
        head.fill(head.ellipse(x, 43, 5, 3.4), Pattern(((240, 240, 240), (240, 240, 240))), mottle=0)
        head.fill(head.ellipse(x, 43, 2.4, 2.8), Pattern((shaded(colours[2], 0.6), (0, 0, 0))), mottle=0)
        head.fill(head.box(x - 6, 36, x + 6, 38), Pattern((shaded(skin, 0.4), skin)), mottle=0)
    head.fill(head.polygon((32, 45), (28, 56), (36, 56)), Pattern((shaded(skin, 0.75), skin)), mottle=0)
    head.fill(head.ellipse(32, 65, 9, 3), Pattern(((70, 60, 170), skin)), mottle=0)
    return Puppet(
        (part(shoulders, (46, 34), swing=0.008), part(head, (32, 78), at=(46, 16), parent=0, swing=0.035)), 100.0
    )


def kite(dice: Dice, colours: Sequence[Colour]) -> Puppet:
    """A kite with a rippling tail."""
    sail, other, plain = patterns(dice, colours)
    body = Canvas(58, 76, dice)
    body.fill(body.polygon((29, 2), (56, 28), (29, 74), (2, 28)), sail)
    body.fill(body.polygon((29, 2), (56, 28), (29, 28)), other)
    body.fill(body.polygon((29, 28), (29, 74), (2, 28)), other)
    tail = Canvas(70, 20, dice)
    tail.fill(tail.capsule((3, 10), (66, 10), 2, 2), plain)
    for x in (16, 34, 52):
        tail.fill(tail.polygon((x, 10), (x - 7, 3), (x - 7, 17)), sail)
        tail.fill(tail.polygon((x, 10), (x + 7, 3), (x + 7, 17)), other)
    hang = part(tail, (3, 10), at=(29, 72), parent=0, rest=0.25, swing=0.05, wave=(0.6, 0.5), behind=True)
    return Puppet((part(body, (29, 34)), hang), 76.0)


PUPPETS: dict[str, Callable[[Dice, Sequence[Colour]], Puppet]] = {
    "walker": walker,
    "hound": hound,
    "bird": bird,
    "fish": fish,
    "jelly": jelly,
    "car": car,
    "ball": ball,
    "butterfly": butterfly,
    "face": face,
    "kite": kite,
}
