"""``serve`` with the reference library's client, started as the VOT toolkit starts a tracker."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inmo.harness.cli import main
from tests.conftest import ROOT
from tests.trackers.external.programs import boxes, stored

trax = pytest.importorskip("trax", reason="vot-trax has a wheel for Linux on x86-64 only")
client = pytest.importorskip("trax.client")

SERVE = f"{sys.executable} {ROOT / 'run_all.py'} serve"


@contextmanager
def started(
    command: str, folder: Path, *, port: bool = False
) -> Iterator[tuple[Any, subprocess.Popen[bytes], list[str]]]:
    """A client, the tracker's process and its log. Standard error comes along with the messages, as in the toolkit."""
    folder.mkdir(exist_ok=True)
    log: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0)) if port else None
    environment = {**os.environ, "TRAX": "1"}
    if listener:
        environment["TRAX_SOCKET"] = str(listener.getsockname()[1])
    process = subprocess.Popen(
        shlex.split(command), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        bufsize=0, env=environment, close_fds=False,
    )  # fmt: skip
    assert process.stdin and process.stdout
    try:
        stream = listener.fileno() if listener else (process.stdin.fileno(), process.stdout.fileno())
        it = client.Client(stream=stream, log=log.append)
        try:
            yield it, process, log
        finally:
            it.quit()  # its own end would write to a log that is gone by then
    finally:
        process.kill()
        process.wait()


def files(clip: Path) -> list[Any]:
    return [{"color": trax.FileImage.create(str(path))} for path in sorted((clip / "img").iterdir())]


def followed(it: Any, clip: Path, first: Any) -> tuple[list[list[float]], list[dict[str, str]]]:
    images = files(clip)
    states = [it.initialize(images[0], [(first, {})], {})[0]]
    states += [it.frame(image, {}, [])[0] for image in images[1:]]
    return [list(state[0][0].bounds()) for state in states], [state[0][1] for state in states]


@pytest.mark.parametrize("port", [False, True])
def test_the_reference_client_gets_what_track_stores(port: bool, clips: Path, tmp_path: Path) -> None:
    store = tmp_path / "s"
    assert main(["track", "--tracker", "kcf", "--dataset", f"folder={clips}", "--store", str(store)]) == 0
    with started(f"{SERVE} --tracker kcf", tmp_path / "empty", port=port) as (it, process, _):
        assert (it.tracker_name, it.tracker_family) == ("KCF", "kcf")
        assert it.channels == ["color"]
        assert it.region_formats == ["rectangle"]
        assert it.image_formats == ["path", "memory", "buffer"]
        for name in ("short", "long"):  # one process for several sequences
            got, properties = followed(it, clips / name, trax.Rectangle.create(4, 6, 16, 14))
            assert got == boxes(store, name).astype(np.float32).tolist()  # the library's numbers are single precision
            assert [float(p["confidence"]) for p in properties[1:]] == stored(store, name).scores[1:].tolist()
        it.quit()
        assert process.wait(60) == 0


def test_a_network_serves(clips: Path, tmp_path: Path) -> None:
    words = ["--tracker", "transinmo", "--preset", "nano", "--allow-random-weights"]
    store, data = tmp_path / "s", ["--dataset", f"folder={clips}"]
    constants = ["--set", "penalty_k=0.2", "--set", "lr=0.5", "--set", "window_influence=0.3"]
    assert main(["track", *words, *constants, *data, "--store", str(store), "--sequences", "short"]) == 0
    with started(f"{SERVE} {shlex.join([*words, *constants])}", tmp_path / "empty") as (it, _, _log):
        got, _properties = followed(it, clips / "short", trax.Rectangle.create(4, 6, 16, 14))
    assert np.allclose(got, boxes(store, "short"), rtol=0, atol=1e-4)


def test_regions_and_images_of_every_kind(clips: Path, tmp_path: Path) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[6:20, 4:20] = 1
    tip = trax.Polygon.create([(12.0, 6.0), (20.0, 13.0), (12.0, 20.0), (4.0, 13.0)])
    firsts = [trax.Rectangle.create(4, 6, 16, 14), tip, trax.Mask.create(mask)]
    path = clips / "short" / "img" / "0001.png"
    picture = cv2.imread(str(path))
    assert picture is not None
    kinds = [
        trax.FileImage.create(str(path)),
        trax.MemoryImage.create(np.ascontiguousarray(picture[:, :, ::-1])),
        trax.BufferImage.create(path.read_bytes()),
    ]
    with started(f"{SERVE} --tracker kcf", tmp_path / "empty") as (it, _, _log):
        for first in firsts:
            for image in kinds:
                state, _ = it.initialize({"color": image}, [(first, {})], {})
                assert state[0][0].bounds() == (4, 6, 16, 14)
                again, _ = it.frame({"color": image}, {}, [])  # on the same frame, the target is where it was
                assert np.allclose(again[0][0].bounds(), (4, 6, 16, 14), atol=1)


def test_prints_do_not_come_between(clips: Path, tmp_path: Path) -> None:
    """A tracker that prints without an end of line, served: the toolkit reads that along with the messages."""
    script = tmp_path / "loud.py"
    script.write_text(
        "import sys\nfrom inmo.trackers.simple import dummy\nfrom inmo.harness.cli import main\n"
        "step = dummy.ConstantBox.step\n"
        "def loud(self, frames, state):\n"
        "    print('step', end='', flush=True)\n"
        "    print('on error', end='', file=sys.stderr, flush=True)\n"
        "    return step(self, frames, state)\n"
        "dummy.ConstantBox.step = loud\nraise SystemExit(main(sys.argv[1:]))\n"
    )
    words = f"{sys.executable} {script} serve --tracker constant"
    with started(f"env PYTHONPATH={ROOT} {words}", tmp_path / "empty") as (it, _, log):
        got, _ = followed(it, clips / "short", trax.Rectangle.create(4, 6, 16, 14))
    assert got == [[4, 6, 16, 14]] * 6
    assert "step" in "".join(log)


@pytest.mark.parametrize(
    ("image", "width", "reason"),
    [
        ("/nowhere.png", 16, "cannot read image /nowhere.png"),
        ("", 0, "first region 4.0000,6.0000,0.0000,14.0000, which has no size"),
    ],
)
def test_the_client_is_told_what_is_wrong(image: str, width: int, reason: str, clips: Path, tmp_path: Path) -> None:
    picture = {"color": trax.FileImage.create(image or str(clips / "short" / "img" / "0001.png"))}
    with started(f"{SERVE} --tracker kcf", tmp_path / "empty") as (it, process, _):
        with pytest.raises(trax.TraxException, match=reason):
            it.initialize(picture, [(trax.Rectangle.create(4, 6, width, 14), {})], {})
        assert process.wait(60) == 2


def spoken(*lines: str) -> tuple[int, str]:
    """Exit status and answers of a served constant box to raw lines."""
    text = "".join(f"{line}\n" for line in lines)
    command = [*shlex.split(SERVE), "--tracker", "constant"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["@@TRAX:frame FILE"], "sent a frame before any region"),
        (["@@TRAX:initialize 1,2,3,4", "@@TRAX:initialize 1,2,3,4"], "wants several targets at once"),
        (["@@TRAX:initialize 1,2,x,4", "@@TRAX:frame FILE"], "first region that cannot be read"),
        (["@@TRAX:dance"], "sent what cannot be read: no message is called 'dance'"),
        (["@@TRAX:state 1,2,3,4"], "sent 'state' with 1 arguments"),
    ],
)
def test_a_client_that_breaks_the_rules(lines: list[str], reason: str, clips: Path) -> None:
    path = str(clips / "short" / "img" / "0001.png")
    status, said = spoken(*(line.replace("FILE", path) for line in lines))
    assert status == 2
    assert "@@TRAX:quit" in said
    assert reason in said


def test_clients_of_older_versions_and_talk_between(clips: Path) -> None:
    path = clips / "short" / "img" / "0001.png"
    begin = f'@@TRAX:initialize "file://{path}" "4,6,16,14"'
    status, said = spoken(begin, "talk", f"@@TRAX:frame {path}", begin, "@@TRAX:quit")
    assert status == 0
    assert said.count('@@TRAX:state "4.0,6.0,16.0,14.0"') == 3
    assert spoken()[0] == 0  # a client that only looked


def test_a_failing_tracker_says_so_and_leaves_with_3(clips: Path, tmp_path: Path) -> None:
    script = tmp_path / "bad.py"
    script.write_text("class Bad:\n  def init(self, i, b): pass\n  def update(self, i): raise ValueError('no luck')\n")
    with started(f"{SERVE} --tracker python:{script}:Bad", tmp_path / "empty") as (it, process, _):
        images = files(clips / "short")
        it.initialize(images[0], [(trax.Rectangle.create(4, 6, 16, 14), {})], {})
        with pytest.raises(trax.TraxException, match=r"Bad failed: .* raised ValueError: no luck at frame 1"):
            it.frame(images[1], {}, [])
        assert process.wait(60) == 3


@pytest.mark.parametrize(("tracker", "message"), [("oracle", "name another tracker"), ("csrtt", "did you mean csrt")])
def test_what_cannot_be_served(tracker: str, message: str) -> None:
    command = [*shlex.split(SERVE), "--tracker", tracker]
    done = subprocess.run(command, input=b"", capture_output=True, check=False)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert b"@@TRAX" not in done.stdout
