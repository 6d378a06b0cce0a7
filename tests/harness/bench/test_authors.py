"""``bench --against``: stand-ins with the layout and the calls of the released repositories, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from inmo.errors import UserError
from inmo.harness.bench.authors import RELEASES, THEIRS, Authors, against, checkout_of
from inmo.harness.bench.cases import make_case
from inmo.harness.cli import main
from inmo.harness.run.setup import Setup, configure

NET = """
import time
import torch

class Net(torch.nn.Module):
    def __init__(self, wait):
        super().__init__()
        self.wait, self.down = wait, torch.nn.Conv2d(3, 2, 3)

    def template(self, inputs):
        z = inputs["template"] if isinstance(inputs, dict) else inputs
        assert z.shape == (1, 3, SIDES[0], SIDES[0]) and not self.training
        self.zf = self.down(z).mean()

    def track(self, inputs):
        x = inputs["search"] if isinstance(inputs, dict) else inputs
        assert x.shape == (1, 3, SIDES[1], SIDES[1])
        time.sleep(self.wait)
        print("frame")
        return {"cls": self.down(x) * self.zf}
"""
SOTS = {
    "lib/net.py": "SIDES = 48, 96\n" + NET,
    "lib/easydict.py": "class EasyDict(dict):\n    __getattr__ = dict.__getitem__\n",
    "lib/utils/__init__.py": "",
    "lib/utils/read_file.py": "import yaml\ndef load_yaml(path):\n    with open(path) as file:\n"
    "        return yaml.safe_load(file)\n",
    "lib/utils/sot_builder.py": "from net import Net\nclass Siamese_builder:\n    def __init__(self, cfg):\n"
    "        self.cfg = cfg\n    def build(self):\n        return Net(self.cfg.wait)\n",
    "experiments/TransInMo.yaml": "wait: 0.02\n",
    "experiments/CNNInMo.yaml": "wait: 0.0\n",
}
TRANST = {
    "ltr/models/net.py": "SIDES = 48, 96\n" + NET,
    "ltr/models/backbone/transt_backbone.py": "def build_backbone(settings, backbone_pretrained=True):\n"
    "    assert settings.position_embedding == 'sine' and not backbone_pretrained\n    return settings\n",
    "ltr/models/neck/featurefusion_network.py": "def build_featurefusion_network(settings):\n    return settings\n",
    "ltr/models/tracking/transt.py": "from ltr.models.net import Net\nclass TransT(Net):\n"
    "    def __init__(self, backbone, neck, num_classes):\n        assert (neck.nheads, num_classes) == (8, 1)\n"
    "        super().__init__(0.02)\n",
}
SIAMCAR = {
    "pysot/net.py": "SIDES = 48, 96\n" + NET,
    "pysot/core/config.py": "class Cfg:\n    def merge_from_file(self, path):\n"
    "        self.wait = float(open(path).read().split(':')[1])\ncfg = Cfg()\n",
    "pysot/models/model_builder.py": "from pysot.core.config import cfg\nfrom pysot.net import Net\n"
    "class ModelBuilder(Net):\n    def __init__(self):\n        super().__init__(cfg.wait)\n",
    "experiments/siamcar_r50/config.yaml": "wait: 0.02\n",
}
STEPS = {"steps": 2, "threads": 1, "device": "cpu"}


def checkout(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def nano(name: str, **settings: str) -> Setup:
    return configure(name, {"preset": "nano", "allow_random_weights": "true", **settings})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "files"), [("transinmo-star", SOTS), ("cnninmo", SOTS), ("transt", TRANST), ("siamcar", SIAMCAR)]
)
def test_rounds_in_turn(name: str, files: Mapping[str, str], tmp_path: Path) -> None:
    folder = checkout(tmp_path / "theirs", files)
    assert checkout_of(name, [tmp_path, folder]) == folder
    case = make_case("", 1, lambda settings: nano(name, **settings))
    ratio = against(name, case, folder, steps=1, rounds=2, threads=1, device="cpu")
    assert (ratio.scope, ratio.first, ratio.second, len(ratio.rounds)) == ("network", THEIRS, "ours", 2)
    assert all(value > 0 for value in ratio.rounds)


def test_a_round_is_so_many_calls(tmp_path: Path) -> None:
    folder = checkout(tmp_path, SOTS)
    with Authors("transinmo-star", folder, (48, 96), **STEPS) as theirs:
        assert theirs.round() >= 2 * 0.02  # each sleeps
    assert theirs._child.returncode is not None


@pytest.mark.slow
def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = checkout(tmp_path / "SiamCAR", SIAMCAR), tmp_path / "out.json"
    words = ["bench", "--tracker", "siamcar", "--preset", "nano", "--frames", "1", "--rounds", "1", "--threads", "1"]
    assert main([*words, "--against", str(folder), "--device", "cpu", "--out", str(out)]) == 0
    assert "SiamCAR, network: (ours) is " in (said := capsys.readouterr().out)
    assert "times as fast as (the authors' code)" in said
    assert json.loads(out.read_text())["ratios"][0]["first"] == THEIRS
    assert main([*words, "--against", str(tmp_path)]) == 2
    assert (
        f"siamcar is in SiamCAR, which has {RELEASES['siamcar'].mark}, and of {tmp_path} none"
        in capsys.readouterr().err
    )


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no code of transinmo was released"):
        checkout_of("transinmo", [tmp_path])
    folder = checkout(tmp_path / "SOTS", {name: text for name, text in SOTS.items() if "CNNInMo" not in name})
    with pytest.raises(UserError, match=r"is SOTS, but without experiments/CNNInMo\.yaml: check its branch"):
        checkout_of("cnninmo", [folder])
    with pytest.raises(UserError, match="follows one target"):
        case = make_case("lanes=2", 1, lambda settings: nano("siamcar", **settings))
        against("siamcar", case, folder, rounds=1, **STEPS)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("pysot/net.py", "import easydct", "ModuleNotFoundError: No module named 'easydct'"),
        ("pysot/net.py", "class Net:\n    def __init__(self, wait): pass\n", "has no attribute 'template'"),
        ("pysot/net.py", "import os\nos._exit(3)", "it ended with status 3"),
        ("pysot/net.py", "SIDES = 48, 90\n" + NET, "AssertionError"),
    ],
)
def test_code_that_does_not_run_says_why(file: str, text: str, message: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path, {**SIAMCAR, file: text})
    with pytest.raises(UserError, match=message):
        Authors("siamcar", folder, (48, 96), **STEPS)
