"""The GPU section of docs/performance.md: ``python -m tools.gpu_section gpu.json``, of what ``tools.gpu_check`` wrote.

Without a file the section says that nothing was measured.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inmo.paths import ROOT
from inmo.trackers import tracker

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- gpu -->", "<!-- /gpu -->"
COMMAND = "```\npython -m tools.gpu_check --out gpu.json\npython -m tools.gpu_section gpu.json\n```"
NOT_MEASURED = f"""Not measured: no GPU was at hand. On a machine with one

{COMMAND}

takes at most eight minutes and writes this section: boxes against the processor's in fp32, tf32 and bf16, frames per
second of every network in 1 to 64 lanes, attention and compilation, training steps alone and through NCCL, and a run
that decoding holds up."""


def section(facts: Mapping[str, Any] | None) -> str:
    """Markdown of what was found; None: nothing was measured."""
    if facts is None:
        return NOT_MEASURED
    found, seconds = facts["found"], sum(facts["seconds"].values())
    where = f"{facts['device']}, PyTorch {facts['versions']['torch']}, {facts['machine']['cores']} processor cores"
    size = ", **a trial with small networks**" if facts["tiny"] else ""
    parts = [f"{where}, {facts['date'][:10]}{size}; {seconds:.0f} s in all:\n\n{COMMAND}"]
    speeds = [found[name] for name in found if name.startswith("speed ")]
    if speeds:
        parts.append(_speeds([timing for one in speeds for timing in one["timings"]]))
    ratios = [ratio for name in found if name.startswith("ratio ") for ratio in found[name]["ratios"]]
    parts += [_ratios(ratios)] if ratios else []
    parts += [_parity(found["parity"])] if "parity" in found else []
    parts += [_training(found["training"])] if "training" in found else []
    parts += [_decoding(found["decoding"]["timings"][0])] if "decoding" in found else []
    parts += [f"Tests of devices: {found['tests']}."] if "tests" in found else []
    parts += ["\n".join(f"* **{name} is missing**: {why}" for name, why in facts["failed"].items())]
    return "\n\n".join(part for part in parts if part)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _speeds(timings: Sequence[Mapping[str, Any]]) -> str:
    """Frames per second by tracker and lanes, a column a case; the memory of the last one."""
    cases = list(dict.fromkeys(one["case"] for one in timings))
    lines: dict[tuple[str, int], dict[str, Mapping[str, Any]]] = {}
    for one in timings:
        lines.setdefault((one["tracker"], one["lanes"]), {})[one["case"]] = one
    rows = []
    for (name, lanes), line in lines.items():
        rates = [
            f"{1e3 / statistics.median(line[case]['milliseconds']):.1f}" if case in line else "-" for case in cases
        ]
        most = max(one["memory"] for one in line.values())
        rows.append([name, str(lanes), *rates, f"{most / 2**20:.0f}"])
    return "Frames per second of the network alone:\n\n" + _table(["tracker", "lanes", *cases, "MiB"], rows)


def _ratios(ratios: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(
        f"* {one['tracker']}: `{one['second']}` is {statistics.median(one['rounds']):.2f} times as fast as "
        f"`{one['first']}` ({min(one['rounds']):.2f} to {max(one['rounds']):.2f} in {len(one['rounds'])} rounds)."
        for one in ratios
    )


def _parity(found: Mapping[str, Any]) -> str:
    """Differences from the processor's float32."""
    precisions = list(next(iter(found["outputs"].values())))
    head = ["tracker", *(f"{p}, outputs" for p in precisions), *(f"{p}, px" for p in precisions)]
    rows = [
        [
            tracker(name).title,
            *(f"{found['outputs'][name][p]:.1e}" for p in precisions),
            *(f"{found['boxes'][name][p]:.2g}" for p in precisions),
        ]
        for name in found["outputs"]
    ]
    words = (
        "Against the processor in fp32: the largest difference of the network's outputs over the largest output, with "
        f"random weights, and of the boxes of the shipped nano tracker over {found['frames']} frames:"
    )
    return f"{words}\n\n{_table(head, rows)}"


def _training(found: Mapping[str, Any]) -> str:
    rates = ", ".join(f"{rate:.0f} in {precision}" for precision, rate in found["pairs_per_second"].items())
    title = tracker(found["tracker"]).title
    return (
        f"Training {title} ({found['preset']}), {found['batch']} pairs a step: pairs per second {rates}. The loss of a "
        f"first step is {found['alone']:.6g} alone and {found['together']:.6g} through {found['library']}."
    )


def _decoding(timing: Mapping[str, Any]) -> str:
    whole = statistics.fmean(timing["milliseconds"])
    parts = timing["parts"]
    shares = ", ".join(f"{part} {parts.get(part, 0.0):.2f}" for part in ("decode", "wait", "pre", "network"))
    return (
        f"{timing['tracker']} nano from JPEGs of 1280 x 720 in {timing['lanes']} lanes: {1e3 / whole:.0f} frames per "
        f"second; milliseconds per frame: {shares} of {whole:.2f} (decoding is spent in other threads, what of it is "
        "waited for is wait)."
    )


def with_section(page: str, text: str) -> str:
    """The page with the text between its marks. Raises ValueError for a page without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} and {END} to write between")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def main(words: Sequence[str]) -> None:
    facts = json.loads(Path(words[0]).read_text(encoding="utf-8")) if words else None
    PAGE.write_text(with_section(PAGE.read_text(encoding="utf-8"), section(facts)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
