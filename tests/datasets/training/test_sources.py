"""Training sets in their own layouts, as small generated copies."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from inmo.datasets.training import SOURCES, open_source
from inmo.errors import UserError
from tests.harness.training.segments import write_segmented
from tests.harness.training.tiny import write_photos

FRAMES = 6


def write_frames(folder: Path, pattern: str, first: int) -> None:
    """Frames whose grey level is 20 times their number, counted from 0."""
    folder.mkdir(parents=True)
    for i in range(FRAMES):
        cv2.imwrite(str(folder / pattern.format(first + i)), np.full((60, 80, 3), 20 * i, np.uint8))


def rows(shift: int = 0) -> str:
    return "\n".join(f"{10 + i + shift},{5 + shift},20,16" for i in range(FRAMES)) + "\n"


def write_lasot(root: Path) -> None:
    for name in ("cat-2", "airplane-1"):  # airplane-1 is of the test split
        folder = root / name.split("-")[0] / name
        write_frames(folder / "img", "{:08d}.jpg", 1)
        (folder / "groundtruth.txt").write_text(rows(1))
        (folder / "full_occlusion.txt").write_text("0,1,0,0,0,0")
        (folder / "out_of_view.txt").write_text("0,0,0,0,0,1")


def write_trackingnet(root: Path) -> None:
    for chunk in (0, 3):
        write_frames(root / f"TRAIN_{chunk}" / "frames" / f"v{chunk}_0", "{}.jpg", 0)
        (root / f"TRAIN_{chunk}" / "anno").mkdir()
        (root / f"TRAIN_{chunk}" / "anno" / f"v{chunk}_0.txt").write_text(rows())


def write_got10k(root: Path) -> None:
    for number in (1, 2, 3):
        folder = root / "train" / f"GOT-10k_Train_{number:06d}"
        write_frames(folder, "{:08d}.jpg", 1)
        (folder / "groundtruth.txt").write_text(rows())
        (folder / "absence.label").write_text("0\n1\n0\n0\n0\n0\n")


def write_coco(root: Path) -> None:
    (root / "train2017").mkdir(parents=True)
    (root / "annotations").mkdir()
    cv2.imwrite(str(root / "train2017" / "000000000009.jpg"), np.full((60, 80, 3), 90, np.uint8))
    objects = [
        {"image_id": 9, "bbox": [3.5, 4, 30, 20], "iscrowd": 0},
        {"image_id": 9, "bbox": [0, 0, 5, 5], "iscrowd": 0},
        {"image_id": 9, "bbox": [0, 0, 60, 50], "iscrowd": 1},
    ]
    content = {"images": [{"id": 9, "file_name": "000000000009.jpg"}], "annotations": objects}
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(content))


def write_folder(root: Path) -> None:
    write_frames(root / "clip" / "img", "{:04d}.jpg", 1)
    (root / "clip" / "groundtruth_rect.txt").write_text(rows())


WRITERS: dict[str, Callable[[Path], object]] = {
    "lasot": write_lasot,
    "trackingnet": write_trackingnet,
    "got10k": write_got10k,
    "coco": write_coco,
    "folder": write_folder,
    "photos": write_photos,
    "segmented": write_segmented,
}
SETTINGS = {"trackingnet": {"chunks": [0, 3]}}


def drawn(name: str, root: Path, count: int = 40, **settings: object) -> list[tuple[int, int, float, float]]:
    """Frame numbers (by grey level) and left sides of template and search, of some pairs."""
    source = open_source(name, str(root), SETTINGS.get(name, {}) | settings)
    pairs = [source.draw(np.random.default_rng(i), i) for i in range(count)]
    level = lambda view: round(float(view.frame.mean()) / 20)  # noqa: E731
    return [(level(p.template), level(p.search), p.template.box[0], p.search.box[0]) for p in pairs]


@pytest.mark.parametrize("name", ["lasot", "trackingnet", "got10k", "folder"])
def test_boxes_belong_to_their_frames(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    pairs = drawn(name, tmp_path / "set")
    for first, second, left, right in pairs:
        assert (left, right) == (10 + first, 10 + second)  # LaSOT counts from 1 and was shifted
    hidden = {"lasot": {1, 5}, "got10k": {1}}.get(name, set())
    assert {p[0] for p in pairs} | {p[1] for p in pairs} == set(range(FRAMES)) - hidden


def test_the_gap_bounds_the_distance(tmp_path: Path) -> None:
    write_folder(tmp_path / "set")
    pairs = drawn("folder", tmp_path / "set", gap=1)
    assert {abs(a - b) for a, b, *_ in pairs} == {0, 1}
    assert {a - b for a, b, *_ in drawn("folder", tmp_path / "set", gap=0)} == {0}


def test_lasot_leaves_the_test_split_alone(tmp_path: Path) -> None:
    write_lasot(tmp_path / "set")
    assert [v.name for v in open_source("lasot", str(tmp_path / "set")).videos] == ["cat-2"]  # type: ignore[attr-defined]


def test_got10k_takes_a_list(tmp_path: Path) -> None:
    write_got10k(tmp_path / "set")
    (tmp_path / "list.txt").write_text("0\n2\n")
    videos = open_source("got10k", str(tmp_path / "set"), {"split": str(tmp_path / "list.txt")}).videos  # type: ignore[attr-defined]
    assert [v.name for v in videos] == ["GOT-10k_Train_000001", "GOT-10k_Train_000003"]
    (tmp_path / "list.txt").write_text("0\n7\n")
    with pytest.raises(UserError, match="lists 7"):
        open_source("got10k", str(tmp_path / "set"), {"split": str(tmp_path / "list.txt")})


def test_coco_leaves_out_crowds_and_specks(tmp_path: Path) -> None:
    write_coco(tmp_path / "set")
    source = open_source("coco", str(tmp_path / "set"))
    assert source.boxes.tolist() == [[3.5, 4, 30, 20]]  # type: ignore[attr-defined]
    pair = source.draw(np.random.default_rng(0), 0)
    assert pair.template.frame.shape == (60, 80, 3)


def test_photos_keep_their_boxes_and_hold_every_tenth_back(tmp_path: Path) -> None:
    root = write_photos(tmp_path / "set", 12)
    parts = {p: open_source("photos", str(root), {"part": p}) for p in ("all", "train", "validation")}
    assert {name: len(source) for name, source in parts.items()} == {"all": 12, "train": 10, "validation": 2}
    stills = open_source("photos", str(root), {"composites": 0.0})
    pair = stills.draw(np.random.default_rng(0), 0)
    assert pair.template.frame is pair.search.frame
    moving = open_source("photos", str(root), {"composites": 1.0})
    pair = moving.draw(np.random.default_rng(1), 0)
    assert not np.array_equal(pair.template.frame, pair.search.frame)
    assert (pair.search.box[2:] > 4).all()


@pytest.mark.parametrize("name", [n for n in SOURCES if n != "mini"])
def test_a_wrong_root_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        open_source(name, str(tmp_path / "none"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=str(tmp_path)):
        open_source(name, str(tmp_path / "empty"))


@pytest.mark.parametrize("name", list(SOURCES))
def test_fingerprints_tell_settings_apart(name: str, tmp_path: Path) -> None:
    if name in WRITERS:
        WRITERS[name](tmp_path / "set")
    root = str(tmp_path / "set") if name in WRITERS else ""
    plain = open_source(name, root, SETTINGS.get(name, {}))
    other = {"coco": {"smallest": 4.0}, "photos": {"composites": 0.3}, "segmented": {"steady": 0.9}}.get(
        name, {"gap": 2}
    )
    assert plain.fingerprint() == open_source(name, root, SETTINGS.get(name, {})).fingerprint()
    assert plain.fingerprint() != open_source(name, root, SETTINGS.get(name, {}) | other).fingerprint()


BREAKS: list[tuple[str, Callable[[Path], object], str]] = [
    ("lasot", lambda r: (r / "cat/cat-2/out_of_view.txt").write_text("0,0,1"), "3 flags for 6 boxes"),
    ("lasot", lambda r: (r / "cat/cat-2/groundtruth.txt").write_text("1,2,3\n"), "line 1"),
    ("lasot", lambda r: (r / "cat/cat-2/img/00000006.jpg").unlink(), "5 frames but 6"),
    ("trackingnet", lambda r: (r / "TRAIN_3/anno/v3_0.txt").unlink(), "TRAIN_3"),
    ("trackingnet", lambda r: (r / "TRAIN_3/frames/v3_0").rename(r / "x"), "unpack"),
    ("coco", lambda r: (r / "annotations/instances_train2017.json").write_text("{"), "no COCO"),
    ("coco", lambda r: (r / "annotations/instances_train2017.json").write_text("[]"), "no COCO"),
    ("coco", lambda r: (r / "train2017").rename(r / "x"), "unpack"),
    ("photos", lambda r: (r / "boxes.csv").write_text("image,x,y\nphoto_0.png,1,2\n"), "is no box"),
    ("photos", lambda r: (r / "boxes.csv").write_text("image,x,y,w,h\nphoto_9.png,1,2,3,4\n"), "not in the folder"),
    ("photos", lambda r: (r / "boxes.csv").write_text("image,x,y,w,h\nphoto_0.png,1,2,0,4\n"), "without size"),
    ("got10k", lambda r: [p.unlink() for p in r.glob("train/*/absence.label")], "cannot read"),
]


@pytest.mark.parametrize(("name", "break_it", "words"), BREAKS, ids=[f"{b[0]}-{b[2]}" for b in BREAKS])
def test_broken_layouts_are_refused(name: str, break_it: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / "set")
    break_it(tmp_path / "set")
    with pytest.raises(UserError, match=words):
        drawn(name, tmp_path / "set")


def test_training_clips_share_nothing_with_the_suite() -> None:
    from inmo.datasets.mini.suite import TRAINING_SEEDS, clip_seeds

    assert max(seed for *_, seed in clip_seeds(9999)) < TRAINING_SEEDS
