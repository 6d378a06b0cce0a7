"""The script for machines with a GPU: all of it on the processor, its page by hand, and what it says of failures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inmo.errors import UserError
from tests.conftest import ROOT
from tools import gpu_check
from tools.gpu_section import NOT_MEASURED, PAGE, section, with_section

TIMING = {
    "tracker": "T", "case": "precision=fp32", "lanes": 8, "milliseconds": [4.0, 2.0, 5.0], "memory": 3 << 20,
    "parts": {"decode": 1.5, "wait": 0.25, "network": 2.0},
}  # fmt: skip
FACTS: dict[str, Any] = {
    "date": "2026-11-29T00:00:00+00:00",
    "device": "cuda:0 (NVIDIA H100)",
    "tiny": False,
    "machine": {"cores": 16},
    "versions": {"torch": "2.13.0"},
    "seconds": {"a": 100.4, "b": 20.0},
    "found": {
        "speed T": {"timings": [TIMING, {**TIMING, "case": "bf16", "milliseconds": [1.0], "memory": 5 << 20}]},
        "ratio x": {"ratios": [{"tracker": "T", "first": "a", "second": "b", "rounds": [1.0, 3.0, 2.0]}]},
        "parity": {"outputs": {"transt": {"fp32": 1e-6}}, "boxes": {"transt": {"fp32": 0.004}}, "frames": 30},
        "training": {
            "tracker": "transt", "preset": "full", "batch": 32, "pairs_per_second": {"fp32": 99.6}, "library": "nccl",
            "alone": 1.25, "together": 1.25,
        },
        "decoding": {"timings": [TIMING]},
        "tests": "9 passed in 4 s",
    },
    "failed": {"speed U": "out of memory"},
}  # fmt: skip


def test_the_section_by_hand() -> None:
    text = section(FACTS)
    assert "cuda:0 (NVIDIA H100), PyTorch 2.13.0, 16 processor cores, 2026-11-29; 120 s in all" in text
    assert "| T | 8 | 250.0 | 1000.0 | 5 |" in text  # 1,000 / 4 ms and 1,000 / 1 ms
    assert "* T: `b` is 2.00 times as fast as `a` (1.00 to 3.00 in 3 rounds)." in text
    assert "| TransT | 1.0e-06 | 0.004 |" in text
    assert "pairs per second 100 in fp32. The loss of a first step is 1.25 alone and 1.25 through nccl." in text
    assert (
        "in 8 lanes: 273 frames per second; milliseconds per frame: decode 1.50, wait 0.25, pre 0.00, network 2.00"
        in text
    )
    assert "9 passed in 4 s" in text and "* **speed U is missing**: out of memory" in text
    assert "trial" not in text and "trial" in section({**FACTS, "tiny": True})


def test_the_page_has_the_section_that_the_command_writes() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_section(page, NOT_MEASURED) == page
    assert with_section(with_section(page, "other"), section(None)) == page
    with pytest.raises(ValueError, match="has no"):
        with_section("nothing", "x")


def test_what_fails_is_written_down_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(left: float) -> Any:
        gpu_check._run(["-c", "raise SystemExit('no memory')"], left, 1)

    monkeypatch.setattr(gpu_check, "steps", lambda *_: {"one": fail, "two": lambda left: 2})
    facts = gpu_check.check(gpu_check.GpuCheck(Path("x"), device="cpu"))
    assert (facts["found"], facts["failed"]) == ({"two": 2}, {"one": "no memory"})
    late = gpu_check.check(gpu_check.GpuCheck(Path("x"), device="cpu", minutes=0))
    assert late["failed"] == {"one": "no time was left", "two": "no time was left"}
    with pytest.raises(RuntimeError, match="not done in the 0 s that were left"):
        gpu_check._run(["-c", "import time; time.sleep(60)"], 0.1, 1)
    with pytest.raises(UserError, match="device 'none' cannot be used"):
        gpu_check.check(gpu_check.GpuCheck(Path("x"), device="none"))


@pytest.mark.slow
def test_all_of_it_on_the_processor(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    words = [sys.executable, "-m", "tools.gpu_check", "--tiny", "--device", "cpu", "--minutes", "60", "--out", str(out)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    facts = json.loads(out.read_text(encoding="utf-8"))
    assert not facts["failed"]
    assert facts["found"].keys() == {
        "parity", "speed siamcar", "training", "decoding", "ratio precision=bf16", "tests",
    }  # fmt: skip
    parity, training = facts["found"]["parity"], facts["found"]["training"]
    assert parity["outputs"]["siamcar"]["fp32"] == 0 < parity["outputs"]["siamcar"]["bf16"] < 0.2
    assert parity["boxes"]["siamcar"]["fp32"] == 0
    assert training["alone"] == pytest.approx(training["together"], rel=1e-4)
    text = section(facts)
    assert "SiamCAR" in text and "missing" not in text and "1 passed" in text
