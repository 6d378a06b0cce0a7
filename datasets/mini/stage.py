"""Setting the stage: who is in a clip, painted how, and moving where."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inmo.datasets.mini.exact import Dice, Packed
from inmo.datasets.mini.motion import Actor, Area, Camera, Passing, Pose, Spec, Target, wander
from inmo.datasets.mini.puppets import PUPPETS
from inmo.datasets.mini.scenery import backdrop, occluder
from inmo.datasets.mini.sprites import Colour, palette

REACH = (260, 70)  # farthest that the camera wanders from the middle of the background, pixels
TALL = {"post": 2.4, "tree": 2.6, "wall": 1.7, "bush": 1.25, "sign": 1.1}  # size against the target's


@dataclass(frozen=True)
class Stage:
    """Everything needed to draw any moment of a clip. Actors are drawn in order; ``targets`` are annotated ones."""

    spec: Spec
    background: Packed
    camera: Camera
    actors: tuple[Actor, ...]
    targets: tuple[int, ...]
    band: tuple[int, int]

    def pose(self, index: int, time: float) -> Pose:
        """The pose of an actor in the picture, the camera's tremor included."""
        pose = self.actors[index].pose(time)
        dx, dy = self.camera.offset(time)
        return replace(pose, x=pose.x + dx, y=pose.y + dy)


def set_stage(seed: int, spec: Spec) -> Stage:
    """Paint and place everything that a script asks for."""
    looks = palette(Dice(seed, 1))
    camera, canvas = place_camera(seed, spec)
    background = backdrop(Dice(seed, 2), spec.scene, canvas[1], canvas[0], looks[:4] if spec.clutter else ())
    target = Actor(PUPPETS[spec.kind](Dice(seed, 3), looks), place_target(seed, spec))
    behind, front = _others(seed, spec, looks, target)
    passing = [_passing(seed, spec, n, moment, kind, target) for n, (moment, kind) in enumerate(spec.hidden)]
    first = len(behind)
    dice = Dice(seed, 7)
    return Stage(
        spec,
        background,
        camera,
        (*behind, target, *front, *passing),
        (first, first - 1) if spec.pair else (first,),  # the second target is drawn right behind the first
        (dice.between(-9, 9), dice.between(spec.size[0] // 2, spec.size[0])),
    )


def place_camera(seed: int, spec: Spec) -> tuple[Camera, tuple[int, int]]:
    """The camera, and width and height of the background that it needs."""
    width, height = spec.size
    dice = Dice(seed, 4)
    roam_x, roam_y = (min(int(spec.pan * spec.length), limit) for limit in REACH)
    spare = 24 + (width // 6 if any(spec.rolls) else 0)
    canvas = width + 2 * (roam_x + spare), height + 2 * (roam_y + spare)
    middle = canvas[0] / 2, canvas[1] / 2
    area = middle[0] - roam_x, middle[1] - roam_y, middle[0] + roam_x, middle[1] + roam_y
    walk = wander(dice, spec.length, 14, spec.pan, area, middle)
    shake = spec.shake
    tremor = wander(dice, spec.length, 2, shake / 2, (-shake, -shake, shake, shake), (0.0, 0.0)) if shake else None
    return Camera(spec, walk, tremor), canvas


def ground(spec: Spec) -> Area:
    """Where the target's middle may walk: mostly inside the picture."""
    width, height = spec.size
    edge = min(spec.height * 0.55, height * 0.4)
    return edge, edge + spec.hop * 0.7, width - edge, height - edge * 0.9


def place_target(seed: int, spec: Spec) -> Target:
    """The target's poses: a walk through the ground, by a script."""
    dice = Dice(seed, 5)
    left, top, right, bottom = ground(spec)
    start = (
        left + (right - left) * dice.real(0.25, 0.75),
        top + (bottom - top) * dice.real(0.35, 0.75),
    )
    walk = wander(dice, spec.length, spec.restless, spec.speed, (left, min(top, bottom), right, bottom), start)
    puppet = PUPPETS[spec.kind](Dice(0), palette(Dice(0)))
    return Target(spec, walk, spec.height / puppet.height, dice.real(0.0, 1.0))


def _others(seed: int, spec: Spec, looks: tuple[Colour, ...], target: Actor) -> tuple[list[Actor], list[Actor]]:
    """Look-alikes and others of its kind, half of them behind the target and half in front."""
    behind: list[Actor] = []
    front: list[Actor] = []
    left, top, right, bottom = ground(spec)
    begin = target.pose(0.0)
    taken = [(begin.x, begin.y)]
    for n in range(spec.twins + spec.cousins):
        dice = Dice(seed, 6, n)
        twin = n < spec.twins
        colours = looks if twin else palette(dice)
        # the target's own painting for one twin in two, else the same colours in another arrangement
        puppet = PUPPETS[spec.kind](Dice(seed, 3) if twin and dice.chance(0.5) else dice, colours)
        start = _apart(dice, (left, min(top, bottom), right, bottom), taken, spec.height)
        taken.append(start)
        pace = max(spec.speed, 0.8) * dice.real(0.7, 1.2)
        walk = wander(dice, spec.length, max(8, spec.restless), pace, (left, min(top, bottom), right, bottom), start)
        base = spec.height / puppet.height * dice.real(0.9, 1.1)
        own = replace(spec, gait=spec.gait * dice.real(0.85, 1.15), spins=(0.0,), scales=(1.0, dice.real(0.85, 1.2)))
        actor = Actor(puppet, Target(own, walk, base, dice.real(0.0, 1.0), exits=False))
        (behind if n % 2 == 0 else front).append(actor)
    return behind, front


def _apart(dice: Dice, area: Area, taken: list[tuple[float, float]], size: float) -> tuple[float, float]:
    """A place clear of those taken, the first above all: what is to be tracked must be unmistakable at the start."""
    left, top, right, bottom = area
    best, widest = (left, bottom), -1.0
    for _ in range(40):
        x, y = left + (right - left) * dice.real(0.0, 1.0), top + (bottom - top) * dice.real(0.0, 1.0)
        gaps = [max(abs(x - a), abs(y - b)) for a, b in taken]
        room = min(gaps[0], 1.5 * min(gaps))
        if room > widest:
            best, widest = (x, y), room
        if room > size * 1.5:
            break
    return best


def _passing(seed: int, spec: Spec, n: int, moment: float, kind: str, target: Actor) -> Actor:
    dice = Dice(seed, 8, n)
    meet = moment * (spec.length - 1)
    pose = target.pose(meet)
    size = spec.height * pose.scale / target.pose(0.0).scale
    if kind in TALL:
        puppet, tall = occluder(dice, kind), TALL[kind]
    else:
        puppet, tall = PUPPETS[kind](dice, palette(dice)), 1.5
    scale = size * tall / puppet.height
    wide = puppet.parts[0].levels[0].shape[1] * scale
    drift = (wide + size) / (0.16 * spec.length) * dice.pick((-1.0, 1.0))
    return Actor(puppet, Passing(meet, pose.x, pose.y + size * (tall - 1) * 0.1, scale, drift))
