"""``play`` in a window: the build of OpenCV that has them, on a display that nobody sees, with its keys."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from inmo.harness.live.play import WINDOW
from tests.clips import write_sequence
from tests.conftest import ROOT

MISSING = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"no {', '.join(MISSING)} here: install xvfb and xdotool"),
]
FRAMES = 3000  # more than are shown before the key arrives
PATIENCE = 300  # seconds


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned OpenCV that has windows: first on the path, it takes the headless one's place."""
    folder = tmp_path_factory.mktemp("opencv")
    wanted = f"opencv-contrib-python=={version('opencv-contrib-python-headless')}"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), wanted]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{wanted} could not be installed: {done.stderr.strip()[-200:]}")
    return folder


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of an X display of the test's own."""
    words = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout
        number = server.stdout.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
        server.terminate()


def shown_on(display: str, windows: Path) -> dict[str, str]:
    """An environment with this display alone, and the OpenCV that has windows."""
    environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": f"{windows}{os.pathsep}{ROOT}"}
    environment.pop("WAYLAND_DISPLAY", None)
    return environment


def played(video: Path) -> list[str]:
    words = [sys.executable, str(ROOT / "run_all.py"), "play", "--tracker", "constant"]
    return [*words, "--video", str(video), "--box", "4", "6", "16", "14"]


@pytest.mark.parametrize("stop", ["q", "Escape"])
def test_a_key_ends_the_window(windows: Path, display: str, tmp_path: Path, stop: str) -> None:
    write_sequence(tmp_path / "still", FRAMES, step=0)
    environment = shown_on(display, windows)

    def xdotool(*words: str) -> str:
        return subprocess.run(["xdotool", *words], env=environment, capture_output=True, text=True).stdout.strip()

    words = played(tmp_path / "still")
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            end = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < end:
                time.sleep(0.5)
                found = xdotool("search", "--name", WINDOW).split()
                if not found:
                    continue
                xdotool(
                    "mousemove", "--window", found[0], "40", "40", "key", stop
                )  # keys go to what is below the mouse
            assert process.poll() == 0, process.stderr.read() if process.stderr and process.poll() else "no end"
            assert process.stdout
            shown = re.fullmatch(r"(\d+) frames", process.stdout.read().strip())
            assert shown and 0 < int(shown[1]) < FRAMES
        finally:
            process.kill()


def test_a_display_that_does_not_answer_ends_in_a_sentence(windows: Path, tmp_path: Path) -> None:
    write_sequence(tmp_path / "still", FRAMES, step=0)
    environment = shown_on(":4711", windows)
    words = played(tmp_path / "still")
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert "the display :4711 opens no window: give --out FILE.mp4" in done.stderr
    assert "Traceback" not in done.stderr
