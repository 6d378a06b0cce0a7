"""A process with everything imported that forks command lines: a real process each, started in milliseconds."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import ROOT

PATIENCE = 60  # seconds that the server has for its end


class Forker:
    """Runs ``main(words)`` in a fork, one at a time; the fork leads a process group of its own.

    Args:
        errors: file that standard error goes to.
    """

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        command = [sys.executable, "-m", "tests.harness.forking", str(errors)]
        self._server = subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1
        )

    def start(self, words: Sequence[str]) -> int:
        """Returns the process id as soon as the fork is there."""
        assert self._server.stdin is not None
        self._server.stdin.write(json.dumps(list(words)) + "\n")
        return self._answer()

    def wait(self) -> int:
        """The exit status of what was started last; minus the signal's number where one ended it."""
        return self._answer()

    def run(self, words: Sequence[str]) -> int:
        self.start(words)
        return self.wait()

    def close(self) -> None:
        """End the server; one that does not go by itself is ended, with a warning that has its stacks."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.close()
        self._server.stdout.close()
        try:
            self._server.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._server.send_signal(signal.SIGABRT)  # faulthandler writes the stacks
            time.sleep(1)
            self._server.kill()
            self._server.wait()
            warnings.warn(f"the forking server did not end: {self._errors.read_text()}", stacklevel=2)

    def _answer(self) -> int:
        assert self._server.stdout is not None
        return int(self._server.stdout.readline())


def serve(errors: str) -> None:
    """Fork for each line of words on standard input."""
    import joblib  # noqa: F401 - imported here so that no fork has to

    import tests.harness.faulty  # noqa: F401
    from inmo.harness.cli import main
    from inmo.harness.store import provenance

    provenance.versions()  # asks git
    faulthandler.enable(Path(errors).open("a"))  # noqa: SIM115 - stays open for the stacks of a fault
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            os.setsid()
            for target, name in ((0, os.devnull), (1, os.devnull), (2, errors)):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND), target)
            status = 99
            try:
                status = main(json.loads(line))
            finally:
                os._exit(status)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
    os._exit(0)  # nothing is left to write, and what libraries do at exit could wait for threads that forks ended
