"""An experiment as data: which trackers on which datasets, scored how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TrackerEntry:
    """One tracker.

    Attributes:
        tracker: registry name.
        label: the name in tables; its own when empty.
        settings: as for ``--set``; ``weights`` may be a file as named from here, from the experiment's folder or the
            project's.
        row: the row of the paper's Tables 2 and 3 that it stands for; the one of its label when empty. Such a tracker
            may lack its files: the row then says so, and the others are run.
        tuned: file that ``tune`` wrote, found likewise, for its constants; the page says what they were tuned on.
        compared: run on all datasets and in the tables; false for one that is there for ``maps`` and ``sweep`` alone.
    """

    tracker: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    row: str = ""
    tuned: str = ""
    compared: bool = True

    @property
    def called(self) -> str:
        """The name that the rest of the experiment's file refers to it by."""
        return self.label or self.tracker


@dataclass(frozen=True)
class DatasetEntry:
    """One dataset: registry name, root (where empty, the user's config file or the mini-suite knows it), label."""

    name: str
    root: str = ""
    label: str = ""

    @property
    def called(self) -> str:
        """Its label in the store."""
        return self.label or self.name

    @property
    def word(self) -> str:
        """As ``--dataset`` takes it."""
        return f"{self.name}:{self.called}" + (f"={self.root}" if self.root else "")


@dataclass(frozen=True)
class AblationEntry:
    """The trainings that Table 4 or 5 is measured with.

    Attributes:
        table: 4 or 5.
        settings: of every row, as for ``--set``; the row's own values are set over them.
        seeds: one training each; weights that come with the project.
        weights: row -> a file or a list of files, one per training, in place of those; found as a tracker's.
        trainings: folder that ``ablate`` filled (OUT/trainings): rows without ``weights`` are what it has of their
            network, whatever the seeds, in place of those that come with the project.
    """

    table: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    weights: Mapping[str, Any] = field(default_factory=dict)
    trainings: str = ""


@dataclass(frozen=True)
class ServerScore:
    """What an evaluation server said of a submission, in percent as it prints it.

    Attributes:
        dataset, tracker: labels.
        success, precision, norm_precision: areas under the three plots; the last two may be left out.
        source: who said so and when.
    """

    dataset: str
    tracker: str
    success: float
    precision: float | None = None
    norm_precision: float | None = None
    source: str = "the benchmark's server"

    @property
    def percent(self) -> dict[str, float]:
        """The areas that were given."""
        every = {"success": self.success, "precision": self.precision, "norm_precision": self.norm_precision}
        return {name: value for name, value in every.items() if value is not None}


@dataclass(frozen=True)
class SweepEntry:
    """Test-time constants to sweep over, all values of a sequence as one batch.

    Attributes:
        trackers: labels of the experiment's trackers.
        datasets: labels of its datasets; all when empty.
        over: values as for ``run_all.py sweep``.
    """

    trackers: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    over: tuple[str, ...] = ("window_influence=0:0.9:0.1",)


@dataclass(frozen=True)
class MapsEntry:
    """Frames to look into: what CSA and TCA do there.

    Attributes:
        trackers: labels of the experiment's trackers.
        dataset: label of one of its datasets; sequence: a name in it.
        frames: indices from 1 up, to which the tracker follows the sequence.
        stage: which interaction is shown, from 0 for the first; negative numbers count from the last.
    """

    trackers: tuple[str, ...]
    dataset: str
    sequence: str
    frames: tuple[int, ...]
    stage: int = -1


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Attributes:
        title: heading of the page.
        trackers, datasets: what is run.
        protocols: shown beside each benchmark's own.
        reference: label of the tracker that the pooled table compares the others with; empty: no such table.
        partial: run what is there of an incomplete dataset; what is missing stays a visible hole.
        speed_frames: rows whose sequences ran in lanes are timed apart over so many frames; 0 leaves their FPS empty.
        tables, figures: numbers of the paper's tables and figures to make, see ``experiment.paper``.
        results: folder of raw results of any trackers; rows of the tables that no tracker stands for are measured from
            it. It need not exist.
        ablations: what Tables 4 and 5 are measured with.
        kept: scores of ablations measured before, as ``ablate`` writes them; a file as named from here, from the
            experiment's folder or the project's. They stand on the page with their day, where Table 4 or 5 does.
        server_scores: what servers said of submissions.
        maps: what figure 3 is made of.
        sweep: what figure 4 is made of.
    """

    title: str
    trackers: tuple[TrackerEntry, ...]
    datasets: tuple[DatasetEntry, ...] = ()
    protocols: tuple[str, ...] = ()
    reference: str = ""
    partial: bool = False
    speed_frames: int = 0
    tables: tuple[int, ...] = ()
    figures: tuple[int, ...] = ()
    results: str = ""
    ablations: tuple[AblationEntry, ...] = ()
    kept: tuple[str, ...] = ()
    server_scores: tuple[ServerScore, ...] = ()
    maps: tuple[MapsEntry, ...] = ()
    sweep: SweepEntry | None = None
