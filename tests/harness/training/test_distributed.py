"""Two processes equal one with the same pairs per step, to float rounding, and go on from where they were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from inmo.harness.training.command import run_training
from inmo.harness.training.config import CHECKPOINT, DistilConfig
from tests.conftest import ROOT
from tests.harness.training.tiny import TEACHER, tiny_config

SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from inmo.harness.training.command import run_training
from inmo.harness.training.config import DistilConfig
from tests.harness.training.tiny import TEACHER, tiny_config
schedule, batch = sys.argv[4], int(sys.argv[5])
config = tiny_config(
    Path(sys.argv[1]), sys.argv[3], steps=4, distil=DistilConfig(**TEACHER), schedule=schedule, batch=batch
)
run_training(config, Path(sys.argv[2]), device="cpu", quiet=True)
"""


KILLED = """
import os
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from inmo.harness.training import command
from tests.harness.training.test_loop import Killer
from tests.harness.training.tiny import tiny_config
photos, out, resume, kill = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "1", int(sys.argv[4])
plain = command.loader
if kill:
    die = lambda: os.kill(os.getpid(), 9)
    command.loader = lambda *words, **more: iter(Killer(plain(*words, **more), kill, die))
config = tiny_config(photos, "transinmo-star", steps=4, save_every=1, ema=0.9)
command.run_training(config, out, resume=resume, device="cpu", quiet=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("schedule", "batch"), [("small", 4), ("siamcar", 5)])
def test_two_processes_equal_one_with_the_whole_batch(photos: Path, tmp_path: Path, schedule: str, batch: int) -> None:
    """Also a batch that they cannot share evenly, and a backbone that starts to learn on the way."""
    script, tracker = tmp_path / "train.py", "transinmo-star"
    script.write_text(SCRIPT)
    config = tiny_config(
        photos, tracker, steps=4, distil=DistilConfig(**TEACHER), schedule=schedule, batch=batch
    )  # fmt: skip
    run_training(config, tmp_path / "one", device="cpu", quiet=True)
    status, said = torchrun(script, str(photos), str(tmp_path / "two"), tracker, schedule, str(batch))
    assert status == 0, said
    states = [torch.load(tmp_path / n / CHECKPOINT, weights_only=True)["network"] for n in ("one", "two")]
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], atol=1e-5, rtol=1e-3, msg=key)
    logs = [(tmp_path / name / "log.csv").read_text().splitlines()[-1].split(",")[:7] for name in ("one", "two")]
    assert [float(v) for v in logs[0]] == pytest.approx([float(v) for v in logs[1]], rel=1e-4)


@pytest.mark.slow
def test_two_processes_that_are_killed_and_resumed_equal_two_that_are_not(photos: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(KILLED)
    status, said = torchrun(script, str(photos), str(tmp_path / "straight"), "0", "0")
    assert status == 0, said
    status, said = torchrun(script, str(photos), str(tmp_path / "killed"), "0", "2")
    assert status != 0
    kept = torch.load(tmp_path / "killed" / CHECKPOINT, weights_only=True)
    assert kept["progress"][0] == 2, said
    status, said = torchrun(script, str(photos), str(tmp_path / "killed"), "1", "0")
    assert status == 0, said
    states = [torch.load(tmp_path / n / CHECKPOINT, weights_only=True) for n in ("straight", "killed")]
    assert [state["progress"][:2] for state in states] == [[4, 16], [4, 16]]
    for part in ("network", "average"):
        assert states[0][part].keys() == states[1][part].keys()
        assert all(torch.equal(states[0][part][key], states[1][part][key]) for key in states[0][part])


def torchrun(script: Path, *words: str) -> tuple[int, str]:
    """Run a script in two processes that find each other on this host; the exit status and what was said."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    with subprocess.Popen(
        [sys.executable, *start, *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, _ = process.communicate(timeout=200)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, said
