"""TNL2K, the 700 test sequences (Wang et al., CVPR 2021).

Own download: ``[TNL2K_test_subset/]<sequence>/imgs/*`` and ``groundtruth.txt``. Frame names are not uniform, so the
sorted folder decides. Absent flags ship with the evaluation toolkit alone (``annos/absent``, beside
``annos/gt_rect``). Without them an annotation has ``absent=None``, and ``tnl2k-matlab`` then takes the zero boxes of
absent frames for broken ones: failures for success, hits for both precisions.
"""

from __future__ import annotations

from inmo.datasets.attributes import words_for
from inmo.datasets.base import Benchmark
from inmo.datasets.flags import open_flagged

_WITHOUT_AREA = (
    "BatMan_video_09_done", "BluceLi_video_01-Done", "Chase_video_07", "ClothChange_video_10", "RaceCar_video_11-Done",
    "Wonderwomen_video_11-Done", "advSamp_BluceLi_video_08-Done", "gamGUN_11-Done", "gamGUN_5-Done", "hock_2-Done",
    "ironman_4-Done", "kongLong_video_1-Done",
)  # fmt: skip

TNL2K = Benchmark(
    name="tnl2k",
    title="TNL2K",
    open=open_flagged,
    annotations=("{anno_path}", "annos/gt_rect/{name}.txt", "gt_rect/{name}.txt", "{name}.txt"),
    folders=("{path}", "{name}/img"),
    table="tnl2k_test.csv",
    origin=0,
    protocol="tnl2k-matlab",
    flagged=True,
    without_area=dict.fromkeys(_WITHOUT_AREA, 1),
    attributes=words_for("CM ROT DEF FOC IV OV POC VC SV BC MB ARC LR FM AS TC MS"),
)
