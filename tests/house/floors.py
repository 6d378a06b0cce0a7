"""The plan of the house: its rooms from the lowest floor to the highest. Imports go down or stay in their room."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FLOORS = (
    "inmo.*",  # the single files of inmo/: errors, boxes, registry ...
    "inmo.datasets",
    "inmo.datasets.own",
    "inmo.datasets.mini",
    "inmo.datasets.training",
    "inmo.trackers",
    "inmo.trackers.networks",
    "inmo.trackers.runtimes",
    "inmo.trackers.pipeline",
    "inmo.trackers.families",
    "inmo.trackers.recorded",
    "inmo.trackers.external",
    "inmo.trackers.simple",
    "inmo.trackers.inspect",
    "inmo.harness.store",
    "inmo.harness.run",
    "inmo.harness.workers",
    "inmo.reports.scoring",
    "inmo.reports.tables",
    "inmo.reports.figures",
    "inmo.reports.video",
    "inmo.reports.blocks",
    "inmo.reports.paper",
    "inmo.reports.page",
    "inmo.reports",  # the notebook's view of scores
    "inmo.harness.constants",
    "inmo.harness.bench",
    "inmo.harness.training",
    "inmo.harness.web",
    "inmo.harness.live",
    "inmo.harness.ablation",
    "inmo.harness.experiment",
    "inmo.harness.commands",
    "inmo.harness",  # the doors: cli and library
    "inmo",  # the public face
    "run_all",
)

LARGEST = 32
"""Files in a room, at most; the commands, a file each, are the most."""

LAZY: Mapping[str, str] = MappingProxyType(
    {
        "inmo.datasets": "numpy: most commands ask for names alone",
        "inmo.harness.commands.ablate": "joblib and torch",
        "inmo.harness.commands.bench": "torch",
        "inmo.harness.commands.compare": "matplotlib",
        "inmo.harness.commands.convert": "torch",
        "inmo.harness.commands.describe": "torch",
        "inmo.harness.commands.distractors": "matplotlib",
        "inmo.harness.commands.draw": "matplotlib",
        "inmo.harness.commands.label": "tornado, an extra",
        "inmo.harness.commands.maps": "matplotlib",
        "inmo.harness.commands.play": "tornado, an extra",
        "inmo.harness.commands.plot": "matplotlib",
        "inmo.harness.commands.report": "matplotlib",
        "inmo.harness.commands.sweep": "matplotlib",
        "inmo.harness.commands.train": "joblib and torch",
        "inmo.harness.commands.tune": "matplotlib",
        "inmo.harness.experiment.activation_maps": "torch",
        "inmo.harness.experiment.paper_tables": "torch",
        "inmo.harness.experiment.main_job": "matplotlib",
        "inmo.harness.experiment.paper_figures": "matplotlib",
        "inmo.harness.experiment.speeds": "torch",
        "inmo.harness.library": "everything: a notebook asks for its names first",
        "inmo.harness.live.play": "matplotlib",
        "inmo.harness.run.lanes": "torch",
        "inmo.reports.blocks.block": "matplotlib",
        "inmo.trackers.external.frameworks": "torch",
        "inmo.reports.notebook": "matplotlib",
    }
)
"""Modules that import some of the project inside functions -> what start-up would else pay for."""
