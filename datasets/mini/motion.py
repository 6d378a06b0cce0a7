"""What a clip is to show, and where everything is at every moment of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inmo.datasets.mini.exact import Dice, floor, sine
from inmo.datasets.mini.puppets import Puppet


@dataclass(frozen=True)
class Spec:
    """The script of one clip. Lists of numbers are control values, spread evenly over the clip and joined smoothly.

    Attributes:
        kind: what the target is, a name in ``PUPPETS``.
        scene: where, a name in ``SCENES``.
        length: frames.
        size: width and height of the picture in pixels.
        height: the target's size in pixels at scale 1 (its height at rest, limbs included).
        speed: pixels the target walks in the picture per frame.
        restless: frames between two changes of its direction.
        hop: height in pixels of its bounce, once per cycle of gait.
        scales, spins, faces: its size, rotation in the picture (turns), and the share of its width that it shows
            when it turns away (negative: seen from its other side).
        gait, limber: cycles of its limbs per frame, and how far they swing (1: as built).
        lights: brightness. shade: a band of shadow lies across the scene.
        shutter: share of the frame time that the shutter is open; 0 for no motion blur.
        pan, shake: camera movement and tremor in pixels per frame. zooms, rolls: magnification (1 or more), turns.
        twins, cousins: look-alikes (same kind and colours), and others of the same kind.
        hidden: (moment, kind) of things that pass in front of it; moment as a share of the clip.
        leaves: (from, to) shares of the clip in which it is out of the picture.
        clutter: the background is strewn with patches in its colours.
        noise: amplitude of the sensor noise in grey levels.
        pair: the first look-alike is annotated as well.
    """

    kind: str = "walker"
    scene: str = "field"
    length: int = 80
    size: tuple[int, int] = (320, 240)
    height: int = 60
    speed: float = 1.5
    restless: int = 16
    hop: float = 0.0
    scales: tuple[float, ...] = (1.0,)
    spins: tuple[float, ...] = (0.0,)
    faces: tuple[float, ...] = (1.0,)
    gait: float = 0.045
    limber: float = 1.0
    lights: tuple[float, ...] = (1.0,)
    shade: bool = False
    shutter: float = 0.0
    pan: float = 0.0
    shake: float = 0.0
    zooms: tuple[float, ...] = (1.0,)
    rolls: tuple[float, ...] = (0.0,)
    twins: int = 0
    cousins: int = 0
    hidden: tuple[tuple[float, str], ...] = ()
    leaves: tuple[tuple[float, float], ...] = ()
    clutter: bool = False
    noise: int = 4
    pair: bool = False


@dataclass(frozen=True)
class Pose:
    """A puppet at one moment: place in picture pixels, scale, angle in turns, share of width shown, gait in cycles."""

    x: float
    y: float
    scale: float
    angle: float = 0.0
    face: float = 1.0
    gait: float = 0.0
    limber: float = 1.0


@dataclass(frozen=True)
class Actor:
    """A puppet and where it is at time t (frames, fractions allowed)."""

    puppet: Puppet
    pose: Callable[[float], Pose]


def curve(values: tuple[float, ...], share: float) -> float:
    """The control values joined by smoothsteps, at ``share`` (0 .. 1) of the way."""
    if len(values) == 1:
        return values[0]
    place = min(max(share, 0.0), 1.0) * (len(values) - 1)
    index = min(floor(place), len(values) - 2)
    part = place - index
    return values[index] + (values[index + 1] - values[index]) * (part * part * (3.0 - 2.0 * part))


@dataclass(frozen=True)
class Walk:
    """A wandering point: control points every ``stride`` frames, joined by a Catmull-Rom curve."""

    points: tuple[tuple[float, float], ...]
    stride: float

    def at(self, time: float) -> tuple[float, float]:
        place = max(time, 0.0) / self.stride
        index = min(floor(place), len(self.points) - 4)
        s = place - index
        p0, p1, p2, p3 = self.points[index : index + 4]
        return _catmull(p0[0], p1[0], p2[0], p3[0], s), _catmull(p0[1], p1[1], p2[1], p3[1], s)


def _catmull(a: float, b: float, c: float, d: float, s: float) -> float:
    linear, square, cube = c - a, 2.0 * a - 5.0 * b + 4.0 * c - d, 3.0 * b - a - 3.0 * c + d
    return b + 0.5 * s * (linear + s * (square + s * cube))


Area = tuple[float, float, float, float]  # left, top, right, bottom


def wander(dice: Dice, length: int, stride: int, speed: float, area: Area, start: tuple[float, float]) -> Walk:
    """A random walk inside an area; it seldom turns back, and turns inwards at the edges."""
    left, top, right, bottom = area
    x, y = start
    heading = dice.real(0.0, 1.0)
    step = speed * stride
    points = [(x, y)] * 2
    while len(points) < length // stride + 5:
        for _ in range(24):
            turned = heading + dice.real(-0.16, 0.16)
            nx, ny = x + step * sine(turned + 0.25), y + step * sine(turned)
            if left <= nx <= right and top <= ny <= bottom:
                break
            heading = dice.real(0.0, 1.0)
        else:
            nx, ny = min(max(nx, left), right), min(max(ny, top), bottom)
        heading, x, y = turned, nx, ny
        points.append((x, y))
    return Walk(tuple(points), float(stride))


@dataclass(frozen=True)
class Target:
    """The pose of the target, or of a look-alike that behaves like it."""

    spec: Spec
    walk: Walk
    base: float
    phase: float
    exits: bool = True

    def __call__(self, time: float) -> Pose:
        spec = self.spec
        share = time / max(1, spec.length - 1)
        x, y = self.walk.at(time)
        gait = time * spec.gait + self.phase
        bounce = sine(gait * 0.5)
        y -= spec.hop * (bounce if bounce > 0 else -bounce)
        zoom, roll = curve(spec.zooms, share), curve(spec.rolls, share)
        scale = self.base * curve(spec.scales, share) * zoom
        face = curve(spec.faces, share)
        if -0.2 < face < 0.2:
            face = 0.2 if face >= 0 else -0.2
        for begin, end in spec.leaves if self.exits else ():
            beyond = spec.height * 1.4 * scale / self.base
            right = self.walk.at(begin * (spec.length - 1))[0] > spec.size[0] / 2
            x += _gone(share, begin, end) * ((spec.size[0] + beyond if right else -beyond) - x)
        return Pose(x, y, scale, curve(spec.spins, share) + roll, face, gait, spec.limber)


def _gone(share: float, begin: float, end: float) -> float:
    """0 in the picture, 1 outside it, with smooth ways out and back, a tenth of the clip each."""
    way = min((share - begin + 0.1) / 0.1, (end + 0.1 - share) / 0.1, 1.0)
    return way * way * (3.0 - 2.0 * way) if way > 0 else 0.0


@dataclass(frozen=True)
class Passing:
    """The pose of something that passes in front of the target at one moment."""

    meet: float
    x: float
    y: float
    scale: float
    drift: float

    def __call__(self, time: float) -> Pose:
        return Pose(self.x + self.drift * (time - self.meet), self.y, self.scale, gait=time * 0.05)


@dataclass(frozen=True)
class Camera:
    """Where the picture lies in the painted background: centre, magnification and roll at time t."""

    spec: Spec
    walk: Walk
    tremor: Walk | None

    def view(self, time: float) -> tuple[float, float, float, float]:
        share = time / max(1, self.spec.length - 1)
        x, y = self.walk.at(time)
        return x, y, curve(self.spec.zooms, share), curve(self.spec.rolls, share)

    def offset(self, time: float) -> tuple[float, float]:
        """The tremor, which moves everything in the picture, in pixels."""
        return self.tremor.at(time) if self.tremor is not None else (0.0, 0.0)
