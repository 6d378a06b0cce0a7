"""The scripts of the mini-suite: six sequences for each of six benchmarks, from easy to hard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from inmo.datasets.mini.motion import Spec
from inmo.errors import unknown_name

WIDE = (480, 270)


@dataclass(frozen=True)
class Row:
    """A clip and the sequences cut from it.

    Attributes:
        folder: where its frames go, in the benchmark's own way.
        spec: the script.
        sequences: name -> first and last frame, counted from 1; one per target where the script annotates two.
        first: number of the first frame's file.
        omit: frames before the first scored one.
        word: object class.
    """

    folder: str
    spec: Spec
    sequences: Mapping[str, tuple[int, int]]
    first: int
    omit: int
    word: str


def _row(
    name: str, *script: Any, sequences: Mapping[str, tuple[int, int]] | None = None, first: int = 1, omit: int = 0,
    word: str = "", **more: Any,
) -> Row:  # fmt: skip
    """A row from the fields of its script, a ``Spec``; the whole clip is one sequence unless others are given."""
    spec = Spec(*script, **more)
    return Row(name, spec, sequences or {name: (1, spec.length)}, first, omit, word or spec.kind)


LASOT = (
    _row("hound-1", "hound", "field", 90, height=52, speed=1.2, scales=(1, 1.5, 0.9), pan=1.5),
    _row("hound-3", "hound", "street", 100, WIDE, 62, 1.7, hidden=((0.4, "wall"), (0.75, "tree")), twins=1),
    _row("kite-2", "kite", "field", 90, height=64, speed=1.7, spins=(0, 0.08, -0.06, 0.12), scales=(1, 0.65, 1.1)),
    _row("kite-5", "kite", "water", 80, height=80, speed=2.5, leaves=((0.6, 0.7),), spins=(0, 0.1), shake=1.5),
    _row("car-4", "car", "street", 100, height=26, speed=1.3, scales=(1, 2.0, 1.3), cousins=2, lights=(1, 0.5, 1)),
    _row("jelly-7", "jelly", "reef", 90, height=70, speed=1.4, twins=1, cousins=1, gait=0.08, hidden=((0.55, "bush"),)),
)
TNL2K = (
    _row("Walker_street_01-Done", "walker", "street", 90, WIDE, 72, 1.1, twins=1, cousins=1, gait=0.07),
    _row("INF_fish_02_done", "fish", "reef", 80, height=50, speed=1.8, faces=(1, 1, 1, -1), clutter=True),
    _row("ball-game-Q03-done", "ball", "hall", 70, height=30, speed=6.0, restless=8, hop=36, gait=0.11, shutter=0.6),
    _row("advSamp_face_04", "face", "hall", 90, height=88, speed=1.0, faces=(1, 0.45, 1, -0.5), lights=(1, 0.55, 1.3),
         scales=(1, 1.3, 0.8)),
    _row("Crossing_05_Done", "walker", "street", 100, height=58, speed=1.3, hidden=((0.3, "car"), (0.65, "wall")),
         leaves=((0.85, 0.9),)),
    _row("butterfly_06", "butterfly", "field", 80, height=44, speed=2.2, restless=10, gait=0.06, spins=(0, 0.2, -0.1)),
)  # fmt: skip
UAV123 = (
    _row("person1", "walker", "aerial", 130, WIDE, 34, 1.4, pan=2.5, zooms=(1, 1.6, 1), shake=1.5,
         hidden=((0.25, "tree"), (0.75, "tree")), sequences={"person1_1": (1, 66), "person1_2": (66, 130)},
         word="person"),
    _row("bird1", "bird", "field", 150, height=30, speed=3.0, restless=12, gait=0.08, pan=3, leaves=((0.28, 0.34),),
         shake=1, sequences={"bird1_1": (1, 72), "bird1_2": (81, 150)}),
    _row("car1", "car", "aerial", 90, WIDE, 20, 1.9, pan=3, rolls=(0, 0.06, -0.05), cousins=3, spins=(0, 0.1, -0.1)),
    _row("car1_s", "car", "aerial", 80, height=16, speed=1.1, pan=2, twins=2, hidden=((0.5, "bush"),)),
)  # fmt: skip
NFS = (
    _row("ping_pong", "ball", "hall", 70, height=20, speed=7.5, restless=7, hop=40, gait=0.15, shutter=0.5),
    _row("sprinter", "walker", "street", 80, WIDE, 84, 2.0, gait=0.13, pan=4, shutter=0.5, twins=1, word="person"),
    _row("hawk_dive", "bird", "field", 70, height=40, speed=5.0, scales=(1, 0.7, 1.5), gait=0.1, shutter=0.7),
    _row("rally", "car", "field", 80, height=38, speed=2.2, shake=4, scales=(1, 1.6, 1), faces=(1, 0.6, 1, -0.8)),
    _row("koi_pond", "fish", "reef", 80, height=38, speed=1.7, twins=2, cousins=1, spins=(0, 0.12, 0.05), gait=0.06),
    _row("terrier", "hound", "field", 90, height=46, speed=2.3, hidden=((0.35, "bush"), (0.7, "tree")), gait=0.12,
         word="dog"),
)  # fmt: skip
OTB100 = (
    _row("Strollers", "walker", "street", 90, height=74, speed=1.0, twins=1, cousins=1, hidden=((0.5, "post"),),
         pair=True, sequences={"Strollers_1": (1, 90), "Strollers_2": (1, 90)}, word="person"),
    _row("Lynx1", "hound", "hall", 85, height=58, speed=3.4, restless=9, shutter=0.9, shake=2, lights=(1, 1.4, 0.7),
         omit=5),
    _row("Lamp", "face", "hall", 80, height=70, speed=1.2, lights=(0.45, 1.15), shade=True, faces=(1, 0.6, 1),
         first=31),
    _row("KiteB", "kite", "field", 70, height=50, speed=1.4, spins=(0, 0.1, 0.25), clutter=True),
    _row("Marble", "ball", "street", 75, height=34, speed=1.8, twins=2, scales=(1, 1.7, 0.7), gait=0.05),
)  # fmt: skip
TRACKINGNET = (
    _row("-Qd8Moth31_0", "butterfly", "hall", 70, height=52, speed=1.4, gait=0.06, scales=(1, 1.6, 1)),
    _row("0rReef7Kp2_1", "jelly", "reef", 80, height=56, speed=1.1, cousins=2, scales=(1, 1.8)),
    _row("3sVan_Street_0", "car", "street", 80, WIDE, 44, 1.7, pan=3, scales=(1, 1.8, 0.8), hidden=((0.6, "post"),)),
    _row("H2dogA-park_2", "hound", "field", 90, height=64, speed=1.5, faces=(1, 1, -1), twins=1, shade=True),
    _row("Zw_fishTank_0", "fish", "reef", 70, height=34, speed=1.3, scales=(1, 2.4), hidden=((0.5, "fish"),)),
    _row("xBallFest-9_0", "ball", "field", 60, height=40, speed=2.8, hop=30, gait=0.08, shutter=0.5, clutter=True),
)

SUITE: Mapping[str, tuple[Row, ...]] = {
    "lasot": LASOT,
    "tnl2k": TNL2K,
    "uav123": UAV123,
    "nfs": NFS,
    "otb100": OTB100,
    "trackingnet": TRACKINGNET,
}


def sized(row: Row, size: str) -> Row:
    """A row at a size preset: ``standard`` as written; ``tiny`` a fifth of the frames, for quick tests.

    Raises UserError for another name.
    """
    if size == "standard":
        return row
    if size != "tiny":
        raise unknown_name("size of the mini-suite", size, ("standard", "tiny"))
    length = row.spec.length // 5
    spans = {name: (max(1, a // 5), max(1, b // 5)) for name, (a, b) in row.sequences.items()}
    faster = replace(row.spec, length=length, speed=row.spec.speed * 3)
    return replace(row, spec=faster, sequences=spans)
