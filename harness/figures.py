"""The paper's figures: what each needs is run where it is missing and kept below OUT, then drawn from what is kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from datasets.base import Dataset
from datasets.errors import UserError, unknown_name
from harness.experiment import setups
from harness.maps import run_maps
from harness.store import open_store
from harness.sweep import parse_over, run_sweep, swept

if TYPE_CHECKING:
    from harness.config import Setup
    from harness.experiment import Experiment
    from harness.regenerate import Work
    from reports.blocks import Block
    from reports.plots import Style

MAPS, SWEEPS = "maps", "sweeps"


def activation_maps(work: Work) -> Block:
    """Figure 3: what CSA and TCA do in chosen frames.

    Raises UserError for an experiment that chooses none, or names and frames that are not there.
    """
    from reports.maps import maps_block

    if not work.experiment.maps:
        raise UserError("figure 3 wants lines 'maps:' in the experiment: trackers, dataset, sequence and frames")
    known, found, notes = {dataset.label: dataset for dataset in work.datasets}, [], []
    for entry in work.experiment.maps:
        if entry.dataset not in known:
            notes.append(f"{entry.dataset} is named in the experiment and not open here: no maps of {entry.sequence}.")
            continue
        for setup in _chosen_setups(work.experiment, entry.trackers):
            folder = work.out / MAPS
            made = run_maps(folder, setup, known[entry.dataset], entry.sequence, entry.frames, device=work.device)
            found += [(item, entry.stage) for item in made]
    return maps_block(found, stem="figure3", title="Figure 3: what CSA and TCA do", notes=notes)


def hanning_sweep(work: Work) -> Block:
    """Figure 4: AUC against the weight of the Hanning window, or whatever constant the experiment sweeps over.

    Raises UserError for an experiment without a sweep, or names in it that are not the experiment's.
    """
    from reports.sweeps import read_sweep, sweep_block

    entry = work.experiment.sweep
    if entry is None:
        raise UserError(
            "figure 4 wants lines 'sweep:' in the experiment: trackers, datasets and values, see experiments/"
        )
    bases = _chosen_setups(work.experiment, entry.trackers)
    datasets, absent = _chosen_datasets(work.datasets, entry.datasets)
    over = parse_over(entry.over)
    store = open_store(work.out / SWEEPS, write=True)
    _, wanted, done = run_sweep(
        store, bases, over, datasets, workers=work.workers, device=work.device, partial=work.experiment.partial
    )
    sys.stderr.write(f"sweep: {wanted} runs of a sequence wanted, {done} were done before\n")
    names = [base.label or base.spec.title for base in bases]
    look, numbers = _look(work, names)
    words = (
        "All values of a sequence were followed as one batch that shares frames and template. "
        "Bands are 95 % bootstrap intervals over sequences."
    )
    block = sweep_block(
        read_sweep(store, swept(bases, over, datasets)), tuple(over), look, numbers,
        stem="figure4", title="Figure 4: AUC against the Hanning weight", words=words,
    )  # fmt: skip
    gone = tuple(f"{name} is named in the experiment and not open here: no curve." for name in absent)
    return replace(block, notes=(*block.notes, *gone))


def _chosen_setups(experiment: Experiment, labels: Sequence[str]) -> list[Setup]:
    """The experiment's trackers of these labels. Raises UserError for one that it does not have."""
    known = {
        entry.label or entry.tracker: setup
        for entry, setup in zip(experiment.trackers, setups(experiment), strict=True)
    }
    for label in labels:
        if label not in known:
            raise unknown_name("tracker of the experiment", label, known)
    return [known[label] for label in labels]


def _chosen_datasets(datasets: Sequence[Dataset], labels: Sequence[str]) -> tuple[list[Dataset], list[str]]:
    """The open datasets of these labels (all for none), and the labels that are not open."""
    known = {dataset.label: dataset for dataset in datasets}
    absent = [label for label in labels if label not in known]
    if labels and len(absent) == len(labels):
        raise UserError(
            f"none of {', '.join(labels)} is open: give one as --dataset NAME=ROOT, or leave the figure out"
        )
    return [known[label] for label in labels or known if label in known], absent


def _look(work: Work, names: Sequence[str]) -> tuple[dict[str, Style], dict[str, int]]:
    """Style and number of trackers as everywhere on the page; others come after them."""
    from reports.plots import styles

    look = styles((*work.evaluation.trackers, *names))
    return look, {name: number for number, name in enumerate(look)}
