"""The authors' networks in a process of their own: their packages' names (``lib``, ``util``, ``utils``) are anybody's.

Run by ``bench.authors`` as a script, with nothing of this project. The first line in is a mapping of what to build, and
every later line asks for a round. Every line out is a mapping: ``ready``, ``seconds`` of a round, or ``error``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
from pathlib import Path
from time import perf_counter
from typing import Any


def sots(folder: Path, experiment: str) -> Any:
    """TransInMo* and CNNInMo: (template, track) of a network with random weights."""
    sys.path.insert(0, str(folder / "lib"))
    reader, builder = (importlib.import_module(f"utils.{name}") for name in ("read_file", "sot_builder"))
    config = importlib.import_module("easydict").EasyDict(reader.load_yaml(str(folder / experiment)))
    net = builder.Siamese_builder(config).build()
    return net, lambda images: net.template({"template": images}), lambda images: net.track({"search": images})


def transt(folder: Path, experiment: str) -> Any:
    """TransT, with the values of its training settings, which hold no network by themselves."""
    sys.path.insert(0, str(folder))
    backbone = importlib.import_module("ltr.models.backbone.transt_backbone")
    neck = importlib.import_module("ltr.models.neck.featurefusion_network")
    model = importlib.import_module("ltr.models.tracking.transt")
    values = {"hidden_dim": 256, "dropout": 0.1, "nheads": 8, "dim_feedforward": 2048, "featurefusion_layers": 4}
    settings = types.SimpleNamespace(position_embedding="sine", **values)
    body = backbone.build_backbone(settings, backbone_pretrained=False)
    net = model.TransT(body, neck.build_featurefusion_network(settings), num_classes=1)
    return net, net.template, net.track


def siamcar(folder: Path, experiment: str) -> Any:
    """SiamCAR."""
    sys.path.insert(0, str(folder))
    config = importlib.import_module("pysot.core.config").cfg
    config.merge_from_file(str(folder / experiment))
    net = importlib.import_module("pysot.models.model_builder").ModelBuilder()
    return net, net.template, net.track


BUILDERS = {"sots": sots, "transt": transt, "siamcar": siamcar}


def main() -> None:
    """Answer until the input ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer
    del sys.path[0]  # this folder: its modules must not stand in for the authors'

    def say(**answer: Any) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    try:
        asked = json.loads(sys.stdin.readline())
        import torch

        torch.set_num_threads(asked["threads"])
        torch.set_grad_enabled(False)
        torch.manual_seed(0)
        folder = Path(asked["folder"])
        os.chdir(folder)
        net, template, track = BUILDERS[asked["layout"]](folder, asked["experiment"])
        device = torch.device(asked["device"])
        net.eval().to(device)
        crops = (torch.rand(1, 3, side, side, device=device) for side in (asked["template"], asked["search"]))
        first, images = crops
        template(first)
        track(images)
        say(ready=True)
        for _ in sys.stdin:
            _wait(device)
            started = perf_counter()
            for _ in range(asked["steps"]):
                track(images)
            _wait(device)
            say(seconds=perf_counter() - started)
    except Exception as error:
        say(error=f"{type(error).__name__}: {error}")


def _wait(device: Any) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
