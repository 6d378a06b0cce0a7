"""The paper's tables and figures by number, and what each is given to be made: one row and one function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import count
from pathlib import Path
from types import MappingProxyType

from inmo.datasets.base import Dataset
from inmo.errors import unknown_name
from inmo.harness.experiment.spec import Experiment
from inmo.harness.store.store import Store
from inmo.harness.workers.resources import Resources
from inmo.registry import resolve
from inmo.reports.blocks.ablation import kept_block
from inmo.reports.blocks.block import Block
from inmo.reports.scoring.stored import Evaluation, evaluate
from inmo.reports.scoring.study import read_study

TABLES: Mapping[str, str] = MappingProxyType(
    {
        "1": "inmo.harness.experiment.paper_tables:backbones",
        "2": "inmo.harness.experiment.paper_tables:comparison",
        "3": "inmo.harness.experiment.paper_tables:comparison",
        "4": "inmo.harness.experiment.paper_tables:ablation",
        "5": "inmo.harness.experiment.paper_tables:ablation",
    }
)
"""Number of a table of the paper -> the function that makes its block from a ``Work`` and that number."""

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "3": "inmo.harness.experiment.paper_figures:activation_maps",
        "4": "inmo.harness.experiment.paper_figures:hanning_sweep",
    }
)
"""Number of a figure of the paper -> the function that makes its block."""

FURTHER: Mapping[str, str] = MappingProxyType(
    {
        "claims": "inmo.harness.experiment.paper_tables:claims",
        "complexity": "inmo.harness.experiment.built:complexity",
    }
)
"""What stands beside the tables -> the function that makes its block."""

BESIDE: Mapping[str, frozenset[int]] = MappingProxyType(
    {"claims": frozenset({2, 3, 4, 5}), "complexity": frozenset({1})}
)
"""What stands beside the tables -> the tables, any of which it comes with."""

KEPT = frozenset({4, 5})
"""The tables, with any of which ablations that were measured before stand on the page."""

ABLATIONS = "ablations"
"""Folder, below the output, of the store that holds the trainings of Tables 4 and 5."""


@dataclass(frozen=True)
class Work:
    """What a table or a figure is made from.

    Attributes:
        experiment: as its file says.
        datasets: those that are open; an experiment may name more.
        store: results of the experiment's trackers; only read.
        evaluation: the scores of ``store``.
        out: results that a figure alone needs (a sweep, say) go into a store of their own below it.
        resources: where and how what is missing is run.
        absent: labels of the experiment's datasets that are not there -> why.
    """

    experiment: Experiment
    datasets: tuple[Dataset, ...]
    store: Store
    evaluation: Evaluation
    out: Path
    resources: Resources = field(default_factory=Resources)
    absent: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def ablations(self) -> Evaluation:
        """The scores of the trainings of Tables 4 and 5, which have a store of their own."""
        store = Store(self.out / ABLATIONS)
        return evaluate(store) if store.datasets() else Evaluation(())


def check(tables: Sequence[int], figures: Sequence[int]) -> None:
    """Raises UserError for a number that the paper's registry does not have."""
    for kind, numbers, known in (("table", tables, TABLES), ("figure", figures, FIGURES)):
        for number in numbers:
            if str(number) not in known:
                raise unknown_name(kind, str(number), known)


def blocks(work: Work) -> list[Block]:
    """The experiment's tables and figures in order; whatever one of them needs beyond ``work.store`` it runs itself."""
    tables = work.experiment.tables
    makers: list[Callable[[Work], Block]] = [
        partial(resolve(TABLES, str(number), "table"), number=number) for number in tables
    ]
    makers += [resolve(FURTHER, name, "block") for name in FURTHER if BESIDE[name] & set(tables)]
    makers += [resolve(FIGURES, str(number), "figure") for number in work.experiment.figures]
    kept = work.experiment.kept if KEPT & set(tables) else ()
    return [*(make(work) for make in makers), *kept_blocks([Path(file) for file in kept])]


def kept_blocks(files: Sequence[Path]) -> list[Block]:
    """A block each, under the file's name; of two measurements with one name the second is called -2."""
    made: dict[str, Block] = {}
    for file in files:
        kept, names = read_study(file), (f"{file.stem}-{number}" if number > 1 else file.stem for number in count(1))
        name = next(name for name in names if f"{kept.stem}-{name}" not in made)
        made[f"{kept.stem}-{name}"] = kept_block(kept, name)
    return [*made.values()]
