"""Labelling a video in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from inmo.harness.commands.options import Flag, NetworkOptions
from inmo.harness.commands.shared import setups_of
from inmo.harness.web.following import Follower
from inmo.harness.web.footage import Footage
from inmo.harness.web.label import Labels


@dataclass(frozen=True)
class Label:
    """Label a video in the browser: draw a box, let a tracker propose the next frames, correct it where it drifts.

    Saved as it goes: clip/groundtruth_rect.txt and clip/absent.txt for clip.mp4, as `--dataset folder=` reads them.

    Example: python run_all.py label clip.mp4 --tracker cnninmo --preset lite
    """

    video: Positional[Path]
    """Video file, or folder of frames."""
    tracker: str = "csrt"
    """Tracker that proposes boxes."""
    network: NetworkOptions = NetworkOptions()
    allow_random_weights: Flag = False
    """Run a network without weights, knowing that its boxes mean nothing."""
    tuned_for: str = "folder"
    """Benchmark whose test-time constants are used; one without its own takes LaSOT's."""
    device: str = "auto"
    """auto, cpu, cuda ..."""
    port: int = 0
    """Port of 127.0.0.1 that the page is at; any free one unless given."""
    open: Flag = False
    """Open the page in the default browser."""


def run(command: Label) -> int:
    (setup,) = setups_of([command.tracker], command.network, command.allow_random_weights)
    footage = Footage(command.video)
    labels = Labels(command.video, footage, Follower(setup, footage, command.tuned_for, command.device))
    from inmo.harness.web.server import Server

    server = Server("label", labels.answers, labels.picture, command.port)
    print(f"labels go to {labels.home}\n{server.address}\nCtrl-C ends", flush=True)
    server.run(show=command.open)
    return 0
