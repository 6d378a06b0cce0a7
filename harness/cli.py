"""The command line: parse, run, and turn every error into one sentence and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tyro

from inmo.errors import Exit, UserError
from inmo.harness.commands import COMMANDS, grammar, kind, run
from inmo.harness.commands.options import together

OF_THE_PROGRAM = ("-h", "--help", "--tyro-print-completion", "--tyro-write-completion")

CONFIG = (tyro.conf.OmitArgPrefixes,)  # the options of a group within a command are said without its name

EPILOGUE = """exit status: 0 done; 1 `check` or `validate` found something; 2 something the user can mend; 3 a tracker
failed on some sequences, the others are done; 130 interrupted (the same command continues)."""


def main(words: Sequence[str] | None = None) -> int:
    """Parse, run, and turn errors into one sentence. Returns the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    debug = "--debug" in words
    words = [w for w in words if w != "--debug"]
    if not words or (words[0].startswith("-") and words[0] not in OF_THE_PROGRAM):
        words.insert(0, "main")  # no command is the main job
    try:
        return run(parse(words))
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away (| head)
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        if isinstance(error, KeyboardInterrupt):
            print("interrupted: the same command continues where this one stopped", file=sys.stderr)
            return Exit.INTERRUPTED
        fault = f"{type(error).__name__}: {error} (this is a fault of the program; --debug shows where)"
        print(f"error: {error if isinstance(error, UserError) else fault}", file=sys.stderr)
        return Exit.MEND


def parse(words: Sequence[str]) -> Any:
    """A command from its words. Only the module of the command that is named is imported; --help wants all."""
    program = Path(sys.argv[0]).name if Path(sys.argv[0]).stem == "inmo" else "run_all.py"
    if words[0] in COMMANDS:
        command = kind(words[0])
        return tyro.cli(command, prog=f"{program} {words[0]}", args=together(command, words[1:]), config=CONFIG)
    description = "Benchmark and ablation harness for single-object trackers. --debug shows tracebacks.\n" + EPILOGUE
    return tyro.cli(grammar(), prog=program, description=description, args=words, config=CONFIG)
