"""Scores to look at in a notebook: a table that prints itself, data frames, curves and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from inmo.errors import UserError, unknown_name
from inmo.reports.figures.style import styles
from inmo.reports.scoring.protocols import Protocol
from inmo.reports.scoring.protocols import protocol as protocol_of
from inmo.reports.scoring.score import KINDS, MEASURES, Kind, Measures, Score
from inmo.reports.scoring.stored import auc_interval
from inmo.reports.scoring.tally import scores_by_attribute
from inmo.reports.tables.builders import Extras, score_table
from inmo.reports.tables.note_marks import briefly
from inmo.reports.tables.table import Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

KindName = Literal["success", "precision", "norm_precision"]


@dataclass(frozen=True)
class Row:
    """One score with what belongs to it.

    Attributes:
        score: one tracker on one dataset under one protocol.
        benchmark: registry name of the dataset's benchmark.
        fps: frames per second, see ``tables.FPS_DEFINITION``; None where nothing was timed.
        attributed: sequence -> the codes of its attributes; codes: of the benchmark, code -> words.
    """

    score: Score
    benchmark: str
    fps: float | None = None
    attributed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class Scores:
    """Scores of trackers on datasets under protocols. Printed, it is a table with 95 % intervals and the coverage.

    Attributes:
        rows: one per tracker, dataset and protocol.
    """

    rows: tuple[Row, ...]

    def table(self) -> Table:
        """The table, with ``to_text``, ``to_csv``, ``to_latex`` and ``to_json``."""
        return score_table([row.score for row in self.rows], [_extras(row) for row in self.rows])

    def frame(self) -> pd.DataFrame:
        """One row per score: names, sequences scored and expected, measures as fractions 0..1 (NaN where the protocol
        has none), the AUC's 95 % bootstrap interval over sequences, FPS, why there is no number, and what must be read
        with one."""
        import pandas as pd

        lines = []
        for row in self.rows:
            score, (low, high) = row.score, _extras(row).interval or (np.nan, np.nan)
            lines.append(
                _head(score)
                | {"sequences": score.sequences, "expected": score.expected}
                | _values(score.mean)
                | {"success_auc_low": low, "success_auc_high": high}
                | {"fps": np.nan if row.fps is None else row.fps, "reason": score.reason}
                | {"notes": " ".join(score.notes)}
            )
        return pd.DataFrame(lines)

    def per_sequence(self) -> pd.DataFrame:
        """One row per score and sequence: measures as fractions 0..1, and the reason in place of a missing result."""
        import pandas as pd

        lines = []
        for score in (row.score for row in self.rows):
            parts = [(name, found, "") for name, found in score.per_sequence.items()]
            parts += [(hole.sequence, Measures(), hole.reason) for hole in score.holes]
            lines += [
                _head(score) | {"sequence": name, "frames": found.frames} | _values(found) | {"reason": reason}
                for name, found, reason in parts
            ]
        return pd.DataFrame(lines)

    def curves(self, kind: KindName = "success", *, dataset: str = "", protocol: str = "") -> pd.DataFrame:
        """Threshold -> fraction of frames, one column per tracker that has such a curve.

        Args:
            kind: ``success`` over the overlap, ``precision`` over the centre error in pixels, ``norm_precision``.
            dataset: which, where there are several.
            protocol: which, where there are several.

        Raises:
            UserError: several, and none was named; or no such curve.
        """
        import pandas as pd

        shown = _kind(kind)
        found = {r.score.tracker: r.score.mean.curve(shown) for r in self._only(dataset, protocol)}
        drawn = {name: curve for name, curve in found.items() if curve is not None}
        if not drawn:
            raise UserError(f"no tracker has a {shown.title.lower()} curve here: print the scores to see why")
        index = np.linspace(0, shown.x_max, len(next(iter(drawn.values()))))
        return pd.DataFrame(drawn, index=pd.Index(index, name=shown.x_label))

    def plot(self, kind: KindName = "success", *, dataset: str = "", protocol: str = "", attribute: str = "") -> Plot:
        """The success, precision or normalised precision plot as toolkits draw it: ranked legend, scores in brackets.

        A notebook shows what is returned; ``.save("success")`` writes SVG and PDF, ``.figure`` is Matplotlib's.
        Arguments and errors as for ``curves``.

        Args:
            attribute: code of an attribute whose sequences alone count, or ``all`` for a grid of every one, the
                hardest first.
        """
        from inmo.reports.figures.attributes import attribute_grid, hardest_first, heading
        from inmo.reports.figures.for_papers import curve_figure

        shown, rows = _kind(kind), self._only(dataset, protocol)
        scores = [row.score for row in rows]
        partial = [score for score in scores if score.sequences < score.expected]
        words = (scores[0].protocol, partial[0].coverage if partial else "", briefly(scores))
        look = styles(row.score.tracker for row in self.rows)
        title = f"{scores[0].dataset} ({', '.join(filter(None, words))})"
        if attribute:
            found = hardest_first(scores_by_attribute(scores, rows[0].attributed, _rule(rows), rows[0].codes))
            if attribute not in (*found, "all"):
                raise unknown_name("attribute of a scored sequence", attribute, (*found, "all"))
            if attribute == "all":
                grid = attribute_grid(found, rows[0].codes, look, title=title, kind=shown)
                if grid is None:
                    raise UserError("a grid takes two attributes: see the attributes that the scored sequences have")
                return Plot(grid)
            scores = list(found[attribute])
            title = f"{heading(attribute, rows[0].codes[attribute], scores)} · {title}"
        figure = curve_figure(scores, shown, look, title=title, ranked=_rule(rows).norm_scalar)
        if figure is None:
            raise UserError(f"no tracker has a {shown.title.lower()} curve here: print the scores to see why")
        return Plot(figure)

    def _only(self, dataset: str, protocol: str) -> list[Row]:
        dataset = _one("dataset", [row.score.dataset for row in self.rows], dataset)
        rows = [row for row in self.rows if row.score.dataset == dataset]
        protocol = _one("protocol", [row.score.protocol for row in rows], protocol)
        return [row for row in rows if row.score.protocol == protocol]

    def __repr__(self) -> str:
        return self.table().to_text().rstrip()


@dataclass(frozen=True, repr=False)
class Plot:
    """A figure that a notebook shows, whatever its Matplotlib backend is.

    Attributes:
        figure: Matplotlib's, to be changed at will.
    """

    figure: Figure

    def save(self, stem: str | Path) -> tuple[Path, Path]:
        """Write STEM.svg and STEM.pdf. Returns the paths. Raises UserError for a place that cannot be written."""
        from inmo.reports.figures.canvas import save_figure

        try:
            svg, pdf = save_figure(self.figure, Path(stem))
        except OSError as error:
            raise UserError(f"cannot write {stem}.svg: {error.strerror or error}; choose another place") from error
        return svg, pdf

    def _repr_svg_(self) -> str:
        from inmo.reports.figures.canvas import svg_text

        return svg_text(self.figure)

    def __repr__(self) -> str:
        title = self.figure.get_suptitle() or self.figure.axes[0].get_title()
        return f"<plot: {' '.join(title.split())}>"  # in one line: that of a grid is broken to its width


def _kind(name: str) -> Kind:
    kinds = {kind.key: kind for kind in KINDS}
    if name not in kinds:
        raise unknown_name("kind of curve", name, kinds)
    return kinds[name]


def _one(what: str, found: Sequence[str], name: str) -> str:
    known = list(dict.fromkeys(found))
    if name and name not in known:
        raise unknown_name(what, name, known)
    if not name and len(known) != 1:
        raise UserError(f"name one {what}, {what}=...: there are {', '.join(known) or 'none'}")
    return name or known[0]


def _rule(rows: Sequence[Row]) -> Protocol:
    """The protocol of rows of one dataset and protocol."""
    return protocol_of(rows[0].score.protocol).on(rows[0].benchmark)


def _extras(row: Row) -> Extras:
    return Extras(*auc_interval(row.score, row.benchmark), fps=row.fps)


def _head(score: Score) -> dict[str, Any]:
    return {"dataset": score.dataset, "tracker": score.tracker, "protocol": score.protocol}


def _values(found: Measures) -> dict[str, float | None]:
    values = {key: found.value(measure) for key, measure in MEASURES.items()}
    return {name: np.nan if value is None else value for name, value in values.items()}
