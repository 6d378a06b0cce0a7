"""Model cards of the shipped weights, written from the weights' own metadata and from stored results.

    python -m tools.model_cards "real video=output/real/store" "mini-suite=output/store"

Every number on a card is read: steps, pairs, seed, minutes and validation from the safetensors file, scores from
results that were tracked with exactly this file (by its SHA-256).
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inmo.errors import UserError
from inmo.harness.store.records import display_names
from inmo.harness.store.rerun_command import shipped_weights as checkout_weights
from inmo.harness.store.store import Store, open_store
from inmo.harness.training.checkpoints import read_facts
from inmo.reports.scoring.statistics import FRACTIONS, bootstrap_interval, compare_with_best
from inmo.reports.scoring.stored import evaluate
from inmo.reports.tables.pooled import pooled_scores, pooled_table
from inmo.seals import SUMS
from inmo.trackers import tracker
from inmo.trackers.base import file_sha256
from inmo.trackers.pipeline.family import shipped_weights
from inmo.trackers.pipeline.shipped import FOLDER, parts
from tools.door import leave_after

REFERENCE = "KCF"
LOWEST = 4  # sequences that a card names for what the tracker cannot do


def facts(path: Path) -> dict[str, Any]:
    """The metadata of a weights file. Raises UserError when it was not written by ``train``."""
    known = read_facts(path)
    if not {"training", "pairs", "steps"} <= known.keys():
        raise UserError(f"{path} does not say how it was trained: it was not written by the train command")
    return known


def card(name: str, path: Path, stores: Mapping[str, Store]) -> str:
    """The card of one shipped file as Markdown.

    Args:
        name: of the shipped weights.
        path: the weights.
        stores: title -> store with results made with them.
    """
    known, digest = facts(path), hashlib.sha256(path.read_bytes()).hexdigest()
    family, item = shipped_weights()[name]
    training = known["training"]
    sources = ", ".join(f"{s['name']} ({s['ratio']:.0%})" for s in training["data"]["sources"])
    cached = training["data"]["cache"] or known["pairs"]  # without a cache none is drawn twice
    seed = training["seed"]
    settings = ", ".join(
        f"{key}: {json.dumps(value)}" for key, value in {**item.settings, **({"seed": seed} if seed else {})}.items()
    )
    lines = [
        f"# {path.stem}",
        "",
        f"{family.title} with {settings}. Used when a config with these settings names no weights.",
        "",
        "| | |",
        "|---|---|",
        f"| file | `{path.name}`, {path.stat().st_size / 1e6:.1f} MB (fp16), SHA-256 `{digest}` |",
        f"| data | {sources}; {cached:,} distinct pairs; fingerprint `{known['data']}` |",
        f"| objective, schedule | {training['objective']}, {training['schedule']} |",
        f"| pairs seen | {known['pairs']:,}: {known['steps']:,} steps of {known['pairs'] // known['steps']} |",
        *_begun(known.get("initial", {})),
        f"| seed | {seed} |",
        *([f"| curve | `{item.curve}` |"] if item.curve else []),
        f"| time | {known['seconds'] / 60:.0f} minutes on one core of a shared machine |",
        f"| command | `python run_all.py {_command(item.command, seed)}` |",
        f"| made with | {', '.join(f'{k} {v}' for k, v in known['versions'].items())} |",
        "",
        "On 512 held-out pairs, best cell, no window, no penalty: " + _validation(known["scores"]) + ".",
        "",
    ]
    if item.origin:
        lines += [item.origin, ""]
    if "teacher" in known:
        lines += [_taught(training["distil"], known["teacher"]), ""]
    lines += [
        "| measured on | sequences | AUC | 95 % interval | less KCF | 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    lowest = []
    for title, store in stores.items():
        own, row = _row(title, store, digest)
        lines.append(row)
        lowest += [f"{title}: {_lowest(own)}."] if own else []
    lines += [
        "",
        *(["Where it fails most, AUC: " + " ".join(lowest), ""] if lowest else []),
        "AUC in percent, each dataset under its own protocol; intervals are studentised bootstraps over sequences, the "
        "difference is paired. No frame of these sequences was trained on; the mini-suite comes from the generator of "
        "part of the training data, with other seeds. Test-time constants were chosen on rendered clips.",
        "",
    ]
    return "\n".join(lines)


def _command(words: str, seed: int) -> str:
    return f"{words} {f'--seeds {seed}' if words.startswith('ablate') else f'--set seed={seed}'}" if seed else words


def _begun(initial: Mapping[str, Any]) -> list[str]:
    if not initial:
        return []
    seen = f", which had seen {initial['pairs']:,} pairs before" if "pairs" in initial else ""
    return [f"| from | `{initial['name']}`{seen}; SHA-256 `{initial['sha256']}` |"]


def _taught(distil: Mapping[str, Any], digest: str) -> str:
    settings = ", ".join(f"{key}: {value}" for key, value in distil["settings"].items())
    file = checkout_weights().get(digest)
    return (
        "While it learned, a linear layer that is not part of it read its backbone's maps and was compared with those "
        f"of {tracker(distil['tracker']).title} ({settings}; SHA-256 `{digest}`), weight {distil['weight']:g}."
        + (f" To learn from that file: `--set distil.settings.weights={file}`." if file else "")
    )


def _validation(scores: Mapping[str, float]) -> str:
    words = {
        "slope": "slope of log size",
        "correlation": "correlation",
        "hit": "share with IoU ≥ .5",
        "iou": "mean IoU",
    }
    return ", ".join(f"{text} {scores[f'pairs/{key}']:.2f}" for key, text in words.items() if f"pairs/{key}" in scores)


def _row(title: str, store: Store, digest: str) -> tuple[Mapping[str, float], str]:
    """AUC of every sequence by its name, and the line of the table."""
    evaluation = evaluate(store)
    names = {
        display_names(store.runs(data.dataset.label))[run.run.folder]
        for data in evaluation.datasets
        for run in data.runs
        if (run.run.identity.get("weights") or {}).get("sha256") == digest
    }
    if not names:
        return {}, f"| {title} | not measured | | | | |"
    values = pooled_scores(evaluation)
    name = names.pop()
    own = values[name]
    interval = bootstrap_interval([*own.values()], within=FRACTIONS)
    against = compare_with_best(values, REFERENCE).get(name) if REFERENCE in values else None
    cells = [title, str(len(own)), f"{100 * sum(own.values()) / len(own):.1f}", _span(interval)]
    cells += [f"{100 * against.difference:+.1f}", _span(against.interval)] if against else ["", ""]
    return own, "| " + " | ".join(cells) + " |"


def _lowest(own: Mapping[str, float]) -> str:
    few = sorted(own, key=lambda name: own[name])[:LOWEST]
    return ", ".join(f"{name} {100 * own[name]:.1f}" for name in few)


def _span(interval: Any) -> str:
    return "" if interval is None else f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def main(words: Sequence[str]) -> int:
    """Write the card of every shipped file, the list of their hashes, and the overview of all of them."""
    stores = {title: open_store(Path(path)) for title, _, path in (word.rpartition("=") for word in words)}
    files = [(parts(path.stem)[0], path) for path in sorted(FOLDER.glob("*.safetensors"))]
    files += [(name, item.path(name)) for name, (_, item) in shipped_weights().items() if item.file]
    for name, path in files:
        path.with_suffix(".md").write_text(card(name, path, stores), encoding="utf-8")
        sys.stdout.write(f"{path.with_suffix('.md')}\n")
    listed = [f"{file_sha256(path)}  {path.name}\n" for path in sorted(FOLDER.glob("*.safetensors"))]
    (FOLDER / SUMS).write_text("".join(listed), encoding="utf-8")
    for title, store in stores.items():
        sys.stdout.write(f"{title}\n{pooled_table(evaluate(store), REFERENCE).to_text()}\n")
    return 0


if __name__ == "__main__":
    leave_after(lambda: main(sys.argv[1:]))
