"""Fuzz one parser with atheris (pip install -e '.[fuzz]'): python -m tests.fuzz.run annotation --seconds 120

Leaves with 0 when the time is over. A finding ends the run: its traceback is printed, its input kept as ``crash-*``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["inmo", "yaml", "zipfile", "pickle"]):
    from tests.fuzz.targets import PARSERS


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    words.add_argument("parser", choices=sorted(PARSERS))
    words.add_argument("--seconds", type=int, default=60)
    asked = words.parse_args()
    parser = PARSERS[asked.parser]
    corpus = Path(tempfile.mkdtemp(prefix="corpus-"))
    for number, seed in enumerate(parser.seeds):
        (corpus / str(number)).write_bytes(seed)
    flags = [f"-max_total_time={asked.seconds}", "-timeout=10", "-rss_limit_mb=4096", "-seed=1", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], parser)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
