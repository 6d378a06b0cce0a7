"""OTB100 (Wu et al., PAMI 2015).

``<Sequence>/img/%04d.jpg`` with ``<Sequence>/groundtruth_rect.txt``. Jogging, Skating2 and Human4 keep their targets
in ``groundtruth_rect.1.txt`` and ``.2.txt`` (Human4's first is empty). David and three of the blurred cars do not
start at frame 1, four folders go on beyond their sequence, Tiger1 is scored from frame 6: all of this stands in the
table. Names are spelt in many ways; ``spellings`` knows those found in toolkits and published results.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from inmo.datasets.attributes import words_for
from inmo.datasets.base import Benchmark, Dataset
from inmo.datasets.files import Tree
from inmo.datasets.layout import Wanted, distinct, open_by_table, table_rows


def open_otb(benchmark: Benchmark, label: str, tree: Tree) -> Dataset:
    """OTB100 below ``tree``: its own download, whole or in part, or annotations alone under any known spelling."""
    rows = table_rows(benchmark, tree)
    aliases = distinct(spellings(row["name"] for row in rows))
    shared = Counter(row["path"] for row in rows)
    wanted = []
    for row in rows:
        name, folder = row["name"], row["path"].partition("/")[0]
        sole = folder if shared[row["path"]] == 1 else name  # one unnumbered file cannot tell two targets apart
        wanted.append(Wanted({**row, "folder": folder, "sole": sole, "dashed": name.replace("_", "-")}, aliases[name]))
    return open_by_table(benchmark, label, tree, wanted)


def spellings(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Other spellings of each name.

    ``Jogging_2`` is also Jogging-2, Jogging.2, Jogging(2), Jogging2; the first (or only) target of a folder also
    goes by the folder's name. Every spelling exists in lower case too, wholly or in its first letter.
    """
    table: dict[str, tuple[str, ...]] = {}
    known = list(names)
    for name in known:
        forms = [name]
        if target := re.fullmatch(r"(.+)_(\d)", name):
            base, number = target.groups()
            forms += [f"{base}-{number}", f"{base}.{number}", f"{base}({number})", f"{base}{number}"]
            if number == "1" or f"{base}_1" not in known:
                forms.append(base)
        lowered = [f[0].lower() + f[1:] for f in forms] + [f.lower() for f in forms]
        table[name] = tuple(dict.fromkeys(f for f in forms + lowered if f != name))
    return table


OTB100 = Benchmark(
    name="otb100",
    title="OTB100",
    open=open_otb,
    annotations=(
        "{anno_path}",
        "{name}/groundtruth_rect.txt",
        "{dashed}/groundtruth_rect.txt",
        "{sole}/groundtruth_rect.txt",
        "{any}.txt",
    ),
    # copies of KiteSurf disagree on folder and extension: img/*.jpg, img/*.png, jpg/*.png
    folders=("{folder}/img", "{folder}/imgs", "{folder}/jpg", "{folder}/png", "{name}/img", "{dashed}/img"),
    table="otb100.csv",
    origin=1,
    protocol="pysot",
    without_area={"Board": 1, "Twinnings": 1},  # they end in 0,0,0,0
    attributes=words_for("IV SV OCC DEF MB FM IPR OPR OV BC LR") | {"BC": "Background Clutters"},
)
