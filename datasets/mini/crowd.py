"""A target among others of its kind: how alike they are, and where they come near it, cross behind or in front.

Every distractor meets the target once, at a moment of its own, and keeps clear of it otherwise: its way is drawn from
the meeting backwards and forwards. Paths are smooth and nothing jumps, so that whoever follows them knows at any moment
who is who, even where all look the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from inmo.datasets.mini.drawing import draw
from inmo.datasets.mini.exact import Dice, cosine, sine
from inmo.datasets.mini.motion import Actor, Area, Pose, Spec, Target, Walk
from inmo.datasets.mini.puppets import PUPPETS, Puppet
from inmo.datasets.mini.scenery import SCENES, backdrop
from inmo.datasets.mini.sprites import Colour, palette, turned
from inmo.datasets.mini.stage import Stage, ground, place_camera, place_target

NUMBERS = (1, 2, 4, 8)
LIKENESS = ("identical", "hue", "texture", "shape")
EVENTS = ("near", "cross", "occlude")
LENGTH, SIZE = 60, (208, 156)
SIDE = (28, 38)  # root of the area of the target's box with its limbs stretched, pixels
STRIDE = 6  # frames between two control points of a way
MEETINGS = (12, 54)  # frames between which distractors meet the target
CLOSE = 4  # distractors of a clip that cross or occlude, at most; the others come near
CLEAR = 1.3  # widths or heights of the target that a distractor keeps away elsewhere
TURNS = (0, 1, 2, 3)  # sixths of a turn of hue per likeness
SHAPES = ((1.3, 0.62), (0.8, 1.3))  # (scale, share of width) of another shape: tall and narrow, small and wide


@dataclass(frozen=True)
class Grade:
    """How hard a clip is.

    Attributes:
        number: distractors.
        likeness: a name in ``LIKENESS``; each keeps the differences of the ones before it. ``identical``: painted the
            same. ``hue``: a sixth of the colour circle away. ``texture``: other patterns, and a third of the circle.
            ``shape``: other proportions and size, and the complementary colours.
        event: a name in ``EVENTS``: the closest that they come. ``near``: side by side. ``cross``: behind the target.
            ``occlude``: in front of it.
    """

    number: int
    likeness: str
    event: str


def crowd(seed: int, grade: Grade) -> Stage:
    """The stage of a clip: the target is the first of ``targets``, the distractors follow."""
    dice = Dice(seed, 60)
    looks = palette(Dice(seed, 1))
    kind = dice.pick(sorted(PUPPETS))
    puppet = PUPPETS[kind](Dice(seed, 3), looks)
    spec = Spec(
        kind,
        dice.pick(sorted(SCENES)),
        LENGTH,
        SIZE,
        height=_height(puppet, dice.between(*SIDE)),
        speed=dice.real(0.7, 1.5),
        restless=12,
        gait=dice.real(0.03, 0.08),
    )
    camera, canvas = place_camera(seed, spec)
    target = Actor(puppet, place_target(seed, spec))
    others = [_distractor(seed, spec, grade, n, target, looks) for n in range(grade.number)]
    behind = [n for n in range(grade.number) if not _in_front(grade, n)]
    front = [n for n in range(grade.number) if _in_front(grade, n)]
    order = [*behind, -1, *front]  # as they are drawn; -1 is the target
    return Stage(
        spec,
        backdrop(Dice(seed, 2), spec.scene, canvas[1], canvas[0]),
        camera,
        tuple(target if n < 0 else others[n] for n in order),
        tuple(order.index(n) for n in range(-1, grade.number)),
        (0, 1),
    )


def event_of(grade: Grade, n: int) -> str:
    """What distractor ``n`` does: the clip's event, or every other one of more than ``CLOSE`` just comes near."""
    return grade.event if grade.number <= CLOSE or n % 2 == 0 else "near"


def _in_front(grade: Grade, n: int) -> bool:
    event = event_of(grade, n)
    return event == "occlude" or (event == "near" and n % 4 < 2)


def _extent(puppet: Puppet, scale: float) -> tuple[int, int]:
    """Width and height of a puppet's box in pixels, its limbs stretched as far as they go."""
    boxes = [draw(puppet, Pose(0.0, 0.0, scale, gait=k / 4)).box for k in range(4)]
    return max(box[2] for box in boxes), max(box[3] for box in boxes)


def _height(puppet: Puppet, side: int) -> int:
    """The height in pixels at which a puppet's extent has the area of a square of this side."""
    wide, tall = _extent(puppet, 100 / puppet.height)
    height = 4
    while wide * tall * (height + 1) * (height + 1) <= side * side * 10_000:
        height += 1
    return height


def _distractor(seed: int, spec: Spec, grade: Grade, n: int, target: Actor, looks: tuple[Colour, ...]) -> Actor:
    dice, level = Dice(seed, 61, n), LIKENESS.index(grade.likeness)
    colours = turned(looks, TURNS[level] * dice.pick((-1, 1)))
    puppet = PUPPETS[spec.kind](Dice(seed, 62, n) if level >= LIKENESS.index("texture") else Dice(seed, 3), colours)
    scale, face = dice.pick(SHAPES) if grade.likeness == "shape" else (1.0, 1.0)
    first, last = MEETINGS
    meeting = first + (last - first) * (2 * n + 1) // (2 * grade.number) // STRIDE * STRIDE
    walk = _way(dice, spec, target, event_of(grade, n), meeting)
    own = replace(spec, gait=spec.gait * dice.real(0.85, 1.15), faces=(face,))
    return Actor(puppet, Target(own, walk, spec.height / puppet.height * scale, dice.real(0.0, 1.0)))


def _way(dice: Dice, spec: Spec, target: Actor, event: str, meeting: int) -> Walk:
    """A walk past the target at the frame ``meeting``, and clear of it before and after."""
    wide, tall = _extent(target.puppet, target.pose(0.0).scale)
    area = ground(spec)
    count, met = spec.length // STRIDE + 5, meeting // STRIDE + 1  # point j is where the walk is at (j - 1) * STRIDE
    steps = _meeting(dice, event, wide, tall, area, target, met)
    points: dict[int, tuple[float, float]] = {met + k: steps[k + 1] for k in (-1, 0, 1)}
    pace = max(spec.speed, 1.0) * STRIDE
    for way, end in ((-1, -1), (1, count)):
        last, here = met, met + way
        for j in range(met + 2 * way, end, way):
            points[j] = _clear_step(dice, points[last], points[here], pace, area, _place(target, j), (wide, tall))
            last, here = here, j
    return Walk(tuple(points[j] for j in range(count)), float(STRIDE))


def _place(target: Actor, point: int) -> tuple[float, float]:
    pose = target.pose(float((point - 1) * STRIDE))
    return pose.x, pose.y


def _meeting(
    dice: Dice, event: str, wide: int, tall: int, area: Area, target: Actor, met: int
) -> list[tuple[float, float]]:
    """Where the three control points around a meeting lie: the way that stays inside the area best of several."""
    best: list[tuple[float, float]] = []
    least = -1.0
    for _ in range(12):
        turn, sign = dice.real(0.0, 1.0), dice.pick((-1.0, 1.0))
        if event != "near":
            u, v, aside, off = cosine(turn) * wide, sine(turn) * tall, 0.0, 0.0
        elif dice.chance(0.5):
            u, v, aside, off = wide * sign, 0.0, 0.0, tall * 1.12 * dice.pick((-1.0, 1.0))
        else:
            u, v, aside, off = 0.0, tall * sign, wide * 1.12 * dice.pick((-1.0, 1.0)), 0.0
        found = []
        for k in (-1, 0, 1):
            x, y = _place(target, met + k)
            found.append((x + k * u + aside, y + k * v + off))
        outside = sum(_beyond(x, y, area) for x, y in found)
        if not best or outside < least:
            best, least = found, outside
    return best


def _beyond(x: float, y: float, area: Area) -> float:
    left, top, right, bottom = area
    return max(left - x, x - right, 0.0) + max(top - y, y - bottom, 0.0)


def _clear_step(
    dice: Dice,
    last: tuple[float, float],
    here: tuple[float, float],
    pace: float,
    area: Area,
    target: tuple[float, float],
    size: tuple[int, int],
) -> tuple[float, float]:
    """The next control point: one step on, rather ahead than back, inside the area and clear of the target."""
    best, most = here, -1e9
    dx, dy = here[0] - last[0], here[1] - last[1]
    length = max(abs(dx), abs(dy), 1.0)
    for _ in range(24):
        turn = dice.real(0.0, 1.0)
        u, v = cosine(turn), sine(turn)
        x, y = here[0] + u * pace, here[1] + v * pace
        room = max(abs(x - target[0]) / size[0], abs(y - target[1]) / size[1])
        good = (u * dx + v * dy) / length - _beyond(x, y, area) - 20.0 * max(CLEAR - room, 0.0)
        if good > most:
            best, most = (x, y), good
    return best
