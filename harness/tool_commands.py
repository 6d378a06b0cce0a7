"""What the commands of ``harness.tool_arguments`` do. Imports are local, as in ``harness.commands``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from harness import tool_arguments
from harness.commands import EXIT_FINDINGS, EXIT_HOLES, _holes, _setups


def tune(command: tool_arguments.Tune) -> int:
    from harness import tuning
    from harness.config import parse_dataset
    from harness.jobs import demand_sequences
    from harness.proposals import parse_space
    from reports.blocks import write_block
    from reports.tuning import tuning_block

    (base,) = _setups([command.tracker], command.network, random_weights=False)
    dataset = parse_dataset(command.dataset).open()
    demand_sequences([dataset], command.sequences, command.partial)
    split = tuning.split(dataset, sequences=command.sequences, holdout=command.holdout, seed=command.seed)
    for kind, names in (("tuned on", split.tuned_on), ("held out", split.held_out)):
        print(f"{kind} {len(names)}: {', '.join(names)}")
    task = tuning.Task(base, dataset, parse_space(command.space), split, command.seed)
    try:
        found = tuning.run_tuning(
            task, command.out, trials=command.trials, batch=command.batch, workers=command.jobs, device=command.device
        )
    except tuning.Interrupted as error:
        return _holes(error.outcomes)
    block = tuning_block(found)
    print(block.tables["tuning"].to_text())
    write_block(block, command.out)
    print(tuning.write_tuned(tuning.tuned_of(found), command.out / tuning.FILE))
    return 0


def play(command: tool_arguments.Play) -> int:
    from harness.play import play as start
    from trackers.base import TrackerFailure

    (setup,) = _setups([command.tracker], command.network, command.allow_random_weights)
    try:
        count = start(
            setup, command.video, box=command.box, out=command.out, most=command.frames, benchmark=command.tuned_for,
            device=command.device,
        )  # fmt: skip
    except TrackerFailure as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_HOLES
    where = f"; written to {command.out}, the boxes to {command.out.with_suffix('.csv')}" if command.out else ""
    print(f"{count} frames{where}")
    return 0


def draw(command: tool_arguments.Draw) -> int:
    from harness.store import open_store
    from reports.scenes import scene_of
    from reports.video import Film, write_film

    scene, frames, holes = scene_of(
        open_store(command.store), command.dataset, command.sequence, trackers=command.trackers, root=command.root
    )
    for hole in holes:
        print(f"without {hole.sequence}: {hole.reason}", file=sys.stderr)
    film = Film(scene, frames.read(0), command.width)
    written = write_film(film, frames, command.out, fps=command.fps)
    print(f"{command.out}: {written} frames of {film.size[0]} x {film.size[1]} pixels")
    return 0


def validate(command: tool_arguments.Validate) -> int:
    from harness.validation import submission_problems, wanted_frames

    frames = wanted_frames(command.dataset)
    problems = submission_problems(command.submission, frames)
    print("\n".join(f"{command.submission}: {problem}" for problem in problems) or f"{command.submission}: good")
    known = sum(count is not None for count in frames.values())
    rows = f"rows counted in {known} of {len(frames)} sequences"
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    print(f"{count}; {len(frames)} sequences wanted, {rows}", file=sys.stderr)
    return EXIT_FINDINGS if problems else 0


TOOLS: dict[type, Callable[[Any], int]] = {
    tool_arguments.Tune: tune,
    tool_arguments.Play: play,
    tool_arguments.Draw: draw,
    tool_arguments.Validate: validate,
}
