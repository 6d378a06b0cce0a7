"""What several commands do: trackers as the flags ask for them, and where jobs run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields

from inmo.errors import UserError
from inmo.harness.commands.options import ClusterOptions, Lanes, NetworkOptions
from inmo.harness.constants.tuned_file import with_files
from inmo.harness.run.setup import Setup, configure, parse_overrides
from inmo.harness.workers.hosts import chosen_workers
from inmo.harness.workers.resources import Resources
from inmo.trackers import TRACKERS, tracker


@contextmanager
def resources_of(asked: ClusterOptions, jobs: int, device: str, lanes: Lanes = 1) -> Iterator[Resources]:
    """This machine's processes or a cluster, device and lanes as a command asks for them."""
    with chosen_workers(asked.backend, asked.scheduler, asked.gpus_per_host, asked.shared_store, jobs) as workers:
        yield Resources(workers, device, lanes)


def setups_of(names: Sequence[str], options: NetworkOptions, random_weights: bool) -> list[Setup]:
    """The trackers as the flags ask for them.

    An option goes to the trackers that have it, so that ``--preset`` may stand where OpenCV's are beside networks; one
    that none has is refused. ``random_weights`` is dropped where no tracker knows it.
    """
    shared = {name: getattr(options, name) for name in ("interaction", "preset", "precision", "runtime", "python")}
    shared["compile"] = options.compile or None
    has = [{field.name for field in fields(tracker(name.partition(":")[0]).config)} for name in names]
    anyone = set().union(*has)
    if options.python and "python" not in anyone:
        raise UserError("--python is for external trackers, python:, pytracking: and pysot:, and none was asked for")
    with_weights = [name for name, own in zip(names, has, strict=True) if "weights" in own]
    weights = _weights_of(names, options.weights, with_weights or names)
    overrides, setups = parse_overrides(options.set), []
    for name, own in zip(names, has, strict=True):
        others = anyone - own
        settings = {key: text for key, text in overrides.items() if key not in others}
        values = {key: value for key, value in shared.items() if key not in others}
        values["weights"] = weights.get(name)
        values["allow_random_weights"] = True if random_weights and "allow_random_weights" in own else None
        setups.append(configure(name, settings, values))
    return with_files(setups, options.tuned)


def _weights_of(names: Sequence[str], words: Sequence[str], takers: Sequence[str]) -> dict[str, str]:
    """Tracker -> its file from the words of ``--weights``: ``FILE`` for all that take one, ``TRACKER=FILE`` for one.

    Raises UserError for two files of one tracker, and a tracker that was not asked for.
    """
    found: dict[str, str] = {}
    for word in words:
        name, given, path = word.partition("=")
        own = given and (name in names or name in TRACKERS)
        for one in [name] if own else takers:
            if one not in names:
                raise UserError(f"--weights {word}: {one} is not among the trackers, {', '.join(names)}")
            if one in found:
                raise UserError(f"--weights gives {one} two files: {found[one]} and {path if own else word}")
            found[one] = path if own else word
    return found
