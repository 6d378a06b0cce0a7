"""An ablation as data: a base config and rows, or a grid, of values of any of its fields."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from inmo.errors import UserError, unknown_name
from inmo.harness.training.config import TrainConfig
from inmo.paths import ROOT
from inmo.records import override, put, read_yaml, structure

FOLDER = ROOT / "experiments" / "ablations"
"""Where ablations that have a name lie, as ``<name>.yaml``."""

SETTINGS, SEED, WEIGHTS = "settings", "seed", "weights"
EMPTY = "as it is"
"""Name of a grid's row that sets nothing."""


@dataclass(frozen=True)
class Ablation:
    """What an ablation's file says.

    Attributes:
        title: heading of its page.
        config: file of the training that every row starts from. It may be left out where every row has weights.
        base: values over those of the file, the same in every row.
        rows: name -> values over these: nested (``settings: {wp: false}``) or by path (``settings.wp: false``), of the
            tracker, the data, the objective or test time. Beside them ``weights`` may name files of trainings that are
            done, as a list (seeds 0, 1 ...) or by seed.
        grid: path -> values; every combination is a row, after those of ``rows``. Mappings among the values are merged
            into the base as those of a row are.
        reference: the row that the others are compared with; the last when empty.
        seeds: one training of each row for each.
        datasets: what is tracked, each as for ``--dataset``.
        partial: track what is there of an incomplete dataset.
    """

    title: str
    config: str = ""
    base: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Any] = field(default_factory=dict)
    reference: str = ""
    seeds: tuple[int, ...] = (0,)
    datasets: tuple[str, ...] = ()
    partial: bool = False


@dataclass(frozen=True)
class Row:
    """One row: its values by path, and by seed the files of trainings that are done."""

    name: str
    values: Mapping[str, Any]
    weights: Mapping[int, str] = field(default_factory=dict)


def find_ablation(text: str) -> Path:
    """The file of a path, or of the name of one that comes with the project. Raises UserError for neither."""
    path = Path(text).expanduser()
    if path.is_file() or path.suffix in (".yaml", ".yml"):
        return path
    named = FOLDER / f"{text}.yaml"
    if not named.is_file():
        raise unknown_name("ablation", text, sorted(file.stem for file in FOLDER.glob("*.yaml")))
    return named


def load_ablation(path: Path) -> Ablation:
    """Read an ablation. Raises UserError for a file that cannot be read or does not fit."""
    values = read_yaml(path, "ablation")
    if not isinstance(values.get("reference", ""), Collection):
        values["reference"] = _name(values["reference"], f"{path}: reference")
    ablation = structure(Ablation, values, str(path))
    known = [row.name for row in rows_of(ablation, str(path))]
    if not known:
        raise UserError(f"{path}: an ablation wants rows, or a grid")
    if ablation.reference and ablation.reference not in known:
        raise UserError(f"{path}: {unknown_name('reference', ablation.reference, known)}")
    return ablation


def rows_of(ablation: Ablation, where: str = "the ablation") -> tuple[Row, ...]:
    """All rows in order. Raises UserError for values that cannot be a row."""
    rows = []
    for key, given in ablation.rows.items():
        name = _name(key, f"{where}: the name of a row")
        if not isinstance(given, Mapping):
            raise UserError(f"{where}: row {name} must hold lines 'name: value', not {given!r:.80}")
        values = {key: value for key, value in given.items() if key != WEIGHTS}
        own = f"{where}: row {name}"
        rows.append(Row(name, flat(values, own), _by_seed(given.get(WEIGHTS, {}), own)))
    axes = flat(ablation.grid, f"{where}: grid")
    for path, values in axes.items():
        if not isinstance(values, list) or not values:
            raise UserError(f"{where}: grid: {path} must hold a list of values, not {values!r:.80}")
    if axes:
        combinations = itertools.product(*axes.values())
        points = [flat(dict(zip(axes, chosen, strict=True)), f"{where}: grid") for chosen in combinations]
        paths = dict.fromkeys(path for point in points for path in point)
        named = (" ".join(f"{last(p, paths)}={words(v)}" for p, v in point.items()) for point in points)
        rows += [Row(name or EMPTY, point) for name, point in zip(named, points, strict=True)]
    names = [row.name for row in rows]
    for row in rows:
        if names.count(row.name) > 1:
            raise UserError(f"{where}: two rows are called '{row.name}': give one another name")
        _demand_no_seed(row.values, f"{where}: row {row.name}")
    return tuple(rows)


def raw_config(
    ablation: Ablation, where: Path, *, config: Path | None = None, overrides: Sequence[str] = ()
) -> dict[str, Any]:
    """The base of all rows as plain values: the config's file, then ``base``, then ``a.b=value`` words.

    Args:
        where: the ablation's file, beside which its config is looked for, too.
        config: in place of the ablation's own.

    Raises UserError for a file or word that cannot be read, and for a seed or weights where they would be ignored.
    """
    chosen = config or (found_file(ablation.config, where) if ablation.config else None)
    raw = read_yaml(chosen, "training config") if chosen else {}
    _demand_no_weights(raw, str(chosen))
    base = flat(ablation.base, f"{where}: base")
    _demand_no_seed(base, f"{where}: base")
    _put(raw, base)
    _demand_no_weights(raw, f"{where}: base")
    for word in overrides:
        override(raw, word)
        path, _, value = word.partition("=")
        _demand_no_seed({path: value}, f"--set {word}")
        _demand_no_weights(raw, f"--set {word}")
    return raw


def row_config(raw: Mapping[str, Any], row: Row, seed: int) -> TrainConfig:
    """The training of a row. Raises UserError for names and values that do not fit, and for weights in its settings."""
    values = deepcopy(dict(raw))
    _put(values, row.values)
    _demand_no_weights(values, f"row {row.name}")
    values[SEED] = seed
    return structure(TrainConfig, values, f"row {row.name}")


def found_file(text: str, beside: Path) -> Path:
    """A file as named from here, from the folder of ``beside``, or from the project's; the first if none is there."""
    places = [Path(text).expanduser(), beside.parent / text, ROOT / text]
    return next((path for path in places if path.is_file()), places[0])


@lru_cache(maxsize=8)
def network_rows(name: str) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """Row -> tracker and settings of an ablation that comes with the project, without what its config file says."""
    ablation = load_ablation(find_ablation(name))
    found = {}
    for row in rows_of(ablation):
        values: dict[str, Any] = {}
        _put(values, {**flat(ablation.base), **row.values})
        found[row.name] = (str(values["tracker"]), dict(values["settings"]))
    return found


def flat(values: Mapping[str, Any], where: str = "values", before: str = "") -> dict[str, Any]:
    """Nested values by path: ``{"settings": {"wp": True}}`` to ``{"settings.wp": True}``.

    They are merged into others, so that an empty mapping, which says nothing, is left out. Raises UserError for a path
    that is given twice, nested and by path.
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{before}{key}"
        inner = flat(value, where, f"{path}.") if isinstance(value, Mapping) else {path: value}
        for twice in inner:
            if twice in found:
                raise UserError(f"{where} gives {twice} twice: keep one of the two")
        found.update(inner)
    return found


def last(path: str, among: Mapping[str, Any]) -> str:
    """The last word of a path, or all of it where another path ends alike."""
    word = path.rpartition(".")[2]
    return word if sum(other.rpartition(".")[2] == word for other in among) == 1 else path


def words(value: Any) -> str:
    """A value as YAML has it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(words, value))}]"
    return {"True": "true", "False": "false", "None": "none"}.get(str(value), str(value))


def _put(values: dict[str, Any], given: Mapping[str, Any]) -> None:
    for path, value in given.items():
        put(values, path, value, path)


def _name(value: Any, what: str) -> str:
    """A name as text. Raises UserError for one that YAML reads as true, false or nothing."""
    if value is None or isinstance(value, bool):
        raise UserError(
            f"{what} is read as {words(value)}: put the name in quotes (on, yes, off and no are true and false in YAML)"
        )
    return str(value)


def _demand_no_seed(values: Mapping[str, Any], where: str) -> None:
    """The seeds of the ablation would overwrite it."""
    if SEED in values:
        raise UserError(
            f"{where} sets the seed: list seeds under 'seeds:' or give --seeds {values[SEED]}, every row has them all"
        )


def _demand_no_weights(values: Mapping[str, Any], where: str) -> None:
    """A tracker takes weights among its settings, but a row's are those of its training, or beside them."""
    settings = values.get(SETTINGS)
    if isinstance(settings, Mapping) and WEIGHTS in settings:
        raise UserError(f"{where}: weights belong beside 'settings:', as 'weights: FILE' of the row, not in it")


def _by_seed(given: Any, where: str) -> dict[int, str]:
    """Files of trainings by seed; a list is of seeds 0, 1 ..."""
    found = dict(enumerate(given)) if isinstance(given, list) else given
    if isinstance(found, str):
        found = {0: found}
    fits = isinstance(found, Mapping) and all(type(s) is int and isinstance(f, str) for s, f in found.items())
    if not fits:
        raise UserError(f"{where}: weights must be a file, a list of files, or lines 'seed: file'")
    return dict(found)
