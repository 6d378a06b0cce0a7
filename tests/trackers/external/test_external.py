"""Python classes in processes of their own: what they are given, what they answer, and every way to go wrong."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from inmo.datasets.base import Hole
from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.setup import configure
from inmo.trackers.base import TrackerFailure, config_hash
from inmo.trackers.external import worker
from inmo.trackers.external.base import Target
from inmo.trackers.external.process import Running
from inmo.trackers.simple.objects import OBJECT, ObjectConfig
from tests.clips import write_clips
from tests.conftest import ROOT
from tests.datasets.tiny import write
from tests.trackers.external.programs import box, boxes, eventually, frame, gone, pids, started, stored

DRIFT = """
import os

class Drift:
    def __init__(self, speed=1.0):
        self.speed = speed

    def init(self, image, box):
        self.box = box

    def update(self, image):
        self.box = self.box + [self.speed, 0, 0, 0]
        return self.box

class Told(Drift):
    def update(self, image):  # what it was given
        import numpy as np
        pixels = np.asarray(image)
        return [pixels[3, 7, 0], pixels[3, 7, 2], pixels.sum() % 1000, pixels.shape[1]]

class Process(Drift):
    def update(self, image):
        return [os.getpid(), os.getpgid(0), 1, 1]
"""


@pytest.fixture
def drift(tmp_path: Path) -> Path:
    return write(tmp_path / "drift.py", DRIFT)


def test_a_class_follows_every_sequence(drift: Path, tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips")
    words = ["--dataset", f"folder={clips}", "--store", str(tmp_path / "s"), "--set", "arguments={speed: 2.5}"]
    assert main(["track", "--tracker", f"python:{drift}:Drift", *words]) == 0
    assert boxes(tmp_path / "s", "short").tolist() == [[4 + 2.5 * i, 6, 16, 14] for i in range(6)]
    assert boxes(tmp_path / "s", "long").tolist() == [[4 + 2.5 * i, 6, 16, 14] for i in range(12)]


@pytest.mark.parametrize(("image", "first"), [("rgb", 2), ("bgr", 0), ("pil", 2)])
def test_the_frame_arrives_whole_and_in_the_colours_asked_for(drift: Path, image: str, first: int) -> None:
    tracker = started(f"python:{drift}:Told", image=image)
    state = tracker.init([frame()], box())
    for seed, size in ((1, (40, 60)), (2, (300, 200)), (3, (9, 11))):  # sizes may change
        given = frame(seed, *size)
        step = tracker.step([given], state)
        wanted = [given[3, 7, first], given[3, 7, 2 - first], given.sum() % 1000, size[1]]
        assert step.boxes.tolist() == [wanted]
    view = np.asarray(frame(4, 80, 80)[::2, ::-1])
    assert tracker.step([view], state).boxes[0, 2] == view.sum() % 1000


ANSWER = """
class Still:
    def init(self, image, box):
        self.box = box

    def update(self, image):
        return ANSWER
"""


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("tuple(self.box)", np.nan),
        ("(self.box, 0.5)", 0.5),
        ("[list(self.box), [0.5]]", 0.5),
        ("{'bbox': self.box, 'best_score': 0.5}", 0.5),
        ("{'target_bbox': list(self.box), 'confidence': 0.5, 'time': 3}", 0.5),
        ("{'box': self.box[None], 'score': self.box.sum() / self.box.sum() / 2}", 0.5),
        ("(__import__('torch').tensor(self.box, requires_grad=True)[None], None)", np.nan),
    ],
)
def test_update_answers_as_people_write_it(tmp_path: Path, answer: str, score: float) -> None:
    script = write(tmp_path / "mine.py", ANSWER.replace("ANSWER", answer))
    spec: dict[str, type] = {}
    exec(script.read_text(), spec)
    for tracker in (started(f"python:{script}:Still"), OBJECT.build(ObjectConfig(spec["Still"]), "cpu")):
        step = tracker.step([frame()], tracker.init([frame()], box()))
        assert step.boxes.tolist() == box().tolist()
        np.testing.assert_array_equal(step.scores, [score])


def test_a_rotated_box_is_refused_or_enclosed(tmp_path: Path) -> None:
    script = write(tmp_path / "mine.py", ANSWER.replace("ANSWER", "[5, 0, 10, 5, 5, 10, 0, 5], 0.5"))
    refused = started(f"python:{script}:Still")
    with pytest.raises(TrackerFailure, match="--set polygon=enclose takes the enclosing rectangle of a rotated box"):
        refused.step([frame()], refused.init([frame()], box()))
    tracker = started(f"python:{script}:Still", polygon="enclose")
    step = tracker.step([frame()], tracker.init([frame()], box()))
    assert step.boxes.tolist() == [[0, 0, 10, 10]]
    assert step.scores.tolist() == [0.5]


def test_corners_at_work_are_told_at_once_and_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corners = write(
        tmp_path / "mine.py", ANSWER.replace("ANSWER", "[*self.box[:2], *(self.box[:2] + self.box[2:] + 5)]")
    )
    words = ["--dataset", f"folder={write_clips(tmp_path / 'clips')}", "--store", str(tmp_path / "s")]
    assert main(["track", "--tracker", f"python:{corners}:Still", *words]) == 0
    told = capsys.readouterr().err
    assert told.count("frame 1: the tracker's box [4.0, 6.0, 25.0, 25.0] looks like corners") == 1
    assert "note: 3 sequences: Still: its box looks like corners (x1, y1, x2, y2), not x, y, w, h" in told
    assert stored(tmp_path / "s", "short").provenance["note"].startswith("Still: its box looks like corners")


def test_targets_do_not_mix_and_an_idle_process_is_used_again(drift: Path) -> None:
    tracker = started(f"python:{drift}:Process")
    state = tracker.init([frame(), frame()], np.concatenate([box(), box()]))
    first, second = tracker.step([frame(), frame()], state).boxes[:, 0]
    assert first != second
    del state
    again = tracker.step([frame()], tracker.init([frame()], box())).boxes[0, 0]
    assert again in (first, second)
    both = started(f"python:{drift}:Drift")
    one, two = both.init([frame()], box(0, 0, 5, 5)), both.init([frame()], box(9, 9, 5, 5))
    assert both.step([frame()], one).boxes.tolist() == [[1, 0, 5, 5]]
    assert both.step([frame()], two).boxes.tolist() == [[10, 9, 5, 5]]


def test_another_virtual_environment(tmp_path: Path) -> None:
    home = tmp_path / "old"
    venv.create(home, symlinks=True, with_pip=False)
    (packages,) = home.glob("lib/python*/site-packages")
    for folder in Path(np.__file__).parent.parent.glob("numpy*"):
        (packages / folder.name).symlink_to(folder)
    write(packages / "only_here.py", "SPEED = 7\n")
    text = """
        import importlib.util
        import only_here
        import sys

        class Foreign:
            def init(self, image, box):
                self.box = box
            def update(self, image):
                assert importlib.util.find_spec("torch") is None and importlib.util.find_spec("harness") is None
                assert sys.prefix.endswith("old"), sys.prefix
                return self.box + only_here.SPEED
        """
    script = write(tmp_path / "foreign.py", re.sub("^ {8}", "", text, flags=re.M))
    clips = write_clips(tmp_path / "clips")
    words = ["--dataset", f"folder={clips}", "--store", str(tmp_path / "s"), "--python", str(home), "--sequences"]
    both = ["track", "--tracker", f"python:{script}:Foreign", "--tracker", "constant", *words, "short"]
    assert main(both) == 0
    assert main(["export", "--store", str(tmp_path / "s"), "--format", "pysot", "--out", str(tmp_path / "raw")]) == 0
    assert (tmp_path / "raw/folder/Foreign/short.txt").read_text().splitlines()[5] == "11.0,13.0,23.0,21.0"
    with pytest.raises(UserError, match="No module named 'only_here'"):
        started(f"python:{script}:Foreign")


def test_modules_and_their_neighbours_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pack").mkdir()
    write(tmp_path / "pack" / "speed.py", "SPEED = 3\n")
    body = "class T:\n  def init(self, i, b): self.b = b\n  def update(self, i): return self.b * SPEED\n"
    write(tmp_path / "pack" / "near.py", "from speed import SPEED\n" + body)
    write(tmp_path / "pack" / "trax.py", "SPEED = 4\n")  # a name that this project's folder has too
    write(tmp_path / "pack" / "far.py", "from pack.trax import SPEED\nimport trax\nassert trax.SPEED == 4\n" + body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "pack"))
    for target, speed in ((f"{tmp_path}/pack/near.py:T", 3), ("pack.far:T", 4)):
        monkeypatch.chdir(tmp_path)
        tracker = started(f"python:{target}")
        state = tracker.init([frame()], box(1, 2, 3, 4))
        assert tracker.step([frame()], state).boxes.tolist() == [[speed, 2 * speed, 3 * speed, 4 * speed]]


BROKEN = {
    "time.sleep(600)": r"did not answer within 0.5 s at frame 1 of its target \(raise step_timeout if it is only slow",
    "os._exit(7)": "ended at frame 1 of its target, with exit status 7",
    "os.kill(os.getpid(), 9)": "ended at frame 1 of its target, by signal SIGKILL",
    "raise RuntimeError('no weights')": "raised RuntimeError: no weights at frame 1 of its target",
    "return [1, 2, float('nan'), 4]": r"answered \[ ?1., +2., nan, +4.\] at frame 1 of its target, which is no box",
    "return [1, 2, 3]": r"answered \[1., 2., 3.\] at frame 1",
    "return np.zeros((2, 4))": "answered .* at frame 1 of its target, which is no box",
    "return None": "at frame 1 of its target, which is no box",
    "return 'left'": "answered 'left' at frame 1",
    "os.close(3); os.close(4); time.sleep(600)": "ended at frame 1|did not answer within 0.5 s",
    "print(input())": "raised EOFError",
}


@pytest.mark.parametrize("body", BROKEN)
def test_what_goes_wrong_in_a_step(body: str, tmp_path: Path) -> None:
    text = (
        "import numpy as np, os, sys, time\nclass Bad:\n    def init(self, i, b):\n        print('began', flush=True)\n"
    )
    script = write(tmp_path / "bad.py", f"{text}    def update(self, i):\n        {body}\n")
    tracker = started(f"python:{script}:Bad", step_timeout=0.5 if "sleep" in body else 60)
    state = tracker.init([frame()], box())
    pid = process_of(state)
    with pytest.raises(TrackerFailure, match=BROKEN[body]) as failure:
        tracker.step([frame()], state)
    message = str(failure.value)
    assert message.startswith(f"python:{script}:Bad ")
    assert "it last wrote: " in message
    assert re.search("last wrote: began$" if "raise" not in BROKEN[body][:5] else "Traceback|line 6", message)
    assert gone(pid)
    with pytest.raises(TrackerFailure, match="cannot go on at frame 2"):
        tracker.step([frame()], state)
    assert tracker.init([frame()], box())  # a fresh process


def process_of(state: list[Target]) -> int:
    process = state[0].child._process
    assert isinstance(process, Running)
    return process._process.pid


STARTS = {
    "time.sleep(600)": r"did not answer within 1 s while it started \(raise start_timeout",
    "raise ImportError('old torch is missing')": "raised ImportError: old torch is missing while it started",
    "sys.exit(4)": "ended while it started, with exit status 4",
    "def init(self, i, b): pass": r"has no update\(\)",
}


@pytest.mark.parametrize("body", STARTS)
def test_what_does_not_start_is_said_before_any_work(
    body: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = write(tmp_path / "bad.py", f"import sys, time\nprint('importing')\nclass Bad:\n    {body}\n")
    clips = write_clips(tmp_path / "clips")
    words = ["--dataset", f"folder={clips}", "--store", str(tmp_path / "s"), "--set", "start_timeout=1"]
    limit = words if "sleep" in body else words[:-2]
    assert main(["track", "--tracker", f"python:{script}:Bad", *limit]) == 2
    message = capsys.readouterr().err
    assert re.search(STARTS[body], message)
    assert re.search("last wrote: (importing|.*line [45])", message)
    assert "Traceback (most recent call last):\n" not in message
    assert not (tmp_path / "s").exists()


def test_a_failure_is_a_hole_and_the_others_finish(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
class Moody:
    def init(self, image, box):
        self.seen = 0
    def update(self, image):
        self.seen += 1
        if self.seen == 7:
            raise MemoryError("frame seven")
        return [1, 2, 3, 4]
"""
    script, clips = write(tmp_path / "moody.py", text), write_clips(tmp_path / "clips")
    words = ["track", "--tracker", f"python:{script}:Moody", "--dataset", f"folder={clips}"]
    assert main([*words, "--store", str(tmp_path / "s"), "--jobs", "2"]) == 3
    reason = f"python:{script}:Moody raised MemoryError: frame seven at frame 7 of its target; it last wrote: "
    assert reason in capsys.readouterr().err
    for name in ("middle", "long"):
        hole = stored(tmp_path / "s", name)
        assert isinstance(hole, Hole)
        assert hole.reason.startswith(reason)
    assert len(boxes(tmp_path / "s", "short")) == 6


@pytest.mark.parametrize(
    "noise", ["print('x' * 100000)", "os.write(1, b'no newline' * 20000)", "sys.stdout.buffer.write(b'@')"]
)
def test_prints_are_no_answers(noise: str, tmp_path: Path) -> None:
    text = "import os, sys\nclass Loud:\n    def init(self, i, b):\n        self.b = b\n    def update(self, i):\n"
    script = write(tmp_path / "loud.py", f"{text}        {noise}\n        return self.b + 1\n")
    tracker = started(f"python:{script}:Loud")
    state = tracker.init([frame()], box(1, 2, 3, 4))
    for _ in range(3):
        assert tracker.step([frame()], state).boxes.tolist() == [[2, 3, 4, 5]]


PARENT = """
import os, subprocess, sys, time
class Parent:
    def init(self, i, b):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open("{pids}", "a") as file:
            file.write("%d %d\\n" % (os.getpid(), child.pid))
    def update(self, i):
        {body}
"""


def test_nothing_survives_a_failure_or_the_tracker(tmp_path: Path) -> None:
    for number, body in enumerate(("raise ValueError", "time.sleep(600)", "return [1, 2, 3, 4]")):
        known = tmp_path / f"{number}.pids"
        script = write(tmp_path / f"p{number}.py", PARENT.format(pids=known, body=body))
        tracker = started(f"python:{script}:Parent", step_timeout=0.5 if "sleep" in body else 60)
        state = tracker.init([frame()], box())
        if number < 2:
            with pytest.raises(TrackerFailure):
                tracker.step([frame()], state)
        else:
            tracker.step([frame()], state)
            assert not any(gone(pid) for pid in pids(known))
        del tracker, state
        assert len(pids(known)) == 2
        assert eventually(lambda known=known: all(gone(pid) for pid in pids(known)))  # type: ignore[misc]


INTERRUPTIBLE = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
from inmo.harness.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_nothing_survives_the_command(sent: signal.Signals, tmp_path: Path) -> None:
    known, clips = tmp_path / "pids", write_clips(tmp_path / "clips")
    script = write(tmp_path / "p.py", PARENT.format(pids=known, body="time.sleep(600)"))
    words = ["track", "--tracker", f"python:{script}:Parent", "--dataset", f"folder={clips}"]
    command = [sys.executable, "-c", INTERRUPTIBLE, *words, "--store", str(tmp_path / "s")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT)
    assert eventually(lambda: len(pids(known)) == 2)
    assert not any(gone(pid) for pid in pids(known))
    os.kill(process.pid, sent)
    process.wait()
    assert eventually(lambda: all(gone(pid) for pid in pids(known)))


def key(target: str, **settings: str) -> str:
    setup = configure(target, settings)
    return config_hash(setup.spec.name, setup.on("lasot"))


def test_content_and_not_place_enters_the_key(drift: Path, tmp_path: Path) -> None:
    known = key(f"python:{drift}:Drift")
    (tmp_path / "other").mkdir()
    moved = write(tmp_path / "other" / "renamed.py", DRIFT)
    assert key(f"python:{moved}:Drift") == known
    assert key(f"python:{moved}:Told") != known
    write(moved, DRIFT + "\n# changed")
    net = write(tmp_path / "net.pth", "1")
    again = write(tmp_path / "copy.pth", "1")
    keys = [
        known,
        key(f"python:{moved}:Drift"),
        key(f"python:{drift}:Drift", python="/opt/old/bin/python"),
        key(f"python:{drift}:Drift", image="bgr"),
        key(f"python:{drift}:Drift", version="2"),
        key(f"python:{drift}:Drift", arguments="{speed: 2}"),
        key(f"python:{drift}:Drift", arguments=f"{{net: {net}}}"),
        key("python:some.module:Drift"),
    ]
    assert len(set(keys)) == len(keys)
    assert key(f"python:{drift}:Drift", arguments=f"{{net: {again}}}") == keys[6]
    assert key(f"python:{drift}:Drift", step_timeout="1", start_timeout="2") == known
    write(net, "2")
    assert key(f"python:{drift}:Drift", arguments=f"{{net: {net}}}") != keys[6]


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        ("python", {}, "a Python class is named by --tracker python:FILE.py:CLASS"),
        ("python:drift.py", {}, "a Python class is named by"),
        ("python:nowhere.py:Drift", {}, r"cannot read nowhere.py|nowhere.py does not exist"),
        ("python:{drift}:Drit", {}, "no class Drit in .*only .*'Drift'"),
        ("python:{drift}:Drift", {"python": "/nowhere/python"}, "/nowhere/python is no Python interpreter"),
        ("python:{drift}:Drift", {"arguments": "[1]"}, "is no mapping"),
        ("python:{drift}:Drift", {"arguments": "{pace: 1}"}, "raised TypeError: .*pace"),
        ("python:{drift}:Drift", {"step_timeout": "0"}, "seconds, more than 0"),
        ("csrt:fast", {}, "csrt takes nothing after its name, so leave out ':fast'"),
    ],
)
def test_mistakes_are_said(target: str, settings: dict[str, str], message: str, drift: Path) -> None:
    with pytest.raises(UserError, match=message):
        started(target.format(drift=drift), **settings)


def test_python_is_refused_where_nothing_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = write_clips(tmp_path / "clips")
    words = ["--dataset", f"folder={clips}", "--store", str(tmp_path / "s"), "--python", "old"]
    assert main(["track", "--tracker", "constant", *words]) == 2
    assert "--python is for external trackers" in capsys.readouterr().err


def test_the_worker_is_of_its_time_and_stands_alone() -> None:
    source = Path(worker.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    outside = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert outside == {"numpy", "PIL", "torch"}
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert not {alias.name for node in top for alias in node.names} & outside  # each only by who wants it
