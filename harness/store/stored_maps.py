"""Activation maps as they are kept: a file per frame, written once and read by the report."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from operator import eq
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inmo.datasets.images import Frame
from inmo.errors import UserError
from inmo.seals import check_seal
from inmo.trackers.base import ActivationMap, RealKeys


@dataclass(frozen=True)
class Maps:
    """One step of a tracker, looked into.

    Attributes:
        tracker: name in tables; dataset: label; sequence: name; frame: index from 0.
        template, search: (Z, Z, 3) and (X, X, 3) uint8 BGR, what the network sees.
        parts: the maps in the order in which the parts ran.
        score: (R, R) float64 foreground probability.
        box: (4,) x, y, w, h found, as fractions of the search region.
        facts: who made it: config, hash, versions, machine, device, date, fingerprint of the annotation.
    """

    tracker: str
    dataset: str
    sequence: str
    frame: int
    template: Frame
    search: Frame
    parts: tuple[ActivationMap, ...]
    score: NDArray[np.float64]
    box: NDArray[np.float64]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def interactions(self) -> list[tuple[ActivationMap, ActivationMap]]:
        """CSA and TCA that belong together, from the first stage to the last.

        A TCA belongs to the CSA whose module's path has most in common with its own, the later one among equals.
        """
        own = [part for part in self.parts if part.part == "CSA"]
        pairs = []
        for other in (part for part in self.parts if part.part == "TCA"):
            near = max(own, key=lambda part: (_common(part.name, other.name), own.index(part)), default=None)
            if near is not None:
                pairs.append((near, other))
        return pairs


def read_maps(path: Path) -> Maps:
    """Maps from their file. Raises UserError for one that is damaged."""
    try:
        data = path.read_bytes()
        check_seal(path, data)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            keys = facts.get("keys", [None] * len(facts["parts"]))  # earlier versions have counts of padded ones
            parts = tuple(
                ActivationMap(part, name, stored[f"change{n}"], stored[f"response{n}"], own and RealKeys(dict(own)))
                for n, ((part, name, *_), own) in enumerate(zip(facts["parts"], keys, strict=True))
            )
            arrays = {key: stored[key] for key in ("template", "search", "score", "box")}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(f"cannot read the activation maps {path} ({error}): delete the file and run again") from error
    names = {key: facts.pop(key) for key in ("tracker", "dataset", "sequence", "frame")}
    return Maps(**names, **arrays, parts=parts, facts=facts)


def _common(one: str, other: str) -> int:
    """How many leading steps two module paths share."""
    return sum(takewhile(bool, map(eq, one.split("."), other.split("."))))
