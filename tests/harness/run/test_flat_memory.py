"""Memory stays flat however long a sequence and however many of them: each in a process of its own, by its peak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from inmo.harness.bench.parts import STATUS
from inmo.paths import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell a process's peak memory"),
]
FRAMES = 10_000

RUN = """
import sys
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from inmo.datasets.base import Annotation, Sequence
from inmo.datasets.images import ImageFrames
from inmo.harness.bench.parts import peak_bytes
from inmo.harness.run.engine import track_sequence
from inmo.harness.run.lanes import Done, follow_all
from inmo.trackers.base import Step

@dataclass
class State:
    boxes: np.ndarray
    def take(self, lanes):
        return State(self.boxes[list(lanes)])
    @staticmethod
    def join(states):
        return State(np.concatenate([state.boxes for state in states]))

class Still:
    seen, early = 0, 0
    def init(self, frames, boxes):
        return State(np.asarray(boxes))
    def step(self, frames, state):
        self.seen += len(frames)
        if self.seen == 1_000 * len(frames):
            Still.early = peak_bytes()
        return Step(state.boxes, np.zeros(len(frames)), state)

image, frames, lanes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
truth = Annotation(np.tile([[20.0, 20.0, 30.0, 30.0]], (frames, 1)))
@dataclass
class Wanted:
    sequence: Sequence
    frames: int
    def open(self):
        return truth, ImageFrames((image,) * frames)
wanted = [Wanted(Sequence("films", str(lane), lambda: truth), frames) for lane in range(lanes)]
if lanes == 1:
    track_sequence(Still(), wanted[0].sequence, *wanted[0].open(), ahead=True)
else:
    assert all(isinstance(end, Done) for end in follow_all(Still(), wanted, lanes))
print(Still.early, peak_bytes())
"""

OPEN = """
import sys
from inmo.harness.bench.parts import peak_bytes
from inmo.harness.run.setup import open_datasets
before = peak_bytes()
(dataset,) = open_datasets([f"folder={sys.argv[1]}"])
print(before, peak_bytes(), len(dataset.sequences))
"""


def child(code: str, *words: str) -> list[int]:
    done = subprocess.run(
        [sys.executable, "-c", code, *words], check=False, capture_output=True, text=True, cwd=ROOT, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_run_over_ten_thousand_frames_needs_no_more_than_one_over_a_thousand(tmp_path: Path, lanes: int) -> None:
    image = tmp_path / "frame.jpg"
    cv2.imwrite(str(image), np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8))
    early, late = child(RUN, str(image), str(FRAMES), str(lanes))
    # A frame is 0.23 MB: one kept in a hundred would already be 20 MB more.
    assert late - early < 12 << 20


def test_opening_ten_thousand_sequences_takes_under_200_mb(tmp_path: Path) -> None:
    for number in range(10_000):
        images = tmp_path / f"sequence-{number:05d}" / "img"
        images.mkdir(parents=True)
        (images / "0001.jpg").touch()
        (images.parent / "groundtruth_rect.txt").write_text("1,2,3,4\n")
    before, after, count = child(OPEN, str(tmp_path))
    assert count == 10_000
    assert after - before < 200 << 20
