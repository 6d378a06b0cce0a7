"""What the commands of ``harness.tool_arguments`` do. Imports are local, as in ``harness.commands``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from harness import tool_arguments
from harness.commands import EXIT_FINDINGS, _demand_sequences, _holes, _setups


def tune(command: tool_arguments.Tune) -> int:
    from harness import tuning
    from harness.config import parse_dataset
    from harness.proposals import parse_space
    from reports.blocks import write_block
    from reports.tuning import tuning_block

    (base,) = _setups([command.tracker], command.network, random_weights=False)
    dataset = parse_dataset(command.dataset).open()
    _demand_sequences([dataset], command.sequences, command.partial)
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
    tool_arguments.Validate: validate,
}
