"""Ends the processes it was told of when the one who told it is gone, however that happened.

A file of its own, run as ``python -I -S guard.py``: one line per process group on standard input, ``+4711`` when it
starts and ``-4711`` when it has ended. When the input closes, all groups that are left are killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
