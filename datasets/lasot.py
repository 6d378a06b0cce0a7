"""LaSOT, the 280 test sequences (Fan et al., CVPR 2019).

Own download: ``<class>/<class>-<k>/`` with ``img/%08d.jpg`` from 1, ``groundtruth.txt``, ``full_occlusion.txt`` and
``out_of_view.txt``. Evaluation toolkit: ``annos/<sequence>.txt`` with ``annos/absent/<sequence>.txt``.
Some copies of ``monkey-17`` hold more than the 2,260 frames that the toolkit scores; the rest is cut.
"""

from __future__ import annotations

from inmo.datasets.attributes import words_for
from inmo.datasets.base import Benchmark
from inmo.datasets.flags import open_flagged

LASOT = Benchmark(
    name="lasot",
    title="LaSOT",
    open=open_flagged,
    annotations=("{anno_path}", "{name}/groundtruth.txt", "annos/{name}.txt", "{name}.txt"),
    folders=("{path}", "{name}/img"),
    table="lasot_test.csv",
    origin=1,
    protocol="lasot-matlab",
    flagged=True,
    without_area={"tiger-6": 1, "lion-5": 1, "microphone-6": 1},
    attributes=words_for("IV POC DEF MB CM ROT BC VC SV FOC FM OV LR ARC"),
)
