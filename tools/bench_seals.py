"""What checksums cost: times of reading stored files over those without, ``python -m tools.bench_seals``.

Each line is the median over rounds, in processor time, with and without in turn; only the ratios mean anything.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from inmo.whole_files import read_facts, read_table, write_table
from tools.door import leave_after

ROWS, ROUNDS, TIMES = (300, 1500, 5000), 15, 40
COLUMNS = ("x", "y", "w", "h", "score", "read", "pre", "network", "post", "track")


def _plain_table(path: Path) -> Any:
    """As it was read before there were checksums."""
    with pq.ParquetFile(path) as file:
        return file.read(use_threads=False), json.loads(file.metadata.metadata[b"facts"])


def _plain_facts(path: Path) -> Any:
    with pq.ParquetFile(path) as file:
        return json.loads(file.metadata.metadata[b"facts"])


def ratio(checked: Callable[[Path], Any], plain: Callable[[Path], Any], path: Path) -> float:
    """Median over rounds of the time with checksums over that without."""

    def seconds(read: Callable[[Path], Any]) -> float:
        start = time.process_time()
        for _ in range(TIMES):
            read(path)
        return time.process_time() - start

    seconds(checked), seconds(plain)
    return statistics.median(seconds(checked) / seconds(plain) for _ in range(ROUNDS))


def main() -> None:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for rows in ROWS:
            path = Path(folder) / f"{rows}.parquet"
            write_table(path, {name: rng.uniform(0, 500, rows) for name in COLUMNS}, {"rows": rows})
            whole, facts = ratio(read_table, _plain_table, path), ratio(read_facts, _plain_facts, path)
            sys.stdout.write(f"{rows:5} rows: a result {whole:.2f}, its facts {facts:.2f}\n")


if __name__ == "__main__":
    leave_after(main)
