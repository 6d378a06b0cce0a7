"""The set ``distractors``: own seeds, what its grades promise, boxes of everything, the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pytest

from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.datasets.mini import distractors
from inmo.datasets.mini.crowd import CLOSE, EVENTS, LIKENESS, NUMBERS, SIZE, Grade, crowd, event_of
from inmo.datasets.mini.distractors import EACH, GRADES, codes, distractor_clips, ensure_distractors, generate, render
from inmo.datasets.mini.exact import Dice
from inmo.datasets.mini.rendering import Clip
from inmo.datasets.mini.sprites import palette, turned
from inmo.datasets.mini.suite import DISTRACTOR_SEEDS, TRAINING_SEEDS, clip_seeds, training_clip
from inmo.datasets.training.mini import TRIES
from inmo.errors import UserError
from inmo.reports.scoring.metrics import overlap

DIGESTS = Path(__file__).with_name("digests.json")
CLIPS = {name: (seed, grade) for name, seed, grade in distractor_clips()}
FIRSTS = [name for name in CLIPS if name.endswith("-1")]
SHOWN = ("1-identical-near-1", "4-hue-cross-1", "4-identical-occlude-2", "8-shape-occlude-3")


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    return {name: render(*CLIPS[name]) for name in SHOWN}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The set of two sequences, as generated."""
    root = tmp_path_factory.mktemp("distractors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distractors, "distractor_clips", lambda: [(name, *CLIPS[name]) for name in SHOWN[:2]])
        patch.setattr(distractors, "WORKERS", 1)
        generate(root)
    return open_dataset("distractors", str(root))


def test_every_grade_has_as_many_sequences() -> None:
    grades = Counter(grade for _, grade in CLIPS.values())
    assert len(grades) == len(NUMBERS) * len(LIKENESS) * len(EVENTS) and set(grades.values()) == {EACH}
    assert len(CLIPS) == 336
    told = {codes(grade) for grade in grades}
    assert len(told) == len(grades) and codes(Grade(4, "texture", "cross")) == ("N4", "TEX", "CROSS")
    assert {code for own in told for code in own} == {code for own in GRADES.values() for code in own}


def test_no_suite_and_no_training_or_validation_clip_has_one_of_its_seeds() -> None:
    seeds = {seed for seed, _ in CLIPS.values()}
    assert len(seeds) == len(CLIPS) and min(seeds) == DISTRACTOR_SEEDS
    assert max(seed for *_, seed in clip_seeds(9_999)) < TRAINING_SEEDS < DISTRACTOR_SEEDS
    last = DISTRACTOR_SEEDS - TRAINING_SEEDS - 1  # the number of the last training clip: its seed is just below
    assert training_clip(last, length=2, size=(64, 48)).frames.shape == (2, 48, 64, 3)
    for number in (last + 1, -1):
        with pytest.raises(UserError, match=str(last)):
            training_clip(number, length=2)
    assert last > TRIES * 1_000_003  # what a source skips to when a clip shows no target


def test_colours_turn_by_sixths_of_the_circle() -> None:
    orange = ((0, 128, 255),)  # B, G, R: a hue of 30 degrees
    assert turned(orange, 0) == turned(orange, 6) == orange
    assert turned(orange, 1) == ((0, 255, 127),)  # 90 degrees
    assert turned(orange, 2) == ((128, 255, 0),)  # 150
    assert turned(orange, 3) == ((255, 127, 0),)  # 210, the complement
    assert turned(orange, -1) == ((127, 0, 255),)  # 330


def test_likeness_keeps_what_it_names() -> None:
    def pieces(likeness: str) -> tuple[list[bytes], list[bytes], float, float]:
        stage = crowd(CLIPS["1-hue-near-1"][0], Grade(1, likeness, "near"))
        target, other = (stage.actors[index] for index in stage.targets)
        painted = [[part.levels[0].tobytes() for part in actor.puppet.parts] for actor in (target, other)]
        pose, own = other.pose(0.0), target.pose(0.0)
        return painted[0], painted[1], pose.scale / own.scale, pose.face

    target, other, scale, face = pieces("identical")
    assert target == other and (scale, face) == (1.0, 1.0)
    _, hue, scale, face = pieces("hue")
    assert hue != target and (scale, face) == (1.0, 1.0)
    _, texture, *_ = pieces("texture")
    assert texture not in (target, hue)
    *_, scale, face = pieces("shape")
    assert scale != 1.0 and face != 1.0


@pytest.mark.parametrize("name", SHOWN)
def test_distractors_do_what_their_event_says(name: str, clips: dict[str, Clip]) -> None:
    (_, grade), (target, *others) = CLIPS[name], clips[name].tracks
    assert len(others) == grade.number
    close = np.array([overlap(target.boxes, other.boxes) for other in others])
    assert close[:, 0].max() < 0.1  # the target is unmistakable at the start
    for n, most in enumerate(close.max(axis=1)):
        near = event_of(grade, n) == "near"
        assert most < 0.15 if near else most > 0.3, (n, most)
    if grade.event == "cross":
        assert target.visible.min() > 0.95
    if grade.event == "occlude":
        assert target.visible.min() < 0.5
    assert sum(event_of(grade, n) != "near" for n in range(grade.number)) <= CLOSE


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_jumps_and_all_stay_in_the_picture(name: str, clips: dict[str, Clip]) -> None:
    for track in clips[name].tracks:
        centres = track.boxes[:, :2] + track.boxes[:, 2:] / 2
        assert np.abs(np.diff(centres, axis=0)).max() <= 14
        assert ((centres > -20) & (centres < np.add(SIZE, 20))).all()


def test_a_sequence_knows_the_boxes_of_its_distractors(opened: Dataset, clips: dict[str, Clip]) -> None:
    assert [s.name for s in opened.sequences] == list(SHOWN[:2]) and not opened.holes
    for sequence in opened.sequences:
        target, *others = clips[sequence.name].tracks
        assert sequence.others is not None and sequence.frames is not None
        np.testing.assert_array_equal(sequence.annotation().boxes, target.boxes)
        np.testing.assert_array_equal(sequence.others(), [track.boxes for track in others])
        assert sequence.frames().read(59).shape == (SIZE[1], SIZE[0], 3)
        assert sequence.attributes == codes(CLIPS[sequence.name][1])


def test_the_set_is_rendered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []
    monkeypatch.setattr(distractors, "generate", built.append)
    first, second = ensure_distractors(tmp_path), ensure_distractors(tmp_path)
    assert first == second and len(built) == 1 and first.name == f"distractors-v{distractors.VERSION}"


def _digest(name: str) -> tuple[str, str]:
    clip = render(*CLIPS[name])
    digest = hashlib.sha256(clip.frames.tobytes())
    digest.update(np.array([track.boxes for track in clip.tracks], dtype="<f8").tobytes())
    return name, digest.hexdigest()


@pytest.mark.parametrize("name", FIRSTS[::16])
def test_pixels_and_boxes_have_the_recorded_digests(name: str) -> None:
    """A clip of every sixteenth grade; the slow test below takes one of each."""
    assert _digest(name)[1] == json.loads(DIGESTS.read_text())["distractors"][name]


@pytest.mark.slow
def test_a_clip_of_every_second_grade_has_the_recorded_digest() -> None:
    """Every number, likeness and event is among them: of three events in a row every second is another."""
    recorded = json.loads(DIGESTS.read_text())["distractors"]
    assert set(recorded) == set(FIRSTS)
    work = joblib.Parallel(n_jobs=2)(joblib.delayed(_digest)(name) for name in FIRSTS[1::2])
    assert dict(work) == {name: recorded[name] for name in FIRSTS[1::2]}


def test_palettes_of_targets_have_hues_to_turn() -> None:
    seeds = [seed for seed, _ in CLIPS.values()][::40]
    for colours in (palette(Dice(seed, 1)) for seed in seeds):
        spread = max(max(colour) - min(colour) for colour in colours)
        assert spread >= 40 and turned(colours, 1) != colours
