"""Networks as their authors released them, timed in turn with ours: one call of ``net.track`` for one search region.

A checkout is known by a file of it. It runs in a process of its own, see ``authors_worker``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from inmo.errors import UserError
from inmo.harness.bench import authors_worker
from inmo.harness.bench.cases import Case
from inmo.harness.bench.compare import Ratio
from inmo.harness.bench.scopes import demand_network, network_rounds

THEIRS = "the authors' code"


@dataclass(frozen=True)
class Release:
    """Where a tracker's code is.

    Attributes:
        repository: its name, for people.
        layout: key of ``authors_worker.BUILDERS``.
        mark: a file that shows that a folder is this repository.
        experiment: the file that says what to build; empty where the code says it.
    """

    repository: str
    layout: str
    mark: str
    experiment: str = ""


_SOTS = ("SOTS", "sots", "lib/utils/sot_builder.py")
RELEASES: Mapping[str, Release] = MappingProxyType(
    {
        "transinmo-star": Release(*_SOTS, "experiments/TransInMo.yaml"),
        "cnninmo": Release(*_SOTS, "experiments/CNNInMo.yaml"),
        "transt": Release("TransT", "transt", "ltr/models/tracking/transt.py"),
        "siamcar": Release(
            "SiamCAR", "siamcar", "pysot/models/model_builder.py", "experiments/siamcar_r50/config.yaml"
        ),
    }
)
"""Tracker -> its release. The code of the depth-wise TransInMo was never released."""


def checkout_of(name: str, folders: Sequence[Path]) -> Path:
    """The folder among some that holds a tracker's code.

    Raises UserError for a tracker whose code was not released, or is in none of them.
    """
    release = RELEASES.get(name)
    if release is None:
        raise UserError(f"no code of {name} was released: --against is for {', '.join(RELEASES)}")
    for folder in folders:
        if (folder / release.mark).is_file():
            if release.experiment and not (folder / release.experiment).is_file():
                raise UserError(f"{folder} is {release.repository}, but without {release.experiment}: check its branch")
            return folder
    raise UserError(
        f"{name} is in {release.repository}, which has {release.mark}, and of {', '.join(map(str, folders))} none has: "
        "clone it and name its folder"
    )


class Authors:
    """A running network of the authors', with random weights, ready for rounds; a context.

    Args:
        name: the tracker's.
        folder: its checkout.
        sides: of template and search region in pixels.
        steps: calls in a round.
        threads: of the processor.
        device: as torch names it.

    Raises:
        UserError: code that does not start, with what it said.
    """

    def __init__(
        self, name: str, folder: Path, sides: tuple[int, int], *, steps: int, threads: int, device: str
    ) -> None:
        self._folder, release = folder, RELEASES[name]
        self._child = subprocess.Popen(
            [sys.executable, authors_worker.__file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8",
        )  # fmt: skip
        asked = {
            "folder": str(folder.absolute()), "layout": release.layout, "experiment": release.experiment,
            "template": sides[0], "search": sides[1], "steps": steps, "threads": threads, "device": device,
        }  # fmt: skip
        self._ask(json.dumps(asked))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def round(self) -> float:
        """Seconds of a round. Raises UserError where the code fails, which ends the process."""
        return float(self._ask("round")["seconds"])

    def close(self) -> None:
        """End the process."""
        self._child.kill()
        self._child.communicate()

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._child.stdin is not None and self._child.stdout is not None
        try:
            self._child.stdin.write(line + "\n")
            self._child.stdin.flush()
            answer: dict[str, Any] = json.loads(self._child.stdout.readline())
        except (OSError, ValueError):
            answer = {"error": f"it ended with status {self._child.wait()}"}
        if "error" in answer:
            self.close()
            raise UserError(f"the code in {self._folder} does not run ({answer['error']}): see its own instructions")
        return answer


def against(name: str, case: Case, folder: Path, *, steps: int, rounds: int, threads: int, device: str) -> Ratio:
    """How many times as fast a case's network is as the authors', in rounds taken in turn; the first is not counted.

    Raises UserError for a case without a network or with more lanes than one, and see ``Authors``.
    """
    demand_network(case)
    if case.lanes > 1:
        raise UserError("the authors' code follows one target: leave lanes out")
    tracker: Any = case.build(device)
    own = network_rounds(case, tracker, [], steps)
    sizes = case.setup.config.sizes()
    sides = sizes.template_size, sizes.search_size
    with Authors(name, folder, sides, steps=steps, threads=threads, device=str(tracker.device)) as theirs:
        pairs = [(theirs.round(), own().seconds) for _ in range(rounds + 1)][1:]
    return Ratio(case.setup.spec.title, "network", THEIRS, case.label or "ours", tuple(a / b for a, b in pairs))
