"""A child process that is talked to under deadlines, quoted when it fails, and never outlives its parent."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import IO

from inmo.errors import UserError
from inmo.trackers.base import TrackerFailure

MAX_ANSWER = 64 << 20  # bytes of one answer; more is a tracker that talks without end
TAIL_BYTES, TAIL_LINES = 8192, 6  # of what it wrote: kept, quoted
GRACE_S = 1.0  # between the end of its input and the end of the process
LOCALHOST = "127.0.0.1"
OWN_WIRE = ("TRAX_SOCKET", "TRAX_IN", "TRAX_OUT")  # of this process, where it is itself a TraX tracker


class Running:
    """One child process in a session of its own.

    Its standard error is kept apart and quoted in failures. Reading and writing never wait beyond a deadline, and go on
    together, so that a child that fills its output before it reads its input stops nothing.

    Args:
        command: program and arguments; a bare name is looked up on the PATH.
        title: what failures call it.
        environment: added to this process's own.
        folder: where it runs; None = here.
        listen: talk over a socket that the child connects to; its port is in the child's TRAX_SOCKET.
        files: descriptors that the child gets under the same numbers.

    Raises:
        UserError: the program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        title: str,
        *,
        environment: Mapping[str, str] | None = None,
        folder: str | Path | None = None,
        listen: bool = False,
        files: Sequence[int] = (),
    ) -> None:
        if os.name != "posix":
            raise UserError(f"{title}: external trackers need process groups: use Linux or macOS")
        self.title = title
        self._buffer, self._tail = bytearray(), _Tail()
        self._connection: socket.socket | None = None
        self._ends: tuple[int, int] | None = None
        self._listener = socket.create_server((LOCALHOST, 0)) if listen else None
        inherited = {name: value for name, value in os.environ.items() if name not in OWN_WIRE}
        extra = {"TRAX_SOCKET": str(self._listener.getsockname()[1])} if self._listener else {}
        try:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                cwd=folder, env={**inherited, **(environment or {}), **extra}, start_new_session=True, pass_fds=files,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UserError(f"{title} cannot be started, {command[0]}: {reason}; check the path") from error
        _guard.watch(self._process.pid)
        self._finalizer = weakref.finalize(self, _end, self._process)
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._readers = [_drain(self._process.stderr, self._tail)]
        if listen:
            self._readers.append(_drain(self._process.stdout, self._tail))
        else:
            self._talk_over(self._process.stdout, self._process.stdin)

    @property
    def alive(self) -> bool:
        """Whether it may still be talked to."""
        return self._finalizer.alive

    def accept(self, *, end: float) -> None:
        """Wait for the child to connect. Raises TimeoutError, EOFError."""
        assert self._listener is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            while not selector.select(0.05):
                if not self._readers[-1].is_alive():  # its output has closed: it has ended
                    raise EOFError
                if monotonic() > end:
                    raise TimeoutError
        self._connection, _ = self._listener.accept()
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._talk_over(self._connection, self._connection)

    def write(self, data: bytes, *, end: float) -> None:
        """Send all of it. Raises TimeoutError at the time ``end``, EOFError when the child is gone."""
        reader, writer = self._channel()
        left = memoryview(data)
        while left:
            ready = _select(reader, writer, end)
            if ready & selectors.EVENT_READ and not self._read(reader):
                raise EOFError
            if ready & selectors.EVENT_WRITE:
                try:
                    left = left[os.write(writer, left) :]
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise EOFError from error

    def read(self, count: int, *, end: float) -> bytes:
        """Exactly ``count`` bytes. Raises TimeoutError, EOFError."""
        while len(self._buffer) < count:
            self._fill(end)
        return self._take(count)

    def read_line(self, *, end: float) -> bytes:
        """The next line without its end. Raises TimeoutError, EOFError, OverflowError for a line without end."""
        searched = 0
        while (found := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            self._fill(end)
        return self._take(found + 1)[:-1]

    def note(self, text: bytes) -> None:
        """Keep something it said elsewhere than on standard error, for quoting."""
        self._tail.add(text + b"\n")

    @contextmanager
    def turn(self, seconds: float, setting: str, doing: str) -> Iterator[float]:
        """Give the child ``seconds`` for question and answer; yields the time they end.

        Whatever goes wrong meanwhile ends the process: it may be in the middle of an answer.

        Raises:
            TrackerFailure: naming the tracker, what it was doing, the ``setting`` that holds the limit, its last lines.
        """
        try:
            yield monotonic() + seconds
        except TimeoutError as error:
            hint = f"raise {setting} if it is only slow"
            raise self.failure(f"did not answer within {seconds:g} s {doing} ({hint})") from error
        except EOFError as error:
            raise self.failure(f"ended {doing}", grace=GRACE_S) from error
        except OverflowError as error:
            raise self.failure(f"wrote {MAX_ANSWER >> 20} MiB {doing} and no answer") from error
        except BaseException:
            self.close(grace=0.0)
            raise

    def failure(self, what: str, *, grace: float = 0.0) -> TrackerFailure:
        """End the process and say what happened, with the last lines it wrote."""
        ended = self.close(grace=grace)
        status = f", {_status(ended)}" if ended is not None else ""
        for reader in self._readers:
            reader.join(1.0)  # what it wrote last is still on its way
        lines = self._tail.lines()
        said = f"it last wrote: {' | '.join(lines)}" if lines else "it wrote nothing"
        return TrackerFailure(f"{self.title} {what}{status}; {said}")

    def close(self, *, grace: float = GRACE_S) -> int | None:
        """Close its input, give it a moment to leave, and end it with all that it started.

        Returns its exit status where it ended by itself.
        """
        if not self._finalizer.alive:
            return None
        left = _gone(self._process, self._ends, grace)
        self._finalizer()
        for stream in (self._listener, self._connection, None if self._listener else self._process.stdout):
            if stream is not None:
                stream.close()
        return self._process.returncode if left else None

    def _talk_over(self, reader: IO[bytes] | socket.socket, writer: IO[bytes] | socket.socket) -> None:
        self._ends = (reader.fileno(), writer.fileno())
        for end in self._ends:
            os.set_blocking(end, False)

    def _channel(self) -> tuple[int, int]:
        if self._ends is None or not self.alive:
            raise EOFError
        return self._ends

    def _fill(self, end: float) -> None:
        reader, _ = self._channel()
        _select(reader, None, end)
        if not self._read(reader):
            raise EOFError

    def _read(self, reader: int) -> int:
        try:
            data = os.read(reader, 1 << 16)
        except BlockingIOError:
            return 1
        except OSError:
            return 0
        self._buffer += data
        if len(self._buffer) > MAX_ANSWER:
            raise OverflowError
        return len(data)

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


class _Tail:
    """The last of what was written, from several threads."""

    def __init__(self) -> None:
        self._bytes, self._lock = b"", threading.Lock()

    def add(self, data: bytes) -> None:
        with self._lock:
            self._bytes = (self._bytes + data)[-TAIL_BYTES:]

    def lines(self) -> list[str]:
        with self._lock:
            text = self._bytes.decode(errors="replace")
        kept = [" ".join(line.split())[:200] for line in text.splitlines() if line.strip()]
        return kept[-TAIL_LINES:]


def _drain(stream: IO[bytes], tail: _Tail) -> threading.Thread:
    """Read a stream to its end in a thread, so that the child never waits for room in it."""

    def work() -> None:
        with suppress(OSError, ValueError), stream:
            while data := os.read(stream.fileno(), 1 << 16):
                tail.add(data)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _select(reader: int, writer: int | None, end: float) -> int:
    with selectors.DefaultSelector() as selector:
        if writer == reader:
            selector.register(reader, selectors.EVENT_READ | selectors.EVENT_WRITE)
        else:
            selector.register(reader, selectors.EVENT_READ)
            if writer is not None:
                selector.register(writer, selectors.EVENT_WRITE)
        ready = selector.select(max(0.0, end - monotonic()))
    if not ready:
        raise TimeoutError
    return ready[0][1] | ready[-1][1]


def _gone(process: subprocess.Popen[bytes], ends: tuple[int, int] | None, grace: float) -> bool:
    """Close its input and wait for the end of its output, ``grace`` seconds at most; whether it ended by itself.

    The process is not reaped: its number stays taken, and the group can be killed by it without hitting another one.
    """
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    end = monotonic() + grace
    while grace and ends is not None:
        try:
            _select(ends[0], None, end)
            if not os.read(ends[0], 1 << 16):
                break
        except BlockingIOError:
            continue
        except (OSError, TimeoutError, ValueError):
            break
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    if not hasattr(os, "waitid"):
        return False
    while (found := os.waitid(os.P_PID, process.pid, options)) is None and monotonic() < end:
        threading.Event().wait(0.005)
    return found is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it started in its session, and reap it."""
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(5.0)
    _guard.forget(process.pid)


def _status(code: int) -> str:
    if code >= 0:
        return f"with exit status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    return f"by signal {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


class _Guard:
    """Tells ``guard.py``, which is started on first use, what to end should this process be killed."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner, self._lock = 0, threading.Lock()

    def watch(self, group: int) -> None:
        with self._lock:
            if self._owner != os.getpid():  # in a fork: the processes known so far are the parent's
                self._groups, self._process, self._owner = set(), None, os.getpid()
            self._groups.add(group)
            if not self._tell(f"+{group}\n"):
                self._start()

    def forget(self, group: int) -> None:
        with self._lock:
            self._groups.discard(group)
            if self._owner == os.getpid():
                self._tell(f"-{group}\n")

    def _start(self) -> None:
        path = Path(__file__).with_name("guard.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(path)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0,
            start_new_session=True,
        )  # fmt: skip
        self._tell("".join(f"+{group}\n" for group in sorted(self._groups)))

    def _tell(self, line: str) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(line.encode())
        except OSError:
            return False
        return True


_guard = _Guard()
