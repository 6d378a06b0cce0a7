"""``run_all.py bench``: cases from its words, their measurement, and text and JSON of it."""

from __future__ import annotations

import datetime
import itertools
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from inmo.errors import UserError
from inmo.harness.bench.authors import against, checkout_of
from inmo.harness.bench.cases import Case, make_case
from inmo.harness.bench.ceiling import Ceiling, measure_ceiling
from inmo.harness.bench.clips import make_films
from inmo.harness.bench.compare import Ratio, Timing, ratio_of, time_in_turn
from inmo.harness.bench.complexity import costs, parse_over
from inmo.harness.bench.profile import profile
from inmo.harness.bench.scopes import demand_network
from inmo.harness.bench.timing_tables import ceilings_text, ratios_text, timings_text
from inmo.harness.run.setup import Setup
from inmo.harness.store import provenance
from inmo.reports.blocks.block import write_block
from inmo.reports.blocks.complexity import complexity_block
from inmo.trackers.pipeline.neural import resolve_device

SetupOf = Callable[[str, Mapping[str, str]], Setup]


@dataclass(frozen=True)
class Asked:
    """What is to be measured; ``commands.bench`` says what each word means."""

    tracker: tuple[str, ...]
    scope: tuple[str, ...]
    lanes: tuple[int, ...]
    case: tuple[str, ...]
    compare: tuple[str, str] | None
    over: str
    against: tuple[Path, ...]
    frames: int
    rounds: int
    threads: int
    device: str
    profile: bool
    out: Path | None


def bench(command: Asked, setup_of: SetupOf) -> str:
    """Measure what the command asks for.

    Args:
        command: its words.
        setup_of: (tracker's name, its settings) -> its setup with weights or random ones.

    Returns:
        The report to print; with ``--out`` the same as JSON is written.

    Raises:
        UserError: settings that cannot be, or a device that is not there.
    """
    if min(command.frames, command.rounds, command.threads) < 1:
        raise UserError("--frames, --rounds and --threads want numbers from 1 up")
    groups = [_cases(command, name, setup_of) for name in command.tracker]
    every = [case for group in groups for case in group]
    if command.over:
        return _over_sizes(command, every)
    if command.against:
        return _against(command, groups)
    precisions = dict.fromkeys(case.precision for case in every if case.setup.spec.network is not None)
    device = resolve_device(command.device) if precisions else None
    timings: list[Timing] = []
    ratios: list[Ratio] = []
    with tempfile.TemporaryDirectory() as folder:
        films = make_films(Path(folder), max(case.lanes for case in every), command.frames)
        for group, scope in itertools.product(groups, command.scope):
            # Cases to compare take turns; the others go one after the other, so that one network at a time has memory.
            for cases in [group] if command.compare else [[case] for case in group]:
                if scope == "network" and cases[0].setup.spec.network is None and len(command.scope) > 1:
                    continue
                tqdm.write(f"{cases[0].setup.spec.title}, {scope} ...", file=sys.stderr)
                found = time_in_turn(
                    cases, scope, films, steps=command.frames, rounds=command.rounds, device=command.device
                )
                timings += found
                ratios += [ratio_of(*found)] if command.compare else []
    ceilings = {} if device is None else {p: measure_ceiling(device, p) for p in precisions}
    profiles = [profile(case, command.device) for case in every] if command.profile else []
    _write(command, timings, ratios, ceilings)
    parts = [timings_text(timings), ceilings_text(ceilings), ratios_text(ratios), *profiles]
    return "\n\n".join(part for part in parts if part)


def _over_sizes(command: Asked, cases: Sequence[Case]) -> str:
    """The cost of the interaction alone against the size of the search region, see ``bench.complexity``."""
    sides, found = parse_over(command.over), []
    several = len(command.tracker) > 1
    for case in cases:
        network_of = demand_network(case)
        tqdm.write(f"{case.setup.spec.title}, {case.label} ...", file=sys.stderr)
        name = f"{case.setup.spec.title} {case.label}".strip() if several else case.label
        network = network_of(case.setup.on("lasot")).eval()
        found += costs(network, name, sides, command.rounds)
    titles = ", ".join(dict.fromkeys(case.setup.spec.title for case in cases))
    block = complexity_block(found, titles, machine_words(command.threads))
    if command.out is not None:
        write_block(block, command.out)
    return "\n".join(table.to_text() for table in block.tables.values())


def _against(command: Asked, groups: Sequence[Sequence[Case]]) -> str:
    """Our networks and their authors' in turn, see ``bench.authors``."""
    folders = [checkout_of(name, command.against) for name in command.tracker]  # before anything takes time
    ratios = []
    for name, folder, group in zip(command.tracker, folders, groups, strict=True):
        for case in group:
            tqdm.write(f"{case.setup.spec.title} against {folder} ...", file=sys.stderr)
            ratios.append(
                against(
                    name, case, folder, steps=command.frames, rounds=command.rounds, threads=command.threads,
                    device=command.device,
                )
            )  # fmt: skip
    _write(command, [], ratios, {})
    return ratios_text(ratios)


def machine_words(threads: int) -> str:
    """The processor, the threads and the date for a caption."""
    name = provenance.machine()["processor"]
    return f"{name}, {threads} thread{'s' if threads > 1 else ''}, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}"


def _cases(command: Asked, name: str, setup_of: SetupOf) -> list[Case]:
    own = partial(setup_of, name)
    if command.compare:
        cases = [make_case(text, command.lanes[0], own) for text in command.compare]
    else:
        texts = command.case or ("",)
        cases = [make_case(text, lanes, own) for text, lanes in itertools.product(texts, command.lanes)]
        cases = list({(case.label, case.lanes): case for case in cases}.values())  # lanes= in a case is said once
    for case in cases:
        if case.lanes > 1 or command.scope == ("network",) or command.profile:
            demand_network(case)
    return cases


def _write(command: Asked, timings: Sequence[Timing], ratios: Sequence[Ratio], ceilings: Mapping[str, Ceiling]) -> None:
    if command.out is None:
        return
    facts = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": ["run_all.py", *sys.argv[1:]],
        "machine": provenance.machine(),
        "versions": provenance.versions(),
        "device": command.device,
        "threads": command.threads,
        "frames": command.frames,
    }
    numbers = {
        "timings": [asdict(timing) for timing in timings],
        "ratios": [asdict(ratio) for ratio in ratios],
        "ceilings": [asdict(ceiling) for ceiling in ceilings.values()],
    }
    command.out.parent.mkdir(parents=True, exist_ok=True)
    command.out.write_text(json.dumps({**facts, **numbers}, indent=1) + "\n", encoding="utf-8")
