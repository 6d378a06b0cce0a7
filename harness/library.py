"""The harness as a library: ``from inmo import evaluate, load_results, track``.

A door like ``commands``, for notebooks and scripts: it runs nothing and scores nothing itself, and imports ``reports``
because what comes in here is handed to whom it concerns. Imports are local: ``import inmo`` stays cheap.

    results = track(["kcf", MyTracker], "clips")
    scores = evaluate(results)
    scores                # prints as a table
    scores.plot()         # success plot
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from inmo.datasets.base import Dataset, Hole
from inmo.datasets.base import Sequence as VideoSequence
from inmo.errors import UserError, unknown_name

if TYPE_CHECKING:
    from inmo.boxes import Boxes
    from inmo.harness.run.setup import Setup
    from inmo.harness.store.store import Store
    from inmo.reports.notebook import Row, Scores
    from inmo.trackers.base import Tracker
    from inmo.trackers.recorded.discovery import RawResults
    from inmo.trackers.simple.objects import Follower

    TrackerLike: TypeAlias = str | Setup | Follower | Tracker | type[Follower] | type[Tracker]

Data: TypeAlias = Dataset | VideoSequence | str | Path


@contextmanager
def _python_words() -> Iterator[None]:
    """Errors speak of flags; a notebook has arguments: ``--partial`` becomes ``partial=True``."""
    try:
        yield
    except UserError as error:
        raise UserError(re.sub(r"--([a-z][a-z-]*)", _argument, str(error))) from None


def _argument(flag: re.Match[str]) -> str:
    name = flag[1].replace("-", "_")
    return f"{name}=True" if name in ("partial", "allow_random_weights", "compile") else f"{name}="


@_python_words()
def track(
    trackers: TrackerLike | Sequence[TrackerLike],
    data: Data | Sequence[Data],
    *,
    store: str | Path | None = None,
    sequences: Sequence[str] = (),
    partial: bool = False,
    label: str = "",
    version: str = "",
    image: Literal["rgb", "bgr", "pil"] = "rgb",
    device: str = "auto",
    jobs: int = 1,
    progress: bool = True,
    **settings: Any,
) -> Results:
    """Run trackers over sequences by one-pass evaluation: initialised on the first box, never restarted.

    Args:
        trackers: one tracker, or a list of them. A name as on the command line (``"csrt"``, ``"python:FILE.py:CLASS"``,
            ``"trax:COMMAND"``), or a Python object or class with ``init(image, box)`` and ``update(image) -> box``, or
            a ``base.Tracker``. Boxes are x, y, w, h in pixels, counted from 0.
        data: one of these, or a list of them: a name with its root (``"otb100=/data/OTB100"``), or alone where the
            root is known (``"mini-lasot"``); a folder of sequences, ``<name>/img/*.jpg`` with
            ``<name>/groundtruth_rect.txt``; a ``Dataset`` or one of its ``Sequence``.
        store: folder of results, continued where it stopped; a temporary one, gone with the results, when not given.
        sequences: only these.
        partial: run what is there of an incomplete dataset; what is missing stays a visible hole.
        label: name for tables, of one tracker.
        version: what results of an object are stored under, beside its class's name. Without it they are never taken
            for those of another run.
        image: what an object is given: ``"rgb"`` or ``"bgr"`` arrays, uint8 (H, W, 3), or ``"pil"`` images.
        device: auto, cpu, cuda, cuda:1 or mps, for trackers with a network.
        jobs: worker processes.
        progress: show a bar.
        settings: of the named trackers, as for ``--set``: ``preset="nano"``, ``weights="transt.pth"``.

    Returns:
        The results. A sequence on which a tracker failed is a hole with its reason; the others finish.

    Raises:
        UserError: an unknown name or setting, data that are not there, or an incomplete dataset without ``partial``.
    """
    from inmo.harness.run.jobs import demand_sequences, plan
    from inmo.harness.store.store import open_store
    from inmo.harness.workers.parallel import run_jobs
    from inmo.harness.workers.resources import Resources

    setups = [_setup(one, version, image, settings) for one in _several(trackers)]
    if label and len(setups) > 1:
        raise UserError("a label is the name of one tracker: track several one after the other into one store")
    datasets = [_dataset(one) for one in _several(data)]
    demand_sequences(datasets, sequences, partial)
    resources = Resources(jobs, device)
    resources.check(setups, datasets)
    temporary = tempfile.TemporaryDirectory(prefix="inmo-") if store is None else None
    kept = open_store(temporary.name if temporary else str(store), write=True)
    wanted, _ = plan(kept, datasets, setups, names=tuple(sequences), label=label, device=device, partial=partial)
    run_jobs(wanted, resources, progress=progress and bool(wanted))
    return Results(kept, keep=temporary)


@overload
def load_results(path: str | Path) -> Results: ...


@overload
def load_results(path: str | Path, dataset: Data, *, format_in: str = "auto", boxes: str = "xywh") -> RawFiles: ...


@_python_words()
def load_results(
    path: str | Path, dataset: Data | None = None, *, format_in: str = "auto", boxes: str = "xywh"
) -> Results | RawFiles:
    """Open results that are there: a store of ours, or raw results of any tracker.

    Args:
        path: folder that ``track`` wrote; or, with ``dataset``, a folder or zip with ``<tracker>/<sequence>.txt``
            below it, whatever the nesting and dialect.
        dataset: whose sequences the raw results are of, as for ``track``; annotations alone are enough.
        format_in: who wrote the raw results: auto, or one of pytracking, ostrack, pysot, sots, got10k ...
        boxes: what the numbers of their rows are: xywh, xyxy, cxcywh, normalised ... as ``score --boxes`` has them.

    Raises:
        UserError: nothing of the kind at the path.
    """
    from inmo.datasets.files import open_tree
    from inmo.harness.store.store import open_store
    from inmo.trackers.recorded.discovery import find_results

    if dataset is None:
        if not any(Path(path).expanduser().glob("*/dataset.json")):
            raise UserError(
                f"{path} is no folder that track(..., store=...) wrote: for raw results say whose sequences they are "
                'of, load_results(path, "otb100=/data/OTB100")'
            )
        return Results(open_store(path))
    found = _dataset(dataset)
    raw = find_results(open_tree(path), found.benchmark.name, found.label, found.sequences, format_in, boxes)
    return RawFiles(found, raw, format_in)


@_python_words()
def evaluate(
    results: Results | RawFiles, *more: Results | RawFiles, protocol: str | Sequence[str] = (), partial: bool = False
) -> Scores:
    """Score results under the benchmark's own protocol, or under others.

    Args:
        results: what ``track`` or ``load_results`` gave.
        more: further results, compared in one table.
        protocol: name or names, see ``run_all.py list protocols``.
        partial: score what is there, with the coverage beside every number; otherwise a missing result is an error,
            never a smaller average.

    Raises:
        UserError: an unknown protocol, something missing without ``partial``, or two trackers of one name.
    """
    from inmo.reports.notebook import Scores
    from inmo.reports.scoring.protocols import protocol as known

    names = (protocol,) if isinstance(protocol, str) else tuple(protocol)
    for name in names:
        known(name)
    rows = [row for part in (results, *more) for row in _scored(part, names, partial)]
    keys = [(row.score.dataset, row.score.protocol, row.score.tracker) for row in rows]
    for dataset, _, tracker in (key for number, key in enumerate(keys) if key in keys[:number]):
        raise UserError(f"two trackers are called {tracker} on {dataset}: give one a label when it is tracked")
    return Scores(tuple(rows))


@dataclass(frozen=True, repr=False)
class Results:
    """Results in a store.

    Attributes:
        store: where they are.
        keep: the temporary folder of a store that goes with this object, or None.
    """

    store: Store
    keep: tempfile.TemporaryDirectory[str] | None = field(default=None, compare=False)

    @property
    def datasets(self) -> tuple[str, ...]:
        """Labels of the datasets."""
        return self.store.datasets()

    @property
    def trackers(self) -> tuple[str, ...]:
        """Names of the trackers as tables print them."""
        return tuple(dict.fromkeys(name for label in self.datasets for name in self._names(label).values()))

    @property
    def holes(self) -> tuple[tuple[str, str, Hole], ...]:
        """(dataset, tracker, hole): what is missing and why; an empty tracker's name is for all of them."""
        found: list[tuple[str, str, Hole]] = []
        for label in self.datasets:
            data, titles = self.store.dataset(label), self._names(label)
            found += [(label, "", hole) for hole in data.holes]
            for run in self.store.runs(label):
                results = (self.store.result(label, run, name) for name in data.names)
                found += [(label, titles[run.folder], r) for r in results if isinstance(r, Hole)]
        return tuple(found)

    def boxes(self, tracker: str, sequence: str, dataset: str = "") -> Boxes:
        """(n, 4) x, y, w, h of every frame, in the numbers of the benchmark's files; row 0 is the initial box.

        Raises UserError for unknown names, or with the reason why there is no result.
        """
        label = _sole("dataset", self.datasets, dataset)
        names = self._names(label)
        chosen = _sole("tracker", tuple(names.values()), tracker)
        sequence = _sole("sequence", self.store.dataset(label).names, sequence)
        run = next(run for run in self.store.runs(label) if names[run.folder] == chosen)
        found = self.store.result(label, run, sequence)
        if isinstance(found, Hole):
            raise UserError(f"{chosen} has no result on {sequence}: {found.reason}")
        return found.boxes

    def _names(self, label: str) -> dict[str, str]:
        from inmo.harness.store.records import display_names

        return display_names(self.store.runs(label))

    def __repr__(self) -> str:
        where = "temporary store" if self.keep else str(self.store.root)
        missing = len(self.holes)
        holes = f", {missing} hole{'s' if missing > 1 else ''}" if missing else ""
        return f"<results of {', '.join(self.trackers)} on {', '.join(self.datasets)}{holes}; {where}>"


@dataclass(frozen=True, repr=False)
class RawFiles:
    """Raw results of any trackers on one dataset; files are read when they are asked for.

    Attributes:
        dataset: whose sequences they are of.
        raw: the files.
        format_in: who wrote them.
    """

    dataset: Dataset
    raw: RawResults
    format_in: str = "auto"

    @property
    def datasets(self) -> tuple[str, ...]:
        """The dataset's label."""
        return (self.dataset.label,)

    @property
    def trackers(self) -> tuple[str, ...]:
        """Names of the trackers: their folders'."""
        return self.raw.trackers

    def boxes(self, tracker: str, sequence: str, run: int = 0) -> Boxes:
        """(n, 4) x, y, w, h as they stand in the file.

        Raises UserError for unknown names, or where there is no file.
        """
        known = {item.name: item for item in self.dataset.sequences}
        item = known[_sole("sequence", tuple(known), sequence)]
        found = self.raw.boxes(_sole("tracker", self.trackers, tracker), item, run)
        if isinstance(found, Hole):
            raise UserError(f"{tracker} has no result on {sequence}: {found.reason}")
        return found

    def __repr__(self) -> str:
        notes = "".join(f"\n{note}" for note in (*self.dataset.passed, *self.raw.notes))
        return f"<raw results of {', '.join(self.trackers)} on {self.dataset.label}; {self.raw.tree.root}>{notes}"


# ---- parts


def _scored(results: Results | RawFiles, protocols: Sequence[str], partial: bool) -> list[Row]:
    from inmo.reports.notebook import Row
    from inmo.reports.scoring.raw import score_dataset
    from inmo.reports.scoring.stored import evaluate as evaluate_store

    if isinstance(results, RawFiles):
        scores = score_dataset(results.dataset, results.raw, protocols=protocols, partial=partial)
        attributed = {sequence.name: sequence.attributes for sequence in results.dataset.sequences}
        facts = results.dataset.benchmark
        return [Row(score, facts.name, attributed=attributed, codes=facts.attributes) for score in scores]
    return [
        Row(score, data.dataset.benchmark, run.fps, data.attributed, data.dataset.attributes)
        for data in evaluate_store(results.store, protocols=protocols, partial=partial).datasets
        for name in protocols or (data.dataset.protocol,)
        for run, score in zip(data.runs, data.scores[name], strict=True)
    ]


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _setup(tracker: Any, version: str, image: Literal["rgb", "bgr", "pil"], settings: Mapping[str, Any]) -> Setup:
    from inmo.harness.run.setup import Setup, configure
    from inmo.records import as_words

    if isinstance(tracker, Setup):
        return tracker
    if isinstance(tracker, str):
        return configure(tracker, as_words(settings))
    from inmo.trackers.simple.objects import OBJECT, ObjectConfig

    config = ObjectConfig(tracker, image=image)
    return Setup(OBJECT, replace(config, key=f"{config.label} {version}") if version else config)


def _dataset(data: Data) -> Dataset:
    """What the user points at, opened. One sequence is a dataset of its own, called by its name."""
    from inmo.datasets import DATASETS, open_dataset
    from inmo.datasets.own.folder import FOLDER
    from inmo.harness.run.setup import parse_dataset

    if isinstance(data, Dataset):
        return data
    if isinstance(data, VideoSequence):
        from inmo.datasets import benchmark

        row = benchmark(data.dataset) if data.dataset in DATASETS else FOLDER
        return Dataset(row, data.name, "", (data,))
    text = str(data)
    named = "=" in text or text.partition(":")[0] in DATASETS
    if isinstance(data, Path) or (not named and Path(text).expanduser().exists()):
        path = Path(text).expanduser()
        return open_dataset("folder", str(path), label=path.resolve().stem)
    if not named:
        raise UserError(f"{unknown_name('dataset', text, DATASETS)} There is no folder {text} either.")
    return parse_dataset(text).open()


def _sole(kind: str, known: Sequence[str], name: str) -> str:
    """The name that was given, or the only one there is. Raises UserError with a did-you-mean."""
    if not name and len(known) == 1:
        return known[0]
    if name not in known:
        raise unknown_name(kind, name, known) if name else UserError(f"name the {kind}: {', '.join(known)}")
    return name
