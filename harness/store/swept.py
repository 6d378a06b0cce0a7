"""Where the results of a sweep stand in a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Values = tuple[float, ...]


@dataclass(frozen=True)
class Swept:
    """One tracker on one dataset under all values of a sweep: where the results of each stand in the store.

    Attributes:
        tracker: its name in tables.
        dataset: label of the dataset in the store.
        over: names of the constants.
        own: the tracker's own values of them on this dataset.
        runs: values, in the order of ``over`` -> folder of the run (``store.Run.folder``).
    """

    tracker: str
    dataset: str
    over: tuple[str, ...]
    own: Values
    runs: Mapping[Values, str]
