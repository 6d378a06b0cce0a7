"""``trax:"command"``: any tracker that speaks TraX, as every one integrated for the VOT challenges does."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.trackers.base import TrackerSpec
from inmo.trackers.external import messages
from inmo.trackers.external.base import Answer, Child, ExternalTracker, Limits, content_key, devices
from inmo.trackers.external.messages import Message
from inmo.trackers.external.process import Running

USAGE = "--tracker trax:'COMMAND WITH ARGUMENTS'"


@dataclass(frozen=True)
class TraxConfig(Limits):
    """A TraX tracker.

    Attributes:
        target: its command line; of words that are files, the content enters the key.
        socket: the tracker connects to the port in TRAX_SOCKET instead of using standard input and output.
        images: how frames are handed over: ``bmp`` or ``png`` (files, lossless), ``memory`` (raw RGB), ``buffer`` (PNG
            in the message); ``auto`` takes the first of bmp, memory and buffer that the tracker knows.
        restart: a fresh process for every target; trackers that ask for that in their greeting get it anyhow.
    """

    target: str = field(default="", metadata={"key": lambda command: content_key(_words(command))})
    socket: bool = field(default=False, metadata={"identity": False})
    images: Literal["auto", "bmp", "png", "memory", "buffer"] = field(default="auto", metadata={"identity": False})
    restart: bool = field(default=False, metadata={"identity": False})

    @property
    def label(self) -> str:
        """What tables and exports call it: the script, the first argument that is a file, or else the program."""
        words = _words(self.target)
        files = [word for word in words[1:] if Path(word).is_file()]
        return Path((files or words or [""])[0]).stem


class Trax(Child):
    """One TraX tracker and the client that drives it: greeting, ``initialize``, ``frame``, ``state``, ``quit``.

    Raises:
        UserError: the program cannot be started.
        TrackerFailure: no greeting in time, or formats that have nothing in common with ours.
    """

    def __init__(self, config: TraxConfig, environment: dict[str, str]) -> None:
        self._config, self._environment = config, environment
        command = config.target
        self._title = f"trax:{command if len(command) <= 80 else f'{command[:76]} ...'}"
        self._folder = tempfile.TemporaryDirectory(prefix="trax-frames-")
        self._count, self._used, self._last = 0, False, np.zeros(4)
        self._connect()

    def init(self, frame: Frame, box: NDArray[np.float64]) -> None:
        if self._used and self._fresh:
            self.close()
            self._connect()
        doing = "at the first frame of its target"
        words = messages.region(box, self._regions)
        with self._process.turn(self._config.start_timeout, "start_timeout", doing) as end, self._image(frame) as image:
            if self._version >= 4:
                reset = [Message("initialize")] if self._used else []
                question = [*reset, Message("initialize", (words,)), Message("frame", (image,))]
            else:
                question = [Message("initialize", (image, words))]
            self._used, self._last = True, box
            self._say(question, doing, end)

    def step(self, frame: Frame, doing: str) -> Answer:
        with self._process.turn(self._config.step_timeout, "step_timeout", doing) as end, self._image(frame) as image:
            started = perf_counter()
            state = self._say([Message("frame", (image,))], doing, end)
            seconds = perf_counter() - started
        try:
            box = messages.parse_region(state.arguments[0])
            said = state.properties.get("confidence")
            score = np.nan if said is None else float(said)
        except (ValueError, IndexError) as error:
            raise self.failure(f"answered what is no region {doing}: {error}") from error
        if box is None:  # it says that there is no target: its last box stays, as with OpenCV's trackers
            return Answer(self._last, 0.0, seconds)
        self._last = box
        return Answer(box, score, seconds)

    def close(self) -> None:
        if self.alive:
            with contextlib.suppress(TimeoutError, EOFError, OverflowError):
                self._process.write(messages.line(Message("quit")), end=monotonic() + 1.0)
        super().close()

    def _connect(self) -> None:
        words = _words(self._config.target)
        environment = {**self._environment, "TRAX": "1"}
        self._process = Running(words, self._title, environment=environment, listen=self._config.socket)
        self._used, doing = False, "while it started"
        with self._process.turn(self._config.start_timeout, "start_timeout", doing) as end:
            if self._config.socket:
                self._process.accept(end=end)
            hello = self._hear(doing, end)
        if hello.kind != "hello":
            raise self.failure(f"began with '{hello.kind}' instead of 'hello': it must be a TraX tracker")
        said = hello.properties
        version = said.get("trax.version", "1")
        self._version = int(version) if version.isdigit() else 1
        self._fresh = self._config.restart or "vot" in said
        self._regions = _formats(said.get("trax.region", "rectangle"))
        if not {"rectangle", "polygon", "mask"}.intersection(self._regions):
            raise self.failure(f"wants regions as {said['trax.region']}: rectangle, polygon and mask are known")
        if _formats(said.get("trax.channels", "color")) not in ([], ["color"]):
            raise self.failure(f"wants the channels {said['trax.channels']}: there is colour only")
        self._way = self._choose(_formats(said.get("trax.image", "path")))

    def _choose(self, known: list[str]) -> str:
        for way, needs in (("bmp", "path"), ("png", "path"), ("memory", "memory"), ("buffer", "buffer")):
            if needs in known and self._config.images in (way, "auto"):
                return way
        raise self.failure(f"takes images as {', '.join(known)}, which is not images={self._config.images}")

    @contextlib.contextmanager
    def _image(self, frame: Frame) -> Any:
        """The frame as the tracker takes it; a file lives until the answer is there and has a name of its own."""
        if self._way in ("memory", "buffer"):
            yield (messages.memory_image if self._way == "memory" else messages.buffer_image)(frame)
            return
        self._count += 1
        path = Path(self._folder.name) / f"{self._count:08d}.{self._way}"
        if not cv2.imwrite(str(path), frame):
            raise UserError(f"cannot write {path}: is the disk full?")
        try:
            yield f"file://{path}"
        finally:
            path.unlink(missing_ok=True)

    def _say(self, question: list[Message], doing: str, end: float) -> Message:
        self._process.write(b"".join(messages.line(message) for message in question), end=end)
        answer = self._hear(doing, end)
        if answer.kind == "quit":
            reason = answer.properties.get("trax.reason", "no reason given")
            raise self.failure(f"quit {doing} ({reason})")
        if answer.kind != "state":
            raise self.failure(f"answered '{answer.kind}' instead of 'state' {doing}")
        return answer

    def _hear(self, doing: str, end: float) -> Message:
        """The next message; other lines are its talk."""
        while True:
            line = self._process.read_line(end=end)
            try:
                message = messages.parse(line.decode(errors="replace"))
            except ValueError as error:
                raise self.failure(f"wrote what is no TraX message {doing}: {error}") from error
            if message is not None:
                return message
            self._process.note(line)


def build(config: TraxConfig, device: str) -> ExternalTracker:
    """Start the command. Raises UserError when it does not start or does not greet."""
    if not _words(config.target):
        raise UserError(f"a TraX tracker is named by its command line: {USAGE}")
    return ExternalTracker(partial(Trax, config, devices(device)))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UserError(f"the command of trax:{command} cannot be read ({error}): mend its quotes") from error


def _formats(text: str) -> list[str]:
    return [word.strip() for word in text.split(";") if word.strip()]


TRAX = TrackerSpec("trax", "TraX tracker", TraxConfig(), build)
