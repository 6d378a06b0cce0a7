"""Frames, exact boxes and true labels of a clip from a seed and a script."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inmo.boxes import Boxes
from inmo.datasets.mini.attributes import Facts, labels
from inmo.datasets.mini.drawing import Figure, draw
from inmo.datasets.mini.exact import LANES, Dice, Packed, alpha_of, cosine, floor, lay_over, sample, sine, unpack
from inmo.datasets.mini.motion import Actor, Spec, curve
from inmo.datasets.mini.stage import Stage, set_stage

Bytes = NDArray[np.uint8]
GONE = 1 / 32  # a target of which less than this share can be seen counts as absent


@dataclass(frozen=True)
class Track:
    """One annotated target of a clip.

    Attributes:
        boxes: (n, 4) float64 x, y, w, h: the tight box, counted from 0, of all pixels of the silhouette, hidden ones
            and those outside the picture included (amodal, not clipped). Pixels 3 to 5 give x = 3, w = 3.
        fine: (n * 8, 4) the same at eight moments per frame, the first of each eight being the frame's own; empty
            unless asked for.
        inside: (n,) share of the silhouette inside the picture.
        visible: (n,) share of the silhouette inside the picture and not hidden.
        facts: what was measured frame by frame; ``attributes`` follow from it.
    """

    boxes: Boxes
    fine: Boxes
    inside: NDArray[np.float64]
    visible: NDArray[np.float64]
    facts: Facts

    @property
    def attributes(self) -> tuple[str, ...]:
        """Codes of what happened."""
        return labels(self.facts)

    def cut(self, begin: int, end: int) -> Track:
        """The track of frames ``begin`` .. ``end - 1``, with the attributes of just these."""
        facts, fine = self.facts.cut(begin, end), self.fine[begin * 8 : end * 8]
        return Track(self.boxes[begin:end], fine, self.inside[begin:end], self.visible[begin:end], facts)

    @property
    def absent(self) -> NDArray[np.bool_]:
        """(n,) True where less than a 32nd of the target can be seen."""
        return np.asarray(self.visible < GONE)

    @property
    def out_of_view(self) -> NDArray[np.bool_]:
        """(n,) True where less than a 32nd of the target is inside the picture."""
        return np.asarray(self.inside < GONE)


@dataclass(frozen=True)
class Clip:
    """A rendered sequence: (n, h, w, 3) uint8 BGR frames and one track per annotated target."""

    frames: Bytes
    tracks: tuple[Track, ...]

    @property
    def boxes(self) -> Boxes:
        """Boxes of the first target."""
        return self.tracks[0].boxes

    def digest(self) -> str:
        """SHA-256 over the pixels, and over boxes and flags of every target."""
        digest = hashlib.sha256(np.ascontiguousarray(self.frames).tobytes())
        for track in self.tracks:
            digest.update(track.boxes.astype("<f8").tobytes() + track.absent.tobytes())
            digest.update(" ".join(track.attributes).encode())
        return digest.hexdigest()


def render_sequence(seed: int, spec: Spec, *, fine: bool = False) -> Clip:
    """Render one clip.

    Args:
        seed: decides everything that the script leaves open; the same seed and script give the same bits anywhere.
        spec: the script.
        fine: also annotate at eight times the frame rate (for 240 fps annotations of 30 fps frames).
    """
    return render_stage(seed, set_stage(seed, spec), fine=fine)


def render_stage(seed: int, stage: Stage, *, fine: bool = False) -> Clip:
    """Render one clip of a stage that is set; ``seed`` decides the noise. See ``render_sequence``."""
    spec, grain = stage.spec, Dice(seed, 99)
    facts = [Facts.of(spec, stage.actors[target].puppet) for target in stage.targets]
    frames = [_frame(stage, index, facts, grain) for index in range(spec.length)]
    tracks = tuple(
        Track(
            np.array(fact.boxes, dtype=np.float64).reshape(-1, 4),
            _fine_boxes(stage, target, spec.length) if fine else np.zeros((0, 4)),
            np.array(fact.inside),
            np.array(fact.visible),
            fact,
        )
        for fact, target in zip(facts, stage.targets, strict=True)
    )
    return Clip(np.stack(frames), tracks)


def _frame(stage: Stage, index: int, facts: list[Facts], grain: Dice) -> Bytes:
    spec = stage.spec
    width, height = spec.size
    blur = _blur(stage, index)
    exposures = 1 if blur < 1.5 else min(7, 3 + floor(blur / 4) * 2)
    total = np.zeros((height, width), dtype=np.uint64)
    for k in range(exposures):
        moment = index + spec.shutter * ((k + 0.5) / exposures - 0.5)
        total += _expose(stage, moment, facts if k == exposures // 2 else None)
    mean = unpack(total)[..., :3].astype(np.int32) // exposures
    gain = _light(stage, index)
    mean *= gain[..., None]
    mean >>= 8
    if spec.noise:
        speckle = grain.bytes(height, width).astype(np.int32) + grain.bytes(height, width) - 255
        mean += (speckle * spec.noise >> 8)[..., None]
    for fact, target in zip(facts, stage.targets, strict=True):
        pose = stage.pose(target, index)
        x, y = (min(max(floor(p), 0), side - 1) for p, side in ((pose.x, width), (pose.y, height)))
        before = stage.camera.walk.at(max(0, index - 1))
        now = stage.camera.walk.at(index)
        jolt, jolted = stage.camera.offset(index), stage.camera.offset(max(0, index - 1))
        shift = abs(now[0] - before[0]) + abs(now[1] - before[1])
        fact.camera.append(shift + abs(jolt[0] - jolted[0]) + abs(jolt[1] - jolted[1]))
        fact.gain.append(int(gain[y, x]) / 256)
        fact.blur.append(blur)
        fact.angle.append(pose.angle)
        fact.face.append(pose.face)
    return np.clip(mean, 0, 255).astype(np.uint8)


def _blur(stage: Stage, index: int) -> float:
    """Length in pixels of the target's smear, or of the background's where that is longer."""
    half = stage.spec.shutter / 2
    if not half:
        return 0.0
    start, end = stage.pose(stage.targets[0], index - half), stage.pose(stage.targets[0], index + half)
    own = abs(end.x - start.x) + abs(end.y - start.y)
    first, last = stage.camera.walk.at(index - half), stage.camera.walk.at(index + half)
    return max(own, abs(last[0] - first[0]) + abs(last[1] - first[1]))


def _light(stage: Stage, index: int) -> NDArray[np.int32]:
    """Gain per pixel in 1/256, (h, w)."""
    spec = stage.spec
    width, height = spec.size
    level = floor(256 * curve(spec.lights, index / max(1, spec.length - 1)) + 0.5)
    gain = np.full((height, width), level, dtype=np.int32)
    if spec.shade:
        x, y, _, _ = stage.camera.view(index)
        slope, period = stage.band
        across = np.arange(width, dtype=np.int32)[None, :] + floor(x)
        along = (across * 16 + (np.arange(height, dtype=np.int32)[:, None] + floor(y)) * slope) // 16 % period
        edge = np.clip(np.minimum(along, period * 2 // 5 - along) * 16, 0, 140)
        gain = gain * (256 - edge) >> 8
    return gain


def _expose(stage: Stage, time: float, facts: list[Facts] | None) -> Packed:
    """The scene at one instant, packed; fills in boxes and visibility when asked."""
    spec = stage.spec
    width, height = spec.size
    x, y, zoom, roll = stage.camera.view(time)
    jolt = stage.camera.offset(time)
    cos, sin = cosine(roll) / zoom, sine(roll) / zoom
    px, py = width / 2 + jolt[0], height / 2 + jolt[1]
    inverse = (cos, sin, x - cos * px - sin * py, -sin, cos, y + sin * px - cos * py)
    picture = sample(stage.background, inverse, 0, 0, width, height)
    seen: dict[int, NDArray[np.bool_]] = {}
    whole: dict[int, Figure] = {}
    for index, actor in enumerate(stage.actors):
        figure = draw(actor.puppet, stage.pose(index, time))
        clip = figure.clipped(width, height)
        if clip is not None:
            at, layer = clip
            solid = alpha_of(layer) >= 128
            for mask in seen.values():
                mask[at] &= ~solid
            lay_over(picture[at], layer)
        if facts is not None and index in stage.targets:
            mask = np.zeros((height, width), dtype=np.bool_)
            if clip is not None:
                mask[at] = solid
            seen[index], whole[index] = mask, figure
            facts[stage.targets.index(index)].inside.append(int(mask.sum()) / figure.area)
    for target, fact in zip(stage.targets, facts or (), strict=facts is not None):
        fact.boxes.append(whole[target].box)
        fact.visible.append(int(seen[target].sum()) / whole[target].area)
    return picture & LANES


def _fine_boxes(stage: Stage, target: int, length: int) -> Boxes:
    actor: Actor = stage.actors[target]
    rows = [draw(actor.puppet, stage.pose(target, k / 8)).box for k in range(length * 8)]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
