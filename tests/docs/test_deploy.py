"""The script of docs/deploy.md, run as it stands there on graphs that ``convert`` wrote."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from inmo.harness.bench.clips import scene
from inmo.harness.cli import main
from inmo.trackers.pipeline.family import family
from tests.conftest import ROOT

FIRST = (150.0, 100.0, 60.0, 44.0)
FRAMES = 12


def write_frames(folder: Path) -> list[np.ndarray]:
    """A patch with a texture of its own that moves and grows over another."""
    folder.mkdir()
    ground, target = scene(3, 240, 320), scene(4, 90, 120)
    frames = []
    for index in range(FRAMES):
        frame = ground.copy()
        wide, high = 60 + 2 * index, 44 + index
        left, top = 150 + 5 * index, 100 + 3 * index
        frame[top : top + high, left : left + wide] = cv2.resize(target, (wide, high))
        cv2.imwrite(str(folder / f"{index:04d}.png"), frame)
        frames.append(frame)
    return frames


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="ONNX Runtime is missing: pip install -e '.[onnxruntime]'"
)
@pytest.mark.parametrize(("name", "preset"), [("siamcar", "lite"), ("transt", "nano")])
def test_the_script_gives_our_boxes(name: str, preset: str, tmp_path: Path) -> None:
    frames = write_frames(tmp_path / "frames")
    words = ["--tracker", name, "--preset", preset, "--to", "onnx", "--out", str(tmp_path / "graphs")]
    assert main(["convert", *words]) == 0
    (script,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "deploy.md").read_text("utf-8"), re.M | re.S)
    (tmp_path / "track.py").write_text(script, encoding="utf-8")
    assert "inmo" not in script and "torch" not in script
    command = ["track.py", "graphs", "frames/%04d.png", *map(str, FIRST)]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed = np.loadtxt(done.stdout.splitlines(), delimiter=",")

    row = family(name)
    tracker = row.build(row.for_dataset(type(row.config)(preset=preset, online=0.0), "folder"), "cpu")
    state, boxes = tracker.init([frames[0]], np.array([FIRST])), []
    for frame in frames[1:]:
        step = tracker.step([frame], state)
        state = step.state
        boxes.append(step.boxes[0])
    np.testing.assert_allclose(printed, boxes, atol=1e-2, rtol=0)
    assert np.abs(boxes[-1] - np.array(FIRST)).max() > 5  # it followed something
