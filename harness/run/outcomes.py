"""What is said of a command's runs: how many there were, and every hole."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from inmo.errors import Exit
from inmo.harness.run.jobs import Outcome, demand_stored


def say_runs(wanted: int, done: int, outcomes: Sequence[Outcome], store: Path) -> None:
    """How much there was to do, and who did it."""
    others = sum(len(outcome.job.runs) for outcome in outcomes if outcome.state == "elsewhere")
    shared = f", {wanted - others} done here, {others} by another run at the same time" if others else ""
    sys.stderr.write(f"{wanted} runs of a sequence wanted, {done} were done before{shared}; results in {store}\n")


def say_holes(outcomes: Sequence[Outcome]) -> int:
    """One line per hole and note; the exit status tells broken data (2) from a tracker that failed (3).

    Raises UserError when results that were stored are gone.
    """
    demand_stored(outcomes)
    holes = [o for o in outcomes if o.reason]
    for outcome in holes:
        sys.stderr.write(f"hole: {outcome.words}\n")
    for note, count in Counter(outcome.note for outcome in outcomes if outcome.note).items():
        sys.stderr.write(f"note: {count} sequence{'s' * (count != 1)}: {note}\n")
    if any(o.crashed for o in holes):
        return Exit.FAILED
    return Exit.MEND if holes else 0
