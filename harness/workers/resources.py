"""What work may use: carried as one value from the command line to the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inmo.datasets.base import Dataset
from inmo.harness.run.jobs import built
from inmo.harness.run.setup import Setup
from inmo.harness.workers.cluster import Cluster


@dataclass(frozen=True)
class Resources:
    """Where and how jobs are done.

    Attributes:
        workers: processes of this machine, or a cluster.
        device: auto, cpu, cuda, cuda:1 ...
        lanes: sequences of one tracker that run in lock-step in each process, see ``run.lanes``.
    """

    workers: int | Cluster = 1
    device: str = "auto"
    lanes: int | Literal["auto"] = 1

    @property
    def tried_on(self) -> str:
        """The device on which this machine tries whether a tracker can be built: a cluster's GPUs are not here."""
        return "auto" if isinstance(self.workers, Cluster) else self.device

    def check(self, setups: Sequence[Setup], datasets: Sequence[Dataset]) -> None:
        """Build every tracker once for every dataset, so that what is wrong is said before any work.

        Raises:
            UserError: a tracker that cannot be built.
        """
        for setup in setups:
            for dataset in datasets:
                built(setup.spec.name, setup.on_dataset(dataset), self.tried_on)
