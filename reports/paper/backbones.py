"""Table 1 of the InMo paper, the configurations of its two backbones, beside what a network was built as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from inmo.reports.blocks.block import Block
from inmo.reports.paper.printed import paper_lines
from inmo.reports.tables.table import Cell, Column, Table

if TYPE_CHECKING:
    from inmo.trackers.inspect.stages import BuiltStage

TITLES: Mapping[str, str] = MappingProxyType({"cnn": "CNN backbone", "transformer": "Transformer backbone"})
BACKBONES: Mapping[str, str] = MappingProxyType(
    {"cnninmo": "cnn", "transinmo": "transformer", "transinmo-star": "transformer"}
)
"""Registry name of a tracker -> the backbone of Table 1 that it has."""
DIFFERS = "≠"
_NUMBERS = (
    ("output", "Output", "side of the output; H is the search region's"),
    ("patch", "P", "by how much the stage reduces the side"),
    ("channels", "C", "channels of the output"),
    ("gims", "GIMs", "number of GIMs: WP, CSA and, where the paper writes (TCA), TCA"),
)
_FOOTNOTE = {DIFFERS: "Not what the paper prints."}


def backbone_table(backbone: str, built: Sequence[BuiltStage], who: str) -> Table:
    """One half of Table 1, stage by stage.

    Args:
        backbone: a key of ``TITLES``.
        built: the stages of a network and its output, as ``trackers.inspect.stages.built_stages`` reads them.
        who: the network's name for the headings.

    Returns:
        a table whose built cells are marked where they differ from the printed ones.
    """
    lines = [line for line in paper_lines("table_1.csv") if line["backbone"] == backbone]
    columns = (
        Column("stage", "Stage"),
        Column("layer", "Layer", about="what the paper calls the layer before the GIMs"),
        *(Column(f"{key}_printed", label, about=about, group="Printed") for key, label, about in _NUMBERS),
        *(Column(key, label, about=about, group="Built") for key, label, about in _NUMBERS),
        Column("tca", "TCA in", group="Built", about="which of the stage's GIMs have TCA; the paper says the last"),
        Column("window", "WP", group="Built", about="side of the windows; 1 is without WP"),
    )
    rows = []
    for number, line in enumerate(lines):
        stage = built[number] if number < len(built) else None
        printed = [_words(key, line[key]) for key, *_ in _NUMBERS]
        have = ["none"] * 4 if stage is None else [
            _words(key, str(value)) for (key, *_), value
            in zip(_NUMBERS, (stage.reduction, stage.patch, stage.channels, stage.gims), strict=True)
        ]  # fmt: skip
        compared = [
            Cell(own if paper else "", mark=DIFFERS if paper and own != paper else "")
            for own, paper in zip(have, printed, strict=True)
        ]
        rows.append((Cell(line["stage"]), Cell(line["layer"]), *map(Cell, printed), *compared,
                     *_interaction(line, stage)))  # fmt: skip
    differs = len(built) != len(lines) or any(cell.mark for row in rows for cell in row)
    caption = f"{who} as its modules are, beside what the paper prints."
    return Table(f"{TITLES[backbone]}: {who}", caption, columns, tuple(rows), _FOOTNOTE if differs else {})


def backbones_block(built: Mapping[str, tuple[str, Sequence[BuiltStage]]]) -> Block:
    """Table 1. ``built``: key of ``TITLES`` -> a network's name and its stages."""
    return Block(
        stem="table1",
        title="Table 1: The backbones",
        words="Output sizes, channels and GIMs of every stage as printed, and as they are in the full networks built "
        "here with interaction='paper'.",
        tables={
            f"table1_{backbone}": backbone_table(backbone, stages, who) for backbone, (who, stages) in built.items()
        },
    )


def _words(key: str, number: str) -> str:
    return f"H/{number}" if key == "output" and number else number


def _interaction(line: Mapping[str, str], stage: BuiltStage | None) -> list[Cell]:
    if stage is None or not line["gims"]:
        return [Cell(""), Cell("")]
    told = ", ".join(map(str, stage.tca)) or "none"
    return [Cell(told, mark="" if stage.tca == (stage.gims,) else DIFFERS), Cell(str(stage.window))]
