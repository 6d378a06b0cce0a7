"""The paper's figures: what each needs is run where it is missing and kept below OUT, then drawn from what is kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from inmo.datasets.base import Dataset
from inmo.errors import UserError
from inmo.harness.constants.sweep import parse_over, run_sweep, swept
from inmo.harness.experiment.activation_maps import run_maps
from inmo.harness.experiment.paper import Work
from inmo.harness.experiment.run import setups
from inmo.harness.run.setup import Setup
from inmo.harness.store.store import open_store
from inmo.reports.blocks.block import Block
from inmo.reports.figures.style import styles

MAPS, SWEEPS = "maps", "sweeps"


def activation_maps(work: Work) -> Block:
    """Figure 3: what CSA and TCA do in chosen frames.

    Raises UserError for an experiment that chooses none, or a sequence or frame that is not there. A dataset that is
    not open, a sequence without its images where the experiment is ``partial``, or a tracker whose files are missing,
    is a note.
    """
    from inmo.reports.blocks.response_maps import maps_block

    if not work.experiment.maps:
        raise UserError("figure 3 wants lines 'maps:' in the experiment: trackers, dataset, sequence and frames")
    found, notes = [], []
    for entry in work.experiment.maps:
        datasets, absent = _chosen_datasets(work.datasets, [entry.dataset])
        ready, broken = _ready(work, entry.trackers, datasets)
        notes += absent + broken
        for dataset in datasets:
            for setup in ready:
                try:
                    made = run_maps(
                        work.out / MAPS, setup, dataset, entry.sequence, entry.frames, device=work.resources.device
                    )
                except UserError as error:
                    if not (work.experiment.partial and _without_images(dataset, entry.sequence)):
                        raise
                    notes.append(f"{setup.called} is left out: {error}.")
                    continue
                found += [(item, entry.stage) for item in made]
    return maps_block(found, stem="figure3", title="Figure 3: what CSA and TCA do", notes=list(dict.fromkeys(notes)))


def hanning_sweep(work: Work) -> Block:
    """Figure 4: AUC against the weight of the Hanning window, or whatever constant the experiment sweeps over.

    Raises UserError for an experiment without a sweep. A dataset that is not open, or a tracker whose files are
    missing, is a note.
    """
    from inmo.reports.blocks.sweeps import read_sweep, sweep_block

    entry = work.experiment.sweep
    if entry is None:
        raise UserError("figure 4 wants lines 'sweep:' in the experiment: trackers, datasets and values")
    over = parse_over(entry.over)
    datasets, absent = _chosen_datasets(work.datasets, entry.datasets)
    bases, broken = _ready(work, entry.trackers, datasets)
    store = open_store(work.out / SWEEPS, write=True)
    _, wanted, done = run_sweep(store, bases, over, datasets, resources=work.resources, partial=work.experiment.partial)
    sys.stderr.write(f"sweep: {wanted} runs of a sequence wanted, {done} were done before\n")
    # as everywhere on the page; trackers of the sweep alone come after the others
    look = styles((*work.evaluation.trackers, *(base.called for base in bases)))
    words = (
        "All values of a sequence were followed as one batch that shares frames and template. "
        "Bands are 95 % bootstrap intervals over sequences."
    )
    what = "the Hanning weight" if [*over] == ["window_influence"] else ", ".join(over)
    block = sweep_block(
        read_sweep(store, swept(bases, over, datasets)), tuple(over), look, stem="figure4",
        title=f"Figure 4: AUC against {what}", words=words,
    )  # fmt: skip
    return replace(block, notes=(*block.notes, *absent, *broken))


def _without_images(dataset: Dataset, name: str) -> bool:
    """Whether a sequence is known and its images are not all there."""
    try:
        return any(s.name == name and (s.frames is None or not len(s.frames())) for s in dataset.sequences)
    except UserError:
        return True


def _ready(work: Work, labels: Sequence[str], datasets: Sequence[Dataset]) -> tuple[list[Setup], list[str]]:
    """The experiment's trackers of these labels that can be built, and why the others cannot."""
    entries = zip(work.experiment.trackers, setups(work.experiment), strict=True)
    known = {entry.called: setup for entry, setup in entries}
    ready, notes = [], []
    for label in labels:
        setup = known[label]
        try:
            work.resources.check([setup], datasets)
        except UserError as error:
            notes.append(f"{label} is left out: {error}.")
        else:
            ready.append(setup)
    return ready, notes


def _chosen_datasets(datasets: Sequence[Dataset], labels: Sequence[str]) -> tuple[list[Dataset], list[str]]:
    """The open datasets of these labels (all for none), and notes on those that are not open."""
    known = {dataset.label: dataset for dataset in datasets}
    absent = [f"{label} is not there and left out." for label in labels if label not in known]
    return [known[label] for label in labels or known if label in known], absent
