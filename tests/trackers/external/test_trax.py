"""TraX: our client with the reference library's server, and with programs that break every rule."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.setup import configure
from inmo.trackers.base import TrackerFailure, config_hash
from inmo.trackers.external import messages
from inmo.trackers.external.messages import Message
from tests.clips import write_clips
from tests.conftest import ROOT
from tests.datasets.tiny import write
from tests.trackers.external.programs import box, boxes, eventually, frame, gone, pids, started

trax = pytest.importorskip("trax", reason="vot-trax has a wheel for Linux on x86-64 only")

SERVER = """
import os
import sys

import cv2
import numpy as np
import trax

regions, images, answer, *rest = sys.argv[1:]
print("talk before the greeting")
print("and on the other stream", file=sys.stderr)
metadata = {"vot": "python"} if "wrapped" in rest else None
count = 0
with trax.Server([regions], [images], metadata=metadata, tracker_name="reference") as server:
    while True:
        request = server.wait()
        if request.type == "quit":
            break
        image = request.image["color"]
        if images == "path":
            pixels = cv2.imread(image.path())
        elif images == "memory":
            pixels = image.array()[:, :, ::-1]
        else:
            pixels = cv2.imdecode(np.frombuffer(image.buffer(), np.uint8), cv2.IMREAD_COLOR)
        if request.type == "initialize":
            given = request.objects[0][0]
            if regions == "rectangle":
                x, y, w, h = given.bounds()
            elif regions == "polygon":
                points = np.array(list(given))
                (x, y), (w, h) = points.min(axis=0), np.ptp(points, axis=0)
            else:
                array, (x, y) = given.array(), given.offset()
                h, w = array.shape
                assert array.all()
            count = 0
        count += 1
        print("talk between", flush=True)
        if answer == "rectangle":
            region = trax.Rectangle.create(x + count, y, w, h)
        elif answer == "polygon":  # a square on its tip
            region = trax.Polygon.create([(x + 5, y), (x + 10, y + 5), (x + 5, y + 10), (x, y + 5)])
        elif answer == "mask":
            mask = np.zeros((30, 40), np.uint8)
            mask[count : count + 4, 3:9] = 1
            region = trax.Mask.create(mask, x=2, y=1)
        elif answer == "empty":
            region = trax.Mask.create(np.zeros((30, 40), np.uint8))
        elif answer == "special":
            region = trax.Special.create(2)
        elif answer == "pid":
            region = trax.Rectangle.create(os.getpid() % 30000, 1, 1, 1)
        else:
            server.quit("no more light")
            break
        server.status([(region, {"confidence": float(pixels[3, 7, 0])})])
"""


@pytest.fixture
def server(tmp_path: Path) -> str:
    return f"trax:{sys.executable} {write(tmp_path / 'server.py', SERVER)}"


IMAGES = ["path auto", "path png", "memory auto", "buffer auto"]


@pytest.mark.parametrize("words", [*(f"rectangle {way}" for way in IMAGES), "polygon path auto", "mask path auto"])
def test_the_reference_server_understands_us(words: str, server: str) -> None:
    regions, images, way = words.split()
    tracker = started(f"{server} {regions} {images} rectangle", images=way)
    for first in ([4.0, 5, 10, 8], [7.0, 2, 6, 6]):
        state = tracker.init([frame()], box(*first))
        for i in (1, 2):
            given = frame(i)
            step = tracker.step([given], state)
            assert step.boxes.tolist() == [[first[0] + i + 1, *first[1:]]]
            assert step.scores.tolist() == [given[3, 7, 0]]  # blue: the pixels arrived as they were
            assert step.seconds["network"] > 0


def test_what_comes_back_becomes_a_box(server: str) -> None:
    wanted = {
        "polygon": ([[4, 5, 10, 10]], 1),
        "mask": ([[5, 3, 6, 4]], 1),
        "empty": ([[4, 5, 10, 8]], 0),
        "special": ([[4, 5, 10, 8]], 0),
    }
    for answer, (expected, found) in wanted.items():
        tracker = started(f"{server} rectangle path {answer}")
        step = tracker.step([frame(1)], tracker.init([frame()], box()))
        assert step.boxes.tolist() == expected, answer
        assert step.scores.tolist() == [frame(1)[3, 7, 0] * found], answer


@pytest.mark.parametrize(("word", "restart", "fresh"), [("", False, False), ("wrapped", False, True), ("", True, True)])
def test_a_wrapped_tracker_gets_a_fresh_process(word: str, restart: bool, fresh: bool, server: str) -> None:
    tracker = started(f"{server} rectangle path pid {word}", restart=str(restart).lower())
    seen = [tracker.step([frame()], tracker.init([frame()], box())).boxes[0, 0] for _ in range(2)]
    assert (seen[0] != seen[1]) == fresh


def test_over_a_socket(server: str) -> None:
    tracker = started(f"{server} rectangle path rectangle", socket="true")
    assert tracker.step([frame()], tracker.init([frame()], box())).boxes.tolist() == [[6, 5, 10, 8]]


def test_its_reason_to_quit_is_told(server: str) -> None:
    tracker = started(f"{server} rectangle path quit")
    with pytest.raises(TrackerFailure, match=r"quit at the first frame of its target \(no more light\)"):
        tracker.init([frame()], box())


RAW = """
import os, sys, time
def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()
def hear():
    line = sys.stdin.readline()
    sys.stderr.write("heard " + line[:60])
    return line
"""
HELLO = 'say(\'@@TRAX:hello "trax.version={}" "trax.image=path;" "trax.region=rectangle;"\\n\')\n'


def raw(tmp_path: Path, body: str, version: int = 4, hello: bool = True) -> str:
    text = RAW + (HELLO.format(version) if hello else "") + body
    return f"trax:{sys.executable} {write(tmp_path / 'raw.py', text)}"


OLDER = """
while True:
    words = hear().split('"')
    if "initialize" in words[0]:
        region = words[3]
        assert words[1].startswith("file:///") and os.path.exists(words[1][7:])
    elif "frame" not in words[0]:
        break
    say("@@TRAX:status " + region + "\\n")
"""


def test_older_versions_and_plain_words(tmp_path: Path) -> None:
    tracker = started(raw(tmp_path, OLDER, version=1))
    for first in ([4.25, 5, 10, 8], [7.0, 2, 6, 6]):
        state = tracker.init([frame()], box(*first))
        step = tracker.step([frame()], state)
        assert step.boxes.tolist() == [first]
        assert np.isnan(step.scores).all()


STATE = "hear(); hear(); say('@@TRAX:state 1,2,3,4\\n'); hear(); "
WRONG = {
    STATE + "time.sleep(600)": "did not answer within 0.5 s at frame 1 .*last wrote: .*heard @@TRAX:frame",
    STATE + "os._exit(3)": "ended at frame 1 of its target, with exit status 3",
    STATE + "say('@@TRAX:state 1,2,nan,4\\n')": "answered what is no region at frame 1 of its target: .*not finite",
    STATE + "say('@@TRAX:state left\\n')": "answered what is no region at frame 1",
    STATE + "say('@@TRAX:state\\n')": "answered what is no region at frame 1",
    STATE + "say('@@TRAX:state 1,2,3\\n')": "answered what is no region at frame 1",
    STATE + "say('@@TRAX:state 1,2,3,4 confidence=high\\n')": "answered what is no region at frame 1.*high",
    STATE + "say('@@TRAX:hello\\n')": "answered 'hello' instead of 'state' at frame 1",
    STATE + "say('@@TRAX:dance\\n')": "wrote what is no TraX message at frame 1 of its target: .*'dance'",
    STATE + "say('x' * (65 << 20))": "wrote 64 MiB at frame 1 of its target and no answer",
    STATE + "os.close(1); time.sleep(600)": "ended at frame 1|did not answer",
}


@pytest.mark.parametrize("body", WRONG)
def test_what_goes_wrong_in_a_step(body: str, tmp_path: Path) -> None:
    limit = 0.5 if "sleep" in body else 60
    tracker = started(raw(tmp_path, body + "\ntime.sleep(600)"), step_timeout=limit)
    state = tracker.init([frame()], box())
    pid = state[0].child._process._process.pid
    with pytest.raises(TrackerFailure, match=WRONG[body]) as failure:
        tracker.step([frame()], state)
    assert str(failure.value).startswith("trax:")
    assert gone(pid)


def test_half_a_line_before_an_answer_does_no_harm(tmp_path: Path) -> None:
    body = "hear(); hear(); say('step 1 ... @@TRAX:state 1,2,3,4\\n'); hear()\n"
    body += "say('.' * 300000 + '@@TRAX:state 5,6,7,8\\n')"
    tracker = started(raw(tmp_path, body + "\nhear()"))
    assert tracker.step([frame()], tracker.init([frame()], box())).boxes.tolist() == [[5, 6, 7, 8]]


def test_a_tracker_that_writes_before_it_reads_stops_nothing(tmp_path: Path) -> None:
    hello = HELLO.format(4).replace("path;", "memory;")
    body = "hear(); hear(); say('@@TRAX:state 1,2,3,4\\n')\nsay('talk\\n' * 500000)\n"
    body += "hear(); say('@@TRAX:state 5,6,7,8\\n')"
    tracker = started(raw(tmp_path, hello + body + "\nhear()", hello=False))
    state = tracker.init([frame()], box())
    assert tracker.step([frame(1, 700, 900)], state).boxes.tolist() == [[5, 6, 7, 8]]


STARTS = {
    "time.sleep(600)": "did not answer within 1 s while it started",
    "os._exit(5)": "ended while it started, with exit status 5",
    "say('@@TRAX:state 1,2,3,4\\n')": "began with 'state' instead of 'hello'",
    "say('@@TRAX:hello trax.version=4 trax.image=url\\n')": "takes images as url, which is not images=auto",
    "say('@@TRAX:hello trax.version=4 trax.region=point\\n')": "wants regions as point",
    "say('@@TRAX:hello trax.version=4 trax.channels=color;depth\\n')": "wants the channels color;depth",
}


@pytest.mark.parametrize(
    ("body", "socket"), [*((body, False) for body in STARTS), *((body, True) for body in STARTS if "say" not in body)]
)
def test_what_does_not_start(body: str, socket: bool, tmp_path: Path) -> None:
    limits = {"start_timeout": 1} if "sleep" in body else {}
    with pytest.raises(UserError, match=STARTS[body]):
        started(raw(tmp_path, body + "\ntime.sleep(600)", hello=False), socket=str(socket).lower(), **limits)


MISTAKES = {
    "trax": "a TraX tracker is named by its command line",
    "trax:/nowhere/tracker --fast": "cannot be started, /nowhere/tracker: No such file or directory",
    "trax:say 'hello": "cannot be read .*mend its quotes",
}


@pytest.mark.parametrize("target", MISTAKES)
def test_mistakes_are_said(target: str) -> None:
    with pytest.raises(UserError, match=MISTAKES[target]):
        started(target)


def test_nothing_survives_a_failure(tmp_path: Path) -> None:
    known = tmp_path / "pids"
    body = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(known)!r}, "w").write("%d %d" % (os.getpid(), child.pid))
hear(); hear(); say('@@TRAX:state 1,2,3,4\\n'); hear()
time.sleep(600)
"""
    tracker = started(raw(tmp_path, body), step_timeout=0.5)
    state = tracker.init([frame()], box())
    assert len(pids(known)) == 2
    with pytest.raises(TrackerFailure, match="did not answer"):
        tracker.step([frame()], state)
    assert eventually(lambda: all(gone(pid) for pid in pids(known)))


def test_content_of_files_in_the_command_enters_the_key(tmp_path: Path) -> None:
    def key(target: str) -> str:
        setup = configure(target, {})
        return config_hash(setup.spec.name, setup.on("lasot"))

    first, second = write(tmp_path / "a.py", "1"), write(tmp_path / "b.py", "1")
    known = key(f"trax:python {first} --fast")
    assert key(f"trax:python {second} --fast") == known != key(f"trax:python {second}")
    write(second, "2")
    assert key(f"trax:python {second} --fast") != known
    assert configure(f"trax:python {first} --fast {second}", {}).config.label == "a"
    assert configure("trax:/opt/tracker --fast", {}).config.label == "tracker"


def test_ours_through_trax_is_ours(tmp_path: Path) -> None:
    """Client and server of this project: the boxes of a tracker come through to the last bit."""
    clips = write_clips(tmp_path / "clips")
    served = f"trax:{sys.executable} {ROOT / 'run_all.py'} serve --tracker kcf"
    for store, name in (("direct", "kcf"), ("trax", served)):
        assert main(["track", "--tracker", name, "--dataset", f"folder={clips}", "--store", str(tmp_path / store)]) == 0
    for name in ("short", "long"):
        assert boxes(tmp_path / "trax", name).tolist() == boxes(tmp_path / "direct", name).tolist()


text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\0"), max_size=20)
keys = st.from_regex(r"[A-Za-z0-9._]{1,10}", fullmatch=True)


@given(st.lists(text.filter(lambda word: "=" not in word)), st.dictionaries(keys, text))
@settings(max_examples=60, deadline=None)
def test_a_message_comes_back_as_it_was(arguments: list[str], properties: dict[str, str]) -> None:
    message = Message("state", tuple(arguments), properties)
    lines = messages.line(message).decode().split("\n")
    assert len(lines) == 2 and not lines[1]  # one line, whatever is in it
    assert messages.parse(lines[0]) == message


@given(st.integers(1, 12), st.integers(1, 12), st.data())
@settings(max_examples=80, deadline=None)
def test_masks_as_the_reference_library_writes_them(height: int, width: int, data: st.DataObject) -> None:
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits, np.uint8).reshape(height, width)
    encoded = trax.region.Mask.create(mask, x=3, y=-2)
    written = ctypes.cast(trax._ctypes.trax_region_encode(encoded.reference), ctypes.c_char_p).value
    assert written is not None
    found = messages.parse_region(written.decode())
    if not mask.any():
        assert found is None
        return
    rows, columns = np.nonzero(mask)
    wanted = [3 + columns.min(), -2 + rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert found is not None
    assert found.tolist() == wanted


@pytest.mark.parametrize(
    "text", ["", "1,2", "1,2,3,4,5", "1,2,x,4", "inf,1,2,3", "mask:0,0,2,2,1,9", "mask:0,0,-1,2,1", "circle:1,2,3,4"]
)
def test_no_region(text: str) -> None:
    with pytest.raises(ValueError, match=r"region|mask"):
        messages.parse_region(text)


NO_IMAGES = {
    "http://somewhere/1.jpg": "sent a URL",
    "file:///nowhere/1.jpg": "cannot read image /nowhere/1.jpg",
    "image:2;2;rgb;AAAA": "sent 3 bytes for an image of 2 x 2",
    "image:2;2;gray16;AAAA": "unknown kind",
    "image:2;2;rgb;A!": "no base64",
    "data:image/png;AAAA": "cannot be decoded",
}


@pytest.mark.parametrize("text", NO_IMAGES)
def test_no_image(text: str) -> None:
    with pytest.raises(UserError, match=NO_IMAGES[text]):
        messages.parse_image(text)


def test_images_come_back_as_they_were(tmp_path: Path) -> None:
    given, path = frame(3), tmp_path / "a file.png"
    cv2.imwrite(str(path), given)
    for text in (messages.memory_image(given), messages.buffer_image(given), str(path), f"file://{path}"):
        assert np.array_equal(messages.parse_image(text), given)
    assert messages.parse_image("image:2;1;gray8;AQI=").tolist() == [[[1, 1, 1], [2, 2, 2]]]
