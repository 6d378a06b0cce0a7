"""The mini-suite: exact, the same everywhere, in the six layouts, and true to what was rendered."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.boxes import shift_origin
from inmo.datasets import open_dataset
from inmo.datasets.base import Dataset
from inmo.datasets.mini.attributes import MEANINGS, Facts, labels
from inmo.datasets.mini.drafts import draft
from inmo.datasets.mini.layouts import clipped, codes, rows
from inmo.datasets.mini.motion import Spec
from inmo.datasets.mini.puppets import PUPPETS
from inmo.datasets.mini.scenery import SCENES
from inmo.datasets.mini.scripts import SUITE, Row
from inmo.datasets.mini.suite import (
    TRAINING_SEEDS,
    VERSION,
    Clip,
    clip_seeds,
    ensure_suite,
    generate,
    render_sequence,
    training_clip,
)
from inmo.errors import UserError

DIGESTS = Path(__file__).with_name("digests.json")
SEQUENCES = [(name, sequence) for name, script in SUITE.items() for row in script for sequence in row.sequences]
SMALL = Spec("hound", "field", length=6, size=(96, 72), height=24, speed=2)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mini")
    generate(root, size="tiny", workers=1)
    return root


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    """One rendered tiny clip per benchmark, by the name of its folder."""
    wanted = {"hound-3", "Crossing_05_Done", "bird1", "ping_pong", "Strollers", "-Qd8Moth31_0"}
    jobs = [(row, seed) for _, row, seed in clip_seeds(size="tiny") if row.folder in wanted]
    return {row.folder: render_sequence(seed, row.spec) for row, seed in jobs}


def opened(suite: Path, name: str) -> Dataset:
    return open_dataset(f"mini-{name}", str(suite / name))


# --- boxes, flags and attributes


def test_hidden_and_absent_targets_are_measured(clips: dict[str, Clip]) -> None:
    track = clips["Crossing_05_Done"].tracks[0]
    assert track.absent.any() and not track.absent.all() and not track.absent[0]
    assert (track.visible <= track.inside).all() and (track.inside <= 1).all()
    assert (track.absent >= track.out_of_view).all()
    assert {"POC", "OV"} <= set(track.attributes)


def test_targets_are_in_view_when_they_start(clips: dict[str, Clip]) -> None:
    for name, clip in clips.items():
        assert all(track.visible[0] > 0.9 for track in clip.tracks), name


def facts(boxes: list[tuple[int, int, int, int]], **more: list[float]) -> Facts:
    n = len(boxes)
    rest = {"inside": 1.0, "visible": 1.0, "gain": 1.0, "blur": 0.0, "camera": 0.0, "angle": 0.0, "face": 1.0}
    return Facts(False, False, False, 0.0, list(boxes), **{key: more.get(key, [v] * n) for key, v in rest.items()})


@pytest.mark.parametrize(
    ("code", "yes", "no"),
    [
        ("SV", facts([(0, 0, 40, 40), (0, 0, 60, 54)]), facts([(0, 0, 40, 40), (0, 0, 60, 53)])),
        ("ARC", facts([(0, 0, 40, 40), (0, 0, 81, 40)]), facts([(0, 0, 40, 40), (0, 0, 80, 40)])),
        ("FM", facts([(0, 0, 40, 40), (12, 17, 40, 40)]), facts([(0, 0, 40, 40), (12, 16, 40, 40)])),
        ("LR", facts([(0, 0, 37, 27)]), facts([(0, 0, 40, 25)])),
        ("LR400", facts([(0, 0, 21, 19)]), facts([(0, 0, 20, 20)])),
        ("IV", facts([(0, 0, 40, 40)] * 2, gain=[1.0, 1.35]), facts([(0, 0, 40, 40)] * 2, gain=[1.0, 1.34])),
        ("MB", facts([(0, 0, 40, 40)], blur=[4.0]), facts([(0, 0, 40, 40)], blur=[3.9])),
        ("POC", facts([(0, 0, 40, 40)], visible=[0.8]), facts([(0, 0, 40, 40)], visible=[0.9])),
        ("FOC", facts([(0, 0, 40, 40)], visible=[0.02]), facts([(0, 0, 40, 40)], visible=[0.04])),
        ("OV", facts([(0, 0, 40, 40)], inside=[0.4]), facts([(0, 0, 40, 40)], inside=[0.5])),
        ("IPR", facts([(0, 0, 40, 40)] * 2, angle=[0.0, 0.06]), facts([(0, 0, 40, 40)] * 2, angle=[0.0, 0.05])),
        ("OPR", facts([(0, 0, 40, 40)], face=[0.69]), facts([(0, 0, 40, 40)], face=[0.7])),
        ("VC", facts([(0, 0, 40, 40)] * 2, face=[1.0, -0.9]), facts([(0, 0, 40, 40)] * 2, face=[1.0, 0.2])),
        (
            "CM",
            facts([(0, 0, 40, 40)] * 4, camera=[0, 0, 0, 1.0]),
            facts([(0, 0, 40, 40)] * 5, camera=[0, 0, 0, 0, 1.0]),
        ),
    ],
)
def test_an_attribute_begins_where_its_definition_says(code: str, yes: Facts, no: Facts) -> None:
    assert code in labels(yes)
    assert code not in labels(no)


def test_a_target_out_of_the_picture_is_not_called_hidden() -> None:
    assert not {"POC", "FOC"} & set(labels(facts([(0, 0, 40, 40)], inside=[0.0], visible=[0.0])))


def test_the_parts_of_a_shared_folder_have_attributes_of_their_own(clips: dict[str, Clip]) -> None:
    whole = clips["bird1"].tracks[0]
    assert "OV" in whole.attributes
    assert "OV" not in whole.cut(len(whole.boxes) * 2 // 3, len(whole.boxes)).attributes


def test_every_challenge_occurs_in_the_suite() -> None:
    specs = [row.spec for script in SUITE.values() for row in script]
    assert sum(bool(s.hidden) for s in specs) >= 8
    assert sum(bool(s.twins) for s in specs) >= 6
    for field in ("leaves", "shade", "clutter", "pan", "shake", "shutter", "twins", "cousins", "hop"):
        assert any(getattr(s, field) for s in specs), field
    for field in ("scales", "spins", "faces", "lights", "zooms", "rolls"):
        assert any(len(getattr(s, field)) > 1 for s in specs), field
    assert {s.kind for s in specs} == set(PUPPETS)
    assert {s.scene for s in specs} == set(SCENES)
    assert len(SEQUENCES) == 36
    assert {name: sum(n == name for n, _ in SEQUENCES) for name in SUITE} == dict.fromkeys(SUITE, 6)


def test_codes_are_those_of_the_benchmark(clips: dict[str, Clip]) -> None:
    track = clips["Crossing_05_Done"].tracks[0]
    assert "OCC" in codes(track, ("OCC", "POC")).split()
    assert codes(track, ("POC", "DEF")) == "POC DEF"
    assert not set(track.attributes) - set(MEANINGS)


# --- layouts


def test_boxes_are_cut_at_the_edges() -> None:
    boxes = np.array([[-5, 3, 20, 10], [90, 60, 20, 20], [200, 10, 5, 5]], dtype=np.float64)
    expected = [[0, 3, 15, 10], [90, 60, 10, 15], [100, 10, 0, 5]]
    assert clipped(boxes, (100, 75)).tolist() == expected
    assert rows(np.array([[1.0, 2.0, np.nan, 4.0]]), "\t") == "1\t2\tNaN\t4\n"


def test_every_row_opens_whole(suite: Path) -> None:
    found = []
    for name in SUITE:
        dataset = opened(suite, name)
        assert dataset.holes == ()
        for sequence in dataset.sequences:
            assert sequence.frames is not None
            annotation, frames = sequence.annotation(), sequence.frames()
            assert len(annotation) == len(frames)
            height, width = frames.read(len(frames) - 1).shape[:2]
            x, y, w, h = shift_origin(annotation.boxes[:1], -sequence.origin)[0]
            assert w >= 4 and h >= 4
            assert x >= (-w if name == "otb100" else 0) and x + w <= width + (w if name == "otb100" else 0)
            assert y < height
            assert set(sequence.attributes) <= set(dataset.benchmark.attributes)
            found.append((name, sequence.name))
    assert found == SEQUENCES


def test_lasot_flags_and_origin(suite: Path) -> None:
    for sequence in opened(suite, "lasot").sequences:
        annotation = sequence.annotation()
        assert annotation.absent is not None
        seen = annotation.boxes[~annotation.absent]
        assert (seen[:, :2] >= 1).all() and (seen[:, 2:] > 0).all()
    gone = next(s for s in opened(suite, "lasot").sequences if s.name == "kite-5").annotation()
    assert gone.absent is not None and gone.absent.any()
    assert (gone.boxes[gone.absent] == 0).all()
    assert not (suite / "lasot" / "testing_set.txt").read_bytes().endswith(b"\n")


def test_tnl2k_writes_zeros_for_absent_targets_and_names_frames_as_it_likes(suite: Path) -> None:
    dataset = opened(suite, "tnl2k")
    absent = [s.annotation() for s in dataset.sequences]
    assert any(a.absent is not None and a.absent.any() for a in absent)
    for a in absent:
        assert a.absent is not None
        assert (a.boxes[a.absent] == 0).all() and (a.boxes[~a.absent][:, 2:] > 0).all()
    firsts = {sorted(p.name for p in (suite / "tnl2k" / s.name / "imgs").iterdir())[0] for s in dataset.sequences}
    assert firsts == {"00000492.jpg", "img00000.jpg", "0001.jpeg"}


def test_uav123_shares_folders_and_marks_unseen_targets_nan(suite: Path) -> None:
    with (suite / "uav123" / "sequences.csv").open() as stream:
        table = {row["name"]: row for row in csv.DictReader(stream)}
    assert table["person1_1"]["path"] == table["person1_2"]["path"]
    assert table["person1_1"]["end_frame"] == table["person1_2"]["start_frame"]  # neighbours share a frame
    boxes = {s.name: s.annotation().boxes for s in opened(suite, "uav123").sequences}
    assert (boxes["person1_1"][-1] == boxes["person1_2"][0]).all()
    assert np.isnan(boxes["bird1_1"]).all(axis=1).any()
    assert not np.isnan(boxes["bird1_2"]).any()


def test_nfs_has_eight_rows_per_frame_and_every_third_file_one_frame_less(suite: Path) -> None:
    for number, sequence in enumerate(opened(suite, "nfs").sequences):
        folder = suite / "nfs" / sequence.name / "30"
        lines = (folder / f"{sequence.name}.txt").read_text().splitlines()
        images = len(list((folder / sequence.name).iterdir()))
        assert len(lines) == 8 * (images - (number % 3 == 2))
        assert len(sequence.annotation()) == images - (number % 3 == 2)
        assert len(lines[0].split()) == 10


def test_nfs_boxes_at_240_fps_pass_through_those_of_the_frames() -> None:
    fine = render_sequence(3, SMALL, fine=True).tracks[0]
    assert (fine.fine[::8] == fine.boxes).all()


def test_otb_mixes_delimiters_shares_a_folder_and_skips_first_frames(suite: Path) -> None:
    root = suite / "otb100"
    assert (root / "Strollers" / "groundtruth_rect.2.txt").exists()
    assert {"," in p.read_text() for p in root.glob("*/groundtruth_rect*.txt")} == {True, False}
    table = {s.name: s for s in opened(suite, "otb100").sequences}
    lynx = table["Lynx1"]
    lines = (root / "Lynx1" / "groundtruth_rect.txt").read_text().splitlines()
    before = [[float(word) for word in re.split("[,\t]", line)] for line in lines[:5]]
    assert lynx.annotation().before.tolist() == before and len(lines) == len(lynx.annotation()) + 5
    assert sorted(p.name for p in (root / "Lamp" / "img").iterdir())[0] == "0031.jpg"
    first, second = (table[name].annotation().boxes for name in ("Strollers_1", "Strollers_2"))
    assert len(first) == len(second) and (first[0] != second[0]).any()


def test_trackingnet_keeps_its_answers_apart(suite: Path) -> None:
    asked = opened(suite, "trackingnet")
    answers = open_dataset("mini-trackingnet", str(suite / "trackingnet-answers"))
    assert not list((suite / "trackingnet").rglob("*answers*"))
    for question, answer in zip(asked.sequences, answers.sequences, strict=True):
        boxes, key = question.annotation().boxes, answer.annotation().boxes
        assert question.first_only and len(key) == len(boxes)
        assert np.isnan(boxes[1:]).all() and not np.isnan(key).any()
        assert (boxes[0] == key[0]).all()
        assert (suite / "trackingnet" / "TEST" / "frames" / question.name / "0.jpg").exists()


def test_annotations_are_the_boxes_that_were_rendered(suite: Path, clips: dict[str, Clip]) -> None:
    by_name = {s.name: s for name in ("lasot", "otb100") for s in opened(suite, name).sequences}
    hound, stroller = by_name["hound-3"].annotation(), by_name["Strollers_2"].annotation()
    expected = shift_origin(clipped(clips["hound-3"].boxes, (480, 270)), 1)
    assert (hound.boxes == expected).all()
    assert (stroller.boxes == shift_origin(clips["Strollers"].tracks[1].boxes, 1)).all()


# --- the same bytes everywhere, seeds, and the cache


def _digest(name: str, row: Row, seed: int) -> tuple[str, str]:
    return f"{name}/{row.folder}", render_sequence(seed, row.spec).digest()


@pytest.mark.parametrize("name", sorted(SUITE))
def test_pixels_and_boxes_have_the_recorded_digests(name: str) -> None:
    """Every third clip of every benchmark in its tiny form; the slow test below does all in full."""
    recorded = json.loads(DIGESTS.read_text())["tiny"]
    jobs = [job for job in clip_seeds(size="tiny") if job[0] == name][::3]
    assert dict(_digest(*job) for job in jobs).items() <= recorded.items()


@pytest.mark.slow
def test_the_whole_suite_has_the_recorded_digests() -> None:
    work = joblib.Parallel(n_jobs=2)(joblib.delayed(_digest)(*job) for job in clip_seeds())
    assert dict(work) == json.loads(DIGESTS.read_text())["standard"]


def _files(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        yield path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.slow
def test_two_generations_are_byte_identical(suite: Path, tmp_path: Path) -> None:
    generate(tmp_path, size="tiny", workers=2)
    assert dict(_files(tmp_path)) == dict(_files(suite))


def test_another_seed_is_another_clip() -> None:
    first, again, other = (render_sequence(seed, SMALL) for seed in (1, 1, 2))
    assert first.digest() == again.digest() != other.digest()
    assert (first.frames == again.frames).all() and (first.frames != other.frames).mean() > 0.5


def test_training_clips_share_no_seed_with_any_suite() -> None:
    seeds = [seed for suite in (0, 1, 9_999) for _, _, seed in clip_seeds(suite)]
    assert len(set(seeds)) == len(seeds) and max(seeds) < TRAINING_SEEDS
    clip = training_clip(4, length=5, size=(96, 72))
    assert clip.frames.shape == (5, 72, 96, 3) and clip.boxes.shape == (5, 4)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_any_drafted_script_renders_sound_clips(number: int) -> None:
    spec = draft(TRAINING_SEEDS + number, length=4, size=(96, 72))
    clip = render_sequence(TRAINING_SEEDS + number, spec)
    track = clip.tracks[0]
    assert clip.frames.dtype == np.uint8 and len(clip.frames) == len(track.boxes) == 4
    assert (track.boxes[:, 2:] >= 1).all() and np.isfinite(track.boxes).all()
    assert track.visible[0] > 0.5
    assert spec == draft(TRAINING_SEEDS + number, length=4, size=(96, 72))


@pytest.mark.parametrize(("seed", "size", "says"), [(10_000, "tiny", "9999"), (-1, "tiny", "9999"), (0, "tny", "tiny")])
def test_seeds_and_sizes_that_do_not_exist(tmp_path: Path, seed: int, size: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        generate(tmp_path, seed=seed, size=size)


def test_generation_never_writes_over_something(suite: Path) -> None:
    with pytest.raises(UserError, match="exists already"):
        generate(suite, size="tiny")


def test_the_suite_is_built_once_and_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build(root: Path) -> None:
        built.append(root)
        assert not list(tmp_path.glob("mini-suite*"))
        (root / "lasot").mkdir()

    monkeypatch.setattr("inmo.datasets.mini.suite.generate", build)
    first, second = ensure_suite(tmp_path), ensure_suite(tmp_path)
    assert first == second and len(built) == 1
    assert [p.name for p in tmp_path.glob("[!.]*")] == [first.name]


def test_the_slower_of_two_builders_uses_the_suite_of_the_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(root: Path) -> None:
        (root / "lasot").mkdir()
        rival = tmp_path / root.name.strip(".").rpartition("-")[0]
        (rival / "lasot" / "whole").mkdir(parents=True)

    monkeypatch.setattr("inmo.datasets.mini.suite.generate", build)
    assert (ensure_suite(tmp_path) / "lasot" / "whole").is_dir()
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == [f"mini-suite-v{VERSION}-seed0"]


def test_what_a_killed_builder_left_is_removed_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / f".mini-suite-v{VERSION}-seed0-abcd"
    (left / "lasot").mkdir(parents=True)
    os.utime(left, (4e9, 4e9))  # made in the future
    monkeypatch.setattr("inmo.datasets.mini.suite.generate", lambda root: (root / "lasot").mkdir())
    assert (ensure_suite(tmp_path) / "lasot").is_dir()
    assert not left.exists()


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(root: Path) -> None:
        (root / "lasot").mkdir()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("inmo.datasets.mini.suite.generate", build)
    with pytest.raises(UserError, match="No space left"):
        ensure_suite(tmp_path)
    assert not [p for p in tmp_path.iterdir() if p.is_dir()]
