"""Scripts drawn at random: an endless supply of training clips."""

from __future__ import annotations

from collections.abc import Sequence

from inmo.datasets.mini.exact import Dice
from inmo.datasets.mini.motion import Spec
from inmo.datasets.mini.puppets import PUPPETS
from inmo.datasets.mini.scenery import SCENES
from inmo.datasets.mini.stage import TALL


def draft(seed: int, *, length: int = 60, size: tuple[int, int] = (320, 240)) -> Spec:
    """A script for ``render_sequence`` of this length and picture size, decided by the seed.

    Every challenge of ``Spec`` occurs, most clips have two or three of them, and some targets keep their size and
    place in the picture while they deform.
    """
    dice = Dice(seed, 50)
    kind, scene = dice.pick(sorted(PUPPETS)), dice.pick(sorted(SCENES))
    still = dice.chance(0.15)

    def some(share: float, *values: float) -> float:
        return dice.real(values[0], values[1]) if dice.chance(share) else 0.0

    def swings(share: float, rest: float, low: float, high: float) -> tuple[float, ...]:
        if not dice.chance(share):
            return (rest,)
        return (rest, *(dice.real(low, high) for _ in range(dice.between(1, 3))))

    return Spec(
        kind,
        scene,
        length,
        size,
        height=dice.between(24, 96) * size[1] // 240,
        speed=0.3 if still else dice.real(0.8, 4.5),
        restless=dice.between(7, 18),
        hop=some(0.15, 10, 36),
        scales=(1.0,) if still else swings(0.5, 1.0, 0.6, 1.8),
        spins=swings(0.35, 0.0, -0.2, 0.2),
        faces=swings(0.2, 1.0, -1.0, 1.0),
        gait=dice.real(0.02, 0.11),
        lights=swings(0.25, 1.0, 0.45, 1.4),
        shade=dice.chance(0.15),
        shutter=some(0.3, 0.3, 0.8),
        pan=some(0.4, 0.8, 4.0),
        shake=some(0.2, 1.0, 4.0),
        zooms=swings(0.15, 1.0, 1.0, 1.6),
        rolls=swings(0.1, 0.0, -0.06, 0.06),
        twins=_few(dice, 0.35),
        cousins=_few(dice, 0.35),
        hidden=_passings(dice, sorted(TALL)),
        leaves=((dice.real(0.4, 0.6), dice.real(0.62, 0.75)),) if dice.chance(0.1) else (),
        clutter=dice.chance(0.2),
        noise=dice.between(2, 9),
    )


def _few(dice: Dice, share: float) -> int:
    return dice.between(1, 2) if dice.chance(share) else 0


def _passings(dice: Dice, kinds: Sequence[str]) -> tuple[tuple[float, str], ...]:
    if not dice.chance(0.4):
        return ()
    return tuple((dice.real(0.3, 0.85), dice.pick(kinds)) for _ in range(dice.between(1, 2)))
