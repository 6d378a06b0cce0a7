"""A tracker of this project as a TraX server: the VOT toolkit, or any other client, starts it and sends it frames."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from inmo.errors import UserError
from inmo.harness.run.setup import Setup
from inmo.trackers.base import SequenceAware, Tracker
from inmo.trackers.external import messages
from inmo.trackers.external.messages import Message


def serve(setup: Setup, tuned_for: str, device: str) -> str:
    """Serve one client until it quits or goes away.

    Talks over the port in TRAX_SOCKET, else over standard input and output; what is printed meanwhile goes to standard
    error. A first frame's box may be a rectangle, polygon or mask: its axis-aligned box is followed. Boxes are counted
    from 0.

    Args:
        setup: the tracker.
        tuned_for: benchmark whose test-time constants are used.
        device: where it runs.

    Returns:
        How the tracker failed, which the client was told too; empty when it did not.

    Raises:
        UserError: the tracker cannot be built, or the client sent what cannot be read; it was told so.
    """
    wire = _open()
    config = setup.on(tuned_for)
    tracker = setup.spec.build(config, device)
    if isinstance(tracker, SequenceAware):
        raise UserError(
            f"{setup.spec.name} looks its boxes up by sequence, which TraX does not tell: name another tracker"
        )
    name = setup.label or getattr(config, "label", "") or setup.spec.title
    with wire.reader, wire.writer:
        try:
            wire.send(_hello(name, setup.spec.name))
            _Session(tracker, wire).run()
        except BrokenPipeError:
            return ""  # the client went away
        except Exception as error:
            reason = f"{name} failed: {' '.join(str(error).split()) or type(error).__name__}"
            with suppress(OSError):
                wire.send(Message("quit", (), {"trax.reason": reason}))
            if isinstance(error, UserError):
                raise
            return f"{type(error).__name__}: {reason}"
    return ""


class _Session:
    """One client: at most one target at a time."""

    def __init__(self, tracker: Tracker, wire: _Wire) -> None:
        self._tracker, self._wire = tracker, wire
        self._state: Any = None
        self._wanted: str | None = None  # the region of a target that begins with the next frame

    def run(self) -> None:
        for line in self._wire.reader:
            try:
                message = messages.parse(line.decode(errors="replace"))
            except ValueError as error:
                raise UserError(f"the TraX client sent what cannot be read: {error}") from error
            if message is None:
                continue
            if message.kind == "quit":
                return
            if message.kind == "initialize":
                self._initialize(message.arguments)
            elif message.kind == "frame" and len(message.arguments) == 1:
                self._frame(message.arguments[0])
            else:
                raise UserError(f"the TraX client sent '{message.kind}' with {len(message.arguments)} arguments")

    def _initialize(self, arguments: tuple[str, ...]) -> None:
        """From version 4 on a region alone, the image follows as a frame, and nothing at all forgets the targets."""
        if not arguments:
            self._wanted = self._state = None
        elif len(arguments) == 1:
            if self._wanted is not None or self._state is not None:
                raise UserError("the TraX client wants several targets at once: this tracker follows one")
            self._wanted = arguments[0]
        else:
            image, self._wanted, self._state = arguments[0], arguments[1], None
            self._frame(image)

    def _frame(self, image: str) -> None:
        frame = messages.parse_image(image)
        if self._wanted is not None:
            text, self._wanted = self._wanted, None
            try:
                box = messages.parse_region(text)
            except ValueError as error:
                raise UserError(f"the TraX client sent a first region that cannot be read: {error}") from error
            if box is None or not (box[2:] > 0).all():
                raise UserError(f"the TraX client sent the first region {text[:60]}, which has no size")
            self._state = self._tracker.init([frame], box[None])
            self._answer(box, np.nan)
        elif self._state is None:
            raise UserError("the TraX client sent a frame before any region")
        else:
            step = self._tracker.step([frame], self._state)
            self._state = step.state
            if not np.isfinite(step.boxes).all():
                raise RuntimeError(f"its box is not finite: {step.boxes[0].tolist()}")
            self._answer(step.boxes[0], float(step.scores[0]))

    def _answer(self, box: NDArray[np.float64], score: float) -> None:
        properties = {"confidence": repr(score)} if np.isfinite(score) else {}
        self._wire.send(Message("state", (messages.region(box),), properties))


def _hello(name: str, family: str) -> Message:
    try:
        release = version("inmo-harness")
    except PackageNotFoundError:
        release = "unknown"
    known = {
        "version": str(messages.VERSION), "region": "rectangle;", "image": "path;memory;buffer;", "channels": "color;",
        "name": name, "family": family, "description": f"{name}, served by inmo-harness {release}",
    }  # fmt: skip
    return Message("hello", (), {f"trax.{key}": value for key, value in known.items()})


@dataclass(frozen=True)
class _Wire:
    reader: BinaryIO
    writer: BinaryIO

    def send(self, message: Message) -> None:
        # The toolkit reads our standard error along with this: a line must begin even where a print left one open.
        self.writer.write(b"\n" + messages.line(message))
        self.writer.flush()


def _open() -> _Wire:
    """Lines in and out. Standard output becomes standard error first: a print must not come between the messages."""
    port = os.environ.get("TRAX_SOCKET")
    if port:
        connection = socket.create_connection(("127.0.0.1", int(port)))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Wire(connection.makefile("rb"), connection.makefile("wb"))
    ends = _Wire(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return ends
