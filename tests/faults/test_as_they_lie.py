"""Results and annotations as they lie on people's disks, through the real commands: what comes out is right or is told.

The inputs are reference material: scripts that write files and run commands on them, each in a copy of its folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

# End of the folder's name -> (patterns in order, each behind the one before; what must not be there).
RIGHT: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "absent-flags-unsaid": (
        [r"^T .* 87\.0 +87\.0 ", r"exit 0", r"^T .*§.* 100\.0 +100\.0 ", r"takes absent flags, and .* lack them"], [],
    ),
    "runs-hidden-by-unnumbered-folder": (
        [r"^dimp50 .* 95\.2", r"^dimp50_000\.\.001\S* .* 42\.9", r"exit 0", r"^dimp50\S? .* 42\.9"], [],
    ),
    "export-otb-names": (
        [
            *[rf"^{name}\.txt$" for name in ("Human4-2", "Jogging-1", "Jogging-2", "Skating2-1", "Skating2-2")] * 2,
            *[rf"^{name}\.txt$" for name in ("Human4", r"Jogging\.1", r"Jogging\.2", r"Skating2\.1", r"Skating2\.2")],
            r"^354 Tiger1\.txt$", r"GOT-10k toolkit scores it: AUC 95\.2",
        ],
        [r"^Jogging_1\.txt$"],
    ),
    "linked-tracker-folder": ([r"^Mine .* 66\.7", r"^Other\S? .* 52\.4", r"exit 0", r"^Mine .* 66\.7"], []),
    "folders-merged-into-one-tracker": (
        [
            r"^OTB100/ECO +pysot +3 of 100 +76\.2", r"^ECO\S? +pysot +4 of 100 +23\.8", r"exit 0",
            r"^ECO +pysot +3 of 100 +76\.2", r"^ECO_results\S? +pysot +4 of 100 +23\.8", r"exit 0",
            r"^OTB100/ECO +pysot +4 of 100 +76\.2", r"^OTB2015/ECO\S? +pysot +4 of 100 +23\.8",
        ],
        [],
    ),
    "partial-hides-the-reason": (
        [
            r"line 1 of \S*Couple\.txt holds 'x', which is no number", r"exit 2",
            r"^T +pysot +3 of 100§ +76\.2", r"1 of 100 sequences \(Deer: line 1 of \S*Deer\.txt holds 'x'",
        ],
        [r"Basketball"],
    ),
    "own-folder-levels": (
        [r"3 of 3 sequences", r"sound", r"2 of 2 sequences", r"groundtruth\.txt", r"2 of 2 sequences", r"sound",
         r"1 of 1 sequences", r"6 images read", r"sound"],
        [],
    ),
    "benchmark-in-two-folders": (
        [r"4 of 100 sequences, 405 annotated frames", r"^T +pysot +4 of 100 +76\.2"], [r"missing.*Crossing"],
    ),
    "empty-fields": (
        [r"^T,got10k,4 of 4,59\.986,", r"exit 0", r"^T,got10k,4 of 4,59\.986,", r"exit 0",
         r"NaN, infinite or without size in 4 of 4 .*20 in Couple",
         r"line 10 of \S*Couple\.txt has 5 fields", r"exit 2"],
        [r"a result of 120 rows"],
    ),
    "toolkit-folder-as-results": (
        [r"^ATOM +lasot-matlab +280 of 280 +81\.0", r"exit 0", r"^ATOM +lasot-matlab +280 of 280 +81\.0", r"exit 0"],
        [r"^(annos|absent|att) ", r"mend or replace"],
    ),
    "misleading-sentences": (
        [
            r"Couple\.mat holds 5 runs of rectangles \(5 x 140 x 4\)", r"exit 2",
            r"Deer is the first frame's box alone: annotate the other frames", r"exit 2",
            r"^T +pysot +4 of 4 +95\.2", r"exit 0", r"^T +pysot +4 of 4 +95\.2", r"exit 0",
            r"add the images to track, and the other boxes to score",
        ],
        [r"its server", r"no raw results", r"enough to score results"],
    ),
    "got10k-protocol-tiger1": ([r"354 frames: AUC 56\.551", r"^T,got10k,1 of 100,56\.551,"], []),
    "check-calls-corner-boxes-sound": (
        [r"nearly every box passes the edge of its image: A; corners", r"exit 1", r"corners .*would be 95\.2",
         r"no box is larger than a pixel: A", r"exit 1", r"normalised to the frame; read so, its AUC would be 95\.2"],
        [r"^sound"],
    ),
    "length-differences-unsaid": (
        [
            r"more rows than the annotation has in 4 of 4 .*1 in Couple.*lasot-matlab leaves out the last ones",
            r"fewer rows than the annotation has in 4 of 4 .*130 in Couple.*got10k scores the frames that are there",
            r"^T,pytracking,", r"pytracking fills them up with boxes that fail",
        ],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RIGHT)
def test_what_comes_out_is_right_or_told(shared: Path, tmp_path: Path, kind: str) -> None:
    found = next((shared / "cases").glob(f"*-{kind}"), None)
    if found is None:
        pytest.skip(f"the reference material has no {kind}")
    shutil.copytree(found, tmp_path / "case")
    environment = {**os.environ, "PY": sys.executable, "PROJECT": str(ROOT), "INMO_CONFIG": str(tmp_path / "none")}
    done = subprocess.run(
        ["sh", str(tmp_path / "case/run.sh")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    wanted, unwanted = RIGHT[kind]
    start = 0
    for pattern in wanted:
        match = re.compile(pattern, re.MULTILINE).search(done.stdout, start)
        assert match, f"{pattern} is not said from here on:\n{done.stdout[start:]}\n\nof all this:\n{done.stdout}"
        start = match.end()
    for pattern in unwanted:
        assert not re.search(pattern, done.stdout, re.MULTILINE), f"{pattern} is said:\n{done.stdout}"
    assert "Traceback" not in done.stdout
