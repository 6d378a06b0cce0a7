"""pytracking and pysot by name: stand-in checkouts with the two frameworks' call shapes and none of their code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inmo.errors import UserError
from inmo.harness.cli import main
from inmo.harness.run.setup import configure
from inmo.trackers.base import TrackerFailure, config_hash
from tests.clips import write_clips
from tests.datasets.tiny import write
from tests.trackers.external.programs import box, boxes, frame, started

EVALUATION = """
import importlib

class Tracker:
    def __init__(self, name, parameter_name, run_id=None, display_name=None):
        self.name, self.parameter_name = name, parameter_name

    def get_parameters(self):
        return importlib.import_module(f"pytracking.parameter.{self.name}.{self.parameter_name}").parameters()

    def create_tracker(self, params):
        assert params.debug == 0 and params.visualization is False
        return importlib.import_module(f"pytracking.tracker.{self.name}").get_tracker_class()(params)
"""
PARAMETERS = """
class Params:
    pass

def parameters():
    params = Params()
    params.speed = {speed}
    return params
"""
NEW = """
class New:
    def __init__(self, params):
        self.speed = params.speed

    def initialize(self, image, info):
        self.box = info["init_bbox"]
        assert isinstance(self.box, list)
        return {"time": 0}

    def track(self, image, info=None):
        assert set(info["previous_output"]) <= {"time", "target_bbox"}
        x, y, w, h = self.box
        self.box = [x + self.speed, y, w, h]
        out = {"target_bbox": [self.box[0], int(image[3, 7, 0]), int(image[3, 7, 2]), len(info["previous_output"])]}
        return out

def get_tracker_class():
    return New
"""
OLD = """
class Old:
    def __init__(self, params):
        pass

    def initialize(self, image, info):
        self.box = info["init_bbox"]

    def track(self, image):
        return {"target_bbox": self.box}

def get_tracker_class():
    return Old
"""


def pytracking(root: Path) -> Path:
    files = {
        "evaluation/__init__.py": EVALUATION,
        "parameter/dimp/dimp50.py": PARAMETERS.format(speed=2),
        "parameter/dimp/dimp18.py": PARAMETERS.format(speed=1),
        "parameter/atom/default.py": PARAMETERS.format(speed=0),
        "parameter/atom/shared.py": PARAMETERS.format(speed=0),
        "parameter/dimp/shared.py": PARAMETERS.format(speed=0),
        "tracker/dimp/__init__.py": NEW,
        "tracker/atom/__init__.py": OLD,
        "evaluation/local.py": "PATH = '/here'\n",
    }
    for folder in ("", "parameter", "parameter/dimp", "parameter/atom", "tracker"):
        (root / "pytracking" / folder).mkdir(parents=True, exist_ok=True)
        write(root / "pytracking" / folder / "__init__.py", "")
    for name, text in files.items():
        (root / "pytracking" / name).parent.mkdir(parents=True, exist_ok=True)
        write(root / "pytracking" / name, text)
    return root


CONFIG = """
import types
import yaml

class Config(types.SimpleNamespace):
    def merge_from_file(self, path):
        with open(path) as file:
            for name, value in yaml.safe_load(file).items():
                assert hasattr(self, name), name
                setattr(self, name, value)

cfg = Config(CUDA=True, SPEED=0)
"""
MODEL = """
import torch
from PACKAGE.core.config import cfg

class ModelBuilder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(1))

    def track(self, frame):
        return self.shift * cfg.SPEED
"""
BUILDER = """
import numpy as np
import torch

class Siam:
    def __init__(self, model):
        assert not model.training and not torch.is_grad_enabled()
        self.model = model

    def init(self, img, bbox):
        self.centre = np.array([bbox[0] + (bbox[2] - 1) / 2, bbox[1] + (bbox[3] - 1) / 2])
        self.size = np.array([bbox[2], bbox[3]])

    def track(self, img):
        self.centre[0] += float(self.model.track(img))
        x, y = self.centre - self.size / 2
        return {"bbox": [x, y, float(img[3, 7, 0]), float(img[3, 7, 2])], "best_score": 0.25}

def build_tracker(model):
    return Siam(model)
"""


def pysot(root: Path, package: str = "pysot") -> Path:
    files = {"core/config.py": CONFIG, "models/model_builder.py": MODEL, "tracker/tracker_builder.py": BUILDER}
    for name, text in files.items():
        path = root / package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (root / package, path.parent):
            write(folder / "__init__.py", "")
        write(path, text.replace("PACKAGE", package))
    experiment = root / "experiments" / "siamrpn_r50"
    experiment.mkdir(parents=True)
    write(experiment / "config.yaml", "SPEED: 4\n")
    torch.save({"state_dict": {"module.shift": torch.tensor([0.5])}, "epoch": 3}, experiment / "model.pth")
    return root


def test_pytracking_is_called_as_its_evaluation_calls_it(tmp_path: Path) -> None:
    checkout = pytracking(tmp_path / "checkout")
    tracker = started("pytracking:dimp50", checkout=checkout)
    state = tracker.init([frame()], box())
    given = frame(1)
    for i, known in ((1, 1), (2, 1)):
        wanted = [4 + 2 * i, given[3, 7, 2], given[3, 7, 0], known]  # images are RGB
        assert tracker.step([given], state).boxes.tolist() == [wanted]
    old = started("pytracking:atom", checkout=checkout)
    assert old.step([given], old.init([given], box())).boxes.tolist() == [[4, 5, 10, 8]]


def test_pysot_is_called_as_its_scripts_call_it(tmp_path: Path) -> None:
    tracker = started("pysot:siamrpn_r50", checkout=pysot(tmp_path / "checkout"))
    state = tracker.init([frame()], box())
    given = frame(1)
    for i in (1, 2):
        step = tracker.step([given], state)
        # its test script's half pixel makes what goes in come out; 2 = 0.5 of the checkpoint x 4 of the YAML
        assert step.boxes.tolist() == [[4 + 2 * i, 5, given[3, 7, 0], given[3, 7, 2]]]
        assert step.scores.tolist() == [0.25]


def test_a_fork_and_files_of_ones_own(tmp_path: Path) -> None:
    checkout = pysot(tmp_path / "checkout", "siamban")
    config, weights = write(tmp_path / "fast.yaml", "SPEED: 10\nCUDA: false\n"), tmp_path / "w.pth"
    torch.save({"shift": torch.tensor([1.5])}, weights)
    tracker = started("pysot:mine", checkout=checkout, config=config, weights=weights)
    assert tracker.step([frame()], tracker.init([frame()], box())).boxes[0, 0] == 19


def test_a_snapshot_of_a_training_is_read(tmp_path: Path) -> None:
    """Its learning rates are scalars of numpy's, which torch's own careful reader refuses."""
    checkout = pysot(tmp_path / "checkout")
    rates = np.logspace(-2, -3, 20)
    groups = [{"lr": rates[3], "initial_lr": rates[0], "params": [0]}]
    content = {"epoch": 3, "optimizer": {"state": {}, "param_groups": groups}}
    path = checkout / "experiments/siamrpn_r50/model.pth"
    torch.save({**content, "state_dict": {"module.shift": torch.tensor([0.5])}}, path)
    tracker = started("pysot:siamrpn_r50", checkout=checkout)
    assert tracker.step([frame()], tracker.init([frame()], box())).boxes[0, 0] == 6


def test_names_in_tables(tmp_path: Path) -> None:
    """A label is the framework's own short name."""
    names = {
        "pytracking:dimp50": pytracking(tmp_path / "a"),
        "pytracking:atom/default": tmp_path / "a",
        "pytracking:atom": tmp_path / "a",
        "pysot:siamrpn_r50": pysot(tmp_path / "b"),
    }
    setups = [configure(target, {"checkout": str(checkout)}) for target, checkout in names.items()]
    assert [setup.on("lasot").label for setup in setups] == ["dimp50", "atom", "atom", "siamrpn_r50"]


def key(target: str, **settings: Path | str) -> str:
    setup = configure(target, {name: str(value) for name, value in settings.items()})
    return config_hash(setup.spec.name, setup.on("lasot"))


def test_code_and_files_of_a_checkout_enter_the_key(tmp_path: Path) -> None:
    first, second = pytracking(tmp_path / "a"), pytracking(tmp_path / "b")
    known = key("pytracking:dimp50", checkout=first)
    assert key("pytracking:dimp/dimp50", checkout=second) == known != key("pytracking:dimp18", checkout=first)
    write(second / "pytracking/evaluation/local.py", "PATH = '/there'\n")
    (second / ".venv").mkdir()
    write(second / ".venv" / "x.py", "")
    assert key("pytracking:dimp50", checkout=second) == known
    write(second / "pytracking/parameter/dimp/dimp50.py", PARAMETERS.format(speed=3))
    assert key("pytracking:dimp50", checkout=second) != known
    sot = pysot(tmp_path / "sot")
    known = key("pysot:siamrpn_r50", checkout=sot)
    write(sot / "experiments/siamrpn_r50/config.yaml", "SPEED: 5\n")
    changed = key("pysot:siamrpn_r50", checkout=sot)
    torch.save({"shift": torch.tensor([2.5])}, sot / "experiments/siamrpn_r50/model.pth")
    assert len({known, changed, key("pysot:siamrpn_r50", checkout=sot)}) == 3


@pytest.mark.parametrize(
    ("target", "where", "message"),
    [
        ("pytracking", "tracking", "pytracking needs to know which tracker"),
        ("pytracking:dimp50", "", "needs pytracking's own code: add --set checkout=FOLDER"),
        ("pytracking:dimp50", "sot", "is no checkout of pytracking, it has no folder pytracking/parameter"),
        ("pytracking:dimp51", "tracking", "did you mean dimp/dimp50"),
        ("pytracking:shared", "tracking", "may be atom/shared or dimp/shared"),
        ("pysot:siamrpn_r5", "sot", "did you mean siamrpn_r50"),
        ("pysot:siamrpn_r50", "tracking", "is no checkout of pysot"),
        ("pysot:empty", "sot", "config.yaml does not exist: put it there or name it with --set config=FILE"),
    ],
)
def test_mistakes_are_said(target: str, where: str, message: str, tmp_path: Path) -> None:
    roots = {"tracking": pytracking(tmp_path / "tracking"), "sot": pysot(tmp_path / "sot"), "": ""}
    (tmp_path / "sot" / "experiments" / "empty").mkdir()
    with pytest.raises(UserError, match=message):
        started(target, checkout=roots[where])


def test_two_packages_want_a_name(tmp_path: Path) -> None:
    checkout = pysot(tmp_path / "checkout")
    (checkout / "other" / "tracker").mkdir(parents=True)
    write(checkout / "other" / "tracker" / "tracker_builder.py", "")
    with pytest.raises(UserError, match="not other and pysot: name it with --set package=NAME"):
        started("pysot:siamrpn_r50", checkout=checkout)
    config = configure("pysot:siamrpn_r50", {"checkout": str(checkout), "package": "pysot"})
    assert config.on("lasot").package == "pysot"


def test_an_answer_of_another_shape_is_a_failure(tmp_path: Path) -> None:
    checkout = pytracking(tmp_path / "checkout")
    write(checkout / "pytracking/tracker/atom/__init__.py", OLD.replace('"target_bbox"', '"segmentation"'))
    tracker = started("pytracking:atom", checkout=checkout)
    state = tracker.init([frame()], box())
    with pytest.raises(TrackerFailure, match="pytracking:atom/default raised KeyError: 'target_bbox' at frame 1"):
        tracker.step([frame()], state)


def test_it_runs_in_its_folder_and_stores(tmp_path: Path) -> None:
    checkout, clips = pytracking(tmp_path / "checkout"), write_clips(tmp_path / "clips")
    text = OLD.replace("return {", 'open("pytracking/here", "w").close(); return {')
    write(checkout / "pytracking/tracker/atom/__init__.py", text)
    words = ["--set", f"checkout={checkout}", "--dataset", f"folder={clips}", "--store", str(tmp_path / "s")]
    assert main(["track", "--tracker", "pytracking:atom", *words]) == 0
    assert (checkout / "pytracking" / "here").exists()
    assert boxes(tmp_path / "s", "short").tolist() == [[4, 6, 16, 14]] * 6
