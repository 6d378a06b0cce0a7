"""Two processes equal one with the same pairs per step, to float rounding."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from harness.training.command import run_training
from harness.training.config import DistilConfig
from harness.training.loop import CHECKPOINT
from tests.conftest import ROOT
from tests.training.tiny import TEACHER, tiny_config

SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from harness.training.command import run_training
from harness.training.config import DistilConfig
from tests.training.tiny import TEACHER, tiny_config
config = tiny_config(Path(sys.argv[1]), sys.argv[3], steps=3, distil=DistilConfig(**TEACHER))
run_training(config, Path(sys.argv[2]), device="cpu", quiet=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["transinmo-star"])
def test_two_processes_equal_one_with_the_whole_batch(photos: Path, tmp_path: Path, tracker: str) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    distil = DistilConfig(**TEACHER)
    run_training(tiny_config(photos, tracker, steps=3, distil=distil), tmp_path / "one", device="cpu", quiet=True)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, *words, str(photos), str(tmp_path / "two"), tracker],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=200)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, said[-2000:]
    states = [torch.load(tmp_path / n / CHECKPOINT, weights_only=True)["network"] for n in ("one", "two")]
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], atol=1e-5, rtol=1e-3, msg=key)
    logs = [(tmp_path / name / "log.csv").read_text().splitlines()[-1].split(",")[:7] for name in ("one", "two")]
    assert [float(v) for v in logs[0]] == pytest.approx([float(v) for v in logs[1]], rel=1e-4)
