"""``python:path/or.module:Class``: a Python class with init(image, box) and update(image), in any interpreter."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from inmo.errors import UserError
from inmo.trackers.base import TrackerSpec
from inmo.trackers.external.base import ExternalTracker, Limits, content_key
from inmo.trackers.external.isolated import build
from inmo.yaml_values import NotPlainError, plain_yaml

USAGE = "--tracker python:FILE.py:CLASS or python:MODULE:CLASS"


def _target_key(target: str) -> Any:
    """A class in a file is known by its name and the file's content, one in a module by both names."""
    place, _, name = target.rpartition(":")
    return {"class": name, "in": content_key(place)} if place else target


@dataclass(frozen=True)
class ClassConfig(Limits):
    """A Python class.

    Attributes:
        target: ``FILE.py:CLASS`` or ``MODULE:CLASS``.
        python: interpreter, or folder of a virtual environment; empty = the one this runs in. It enters the key as
            written: two environments are two trackers.
        image: what the class is given: ``rgb`` or ``bgr`` (uint8 arrays (H, W, 3), its own to write in), or ``pil``
            (PIL images in RGB, as the GOT-10k toolkit gives; needs Pillow there).
        polygon: what becomes of a rotated box, x1, y1 ... x4, y4: ``refuse``, or ``enclose``, by a rectangle.
        arguments: keyword arguments of the class, a mapping in YAML's notation; of files, the content enters the key.
        path: folder where modules are looked for first; empty = that of the file, or the current one.
    """

    target: str = field(default="", metadata={"key": _target_key})
    python: str = ""
    image: Literal["rgb", "bgr", "pil"] = "rgb"
    polygon: Literal["refuse", "enclose"] = field(default="refuse", metadata={"since": "refuse"})
    arguments: str = field(default="", metadata={"key": lambda text: content_key(_arguments(text))})
    path: str = field(default="", metadata={"identity": False})

    @property
    def label(self) -> str:
        """What tables and exports call it: the class's name."""
        return self.target.rpartition(":")[2]


def build_class(config: ClassConfig, device: str) -> ExternalTracker:
    """Start the class in its interpreter. Raises UserError when it does not start."""
    module, _, name = config.target.rpartition(":")
    if not (module and name):
        raise UserError(f"a Python class is named by {USAGE}, not python:{config.target}")
    title = f"python:{config.target}"
    path = config.path or "."
    if module.endswith(".py"):
        if not Path(module).is_file():
            raise UserError(f"{title}: {module} does not exist: check the path in {USAGE}")
        module = str(Path(module).absolute())
        path = config.path or str(Path(module).parent)
    options = {
        "module": module,
        "name": name,
        "image": config.image,
        "polygon": config.polygon,
        "arguments": _arguments(config.arguments),
        "path": str(Path(path).absolute()),
    }
    return build(title, "class", options, python=config.python, limits=config, device=device)


def _arguments(text: str) -> dict[str, Any]:
    try:
        values = plain_yaml(text) if text else {}
    except NotPlainError as error:
        raise UserError(f"arguments={text:.80} cannot be read: {error}; write a mapping in YAML's notation") from error
    if not isinstance(values, dict):
        raise UserError(f"arguments={text} is no mapping: write --set arguments='{{name: value}}'")
    return {str(name): value for name, value in values.items()}


PYTHON = TrackerSpec("python", "Python class", ClassConfig(), build_class)
