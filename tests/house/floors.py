"""The plan of the house: its rooms from the lowest floor to the highest. Imports go down or stay in their room."""

from __future__ import annotations

FLOORS = (
    "inmo.*",  # the single files of inmo/: errors, boxes, registry ...
    "inmo.datasets",
    "inmo.datasets.mini",
    "inmo.datasets.training",
    "inmo.trackers",
    "inmo.trackers.networks",
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
    "inmo.harness.live",
    "inmo.harness.experiment",
    "inmo.harness.commands",
    "inmo.harness",  # the doors: cli and library
    "inmo",  # the public face
    "run_all",
)

LARGEST = 24
"""Files in a room, at most; the commands, a file each, are the most."""

LAZY: dict[str, str] = {}
"""Modules that may import inside functions -> what start-up would else pay for."""
