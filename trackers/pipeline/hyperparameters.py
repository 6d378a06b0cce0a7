"""Test-time hyper-parameters of the released trackers, per benchmark, as data.

Source: the yaml files and tuning tables of the official repositories (SOTS, TransT, SiamCAR).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, NamedTuple


class Tuning(NamedTuple):
    """One set.

    Attributes:
        penalty_k: strength of the scale and ratio change penalty; 0 switches it off.
        lr: learning rate of the size's linear smoothing, 1 = no smoothing.
        window_influence: weight of the Hanning window, 0..1.
    """

    penalty_k: float
    lr: float
    window_influence: float


FALLBACK = "lasot"

_TRANSINMO = {
    "otb100": Tuning(0.147, 0.699, 0.49),
    "lasot": Tuning(0.0, 1.0, 0.49),
    "tnl2k": Tuning(0.0, 1.0, 0.49),
    "got10k": Tuning(0.049, 1.0, 0.49),
    "trackingnet": Tuning(0.049, 1.0, 0.49),
    "uav123": Tuning(0.128, 0.913, 0.49),
    "nfs": Tuning(0.015, 0.944, 0.49),
    "vot2019": Tuning(0.143, 0.803, 0.49),
    "totb": Tuning(0.103, 0.82, 0.49),
    "tc128": Tuning(0.063, 0.519, 0.49),
}
_CNNINMO = {
    "otb100": Tuning(0.2, 0.35, 0.45),
    "lasot": Tuning(0.04, 0.33, 0.3),
    "tnl2k": Tuning(0.04, 0.33, 0.3),
    "got10k": Tuning(0.06, 0.7, 0.1),
    "trackingnet": Tuning(0.04, 0.33, 0.3),
    "uav123": Tuning(0.2, 0.4, 0.3),
    "nfs": Tuning(0.2, 0.35, 0.45),
    "vot2019": Tuning(0.2, 0.35, 0.45),
    "totb": Tuning(0.103, 0.82, 0.49),
    "tc128": Tuning(0.063, 0.519, 0.49),
}
_SIAMCAR = {
    "otb100": Tuning(0.2, 0.35, 0.45),
    "lasot": Tuning(0.04, 0.33, 0.3),
    "got10k": Tuning(0.06, 0.7, 0.1),
    "uav123": Tuning(0.2, 0.4, 0.3),
}
_TRANST = {"lasot": Tuning(0.0, 1.0, 0.49)}

HYPERPARAMETERS: Mapping[str, Mapping[str, Tuning]] = MappingProxyType(
    {
        "transinmo": _TRANSINMO,
        "transinmo-star": _TRANSINMO,
        "cnninmo": _CNNINMO,
        "transt": _TRANST,
        "siamcar": _SIAMCAR,
    }
)

_SAME_VIDEOS = {"uav123_10fps": "uav123"}


def hyperparameters(tracker: str, dataset: str) -> Tuning:
    """The set of ``tracker`` (registry name) for ``dataset`` (benchmark name).

    ``mini-<name>`` takes the set of ``<name>``, ``uav123_10fps`` that of ``uav123``; a dataset without a set of its
    own, ``folder`` included, takes LaSOT's.
    """
    name = dataset.removeprefix("mini-")
    sets = HYPERPARAMETERS[tracker]
    return sets.get(_SAME_VIDEOS.get(name, name), sets[FALLBACK])


def fill_in(tracker: str, config: Any, dataset: str) -> Any:
    """``config`` with every of its ``penalty_k``, ``lr``, ``window_influence`` that is None set from the table."""
    chosen = hyperparameters(tracker, dataset)._asdict()
    present = {item.name for item in fields(config)}
    return replace(config, **{k: v for k, v in chosen.items() if k in present and getattr(config, k) is None})
