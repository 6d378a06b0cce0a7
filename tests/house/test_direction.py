"""Imports go down the house and never in a circle: over all imports, those in functions and for types alone too."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.house.floors import FLOORS, LARGEST, LAZY

PACKAGES = ("datasets", "trackers", "harness", "reports")


def sources(root: Path) -> dict[str, Path]:
    """Module -> its file, for all of the project below ``root``."""
    found = {"run_all": root / "run_all.py"}
    for package in ("inmo", *PACKAGES):
        for path in (root / package).rglob("*.py"):
            parts = [*(() if package == "inmo" else ("inmo",)), *path.relative_to(root).with_suffix("").parts]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports, names taken from a module as ``module.name``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph(root: Path) -> dict[str, set[str]]:
    """Module -> modules of the project that it imports."""
    modules = sources(root)
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = {name if name in modules else name.rpartition(".")[0] for name in imported(path)}
        found[module] = {name for name in names & modules.keys() if name != module}
    return found


def room(module: str) -> str:
    """The room that a module is in, as ``FLOORS`` names it."""
    if module in FLOORS:
        return module
    parent = module.rpartition(".")[0]
    return "inmo.*" if parent == "inmo" else room(parent)


def upward(edges: Mapping[str, set[str]]) -> list[str]:
    """Imports that go up, in words."""
    floor = {name: number for number, name in enumerate(FLOORS)}
    return sorted(
        f"{module} ({room(module)}) imports {other} ({room(other)}), which is above it"
        for module, others in edges.items()
        for other in others
        if floor[room(other)] > floor[room(module)]
    )


def test_imports_go_down() -> None:
    assert upward(graph(ROOT)) == []


def test_there_is_no_circle() -> None:
    try:
        TopologicalSorter(graph(ROOT)).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' <- '.join(error.args[1])}")


def test_imports_stand_at_the_top_but_where_start_up_needs_it() -> None:
    late = {
        module
        for module, path in sources(ROOT).items()
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ImportFrom) and f"{node.module}".split(".")[0] == "inmo"
    }
    assert late == set(LAZY)


def test_rooms_are_small_and_on_the_plan() -> None:
    modules = [m for m, path in sources(ROOT).items() if path.name != "__init__.py" and m != "run_all"]
    assert {room(module) for module in modules} <= set(FLOORS)
    assert [(name, count) for name, count in Counter(map(room, modules)).items() if count > LARGEST] == []


def test_nobody_takes_the_folders_for_packages() -> None:
    """``import datasets`` would be a second object for our file, or the well-known distribution."""
    files = [*sources(ROOT).values(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]
    taken = [f"{path}: {name}" for path in files for name in imported(path) if name.split(".")[0] in PACKAGES]
    assert taken == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("datasets/base.py", "from inmo.trackers import base"),
        ("trackers/base.py", "def f():\n    import inmo.reports.page.page"),
        ("reports/scoring/metrics.py", "if TYPE_CHECKING:\n    from inmo.harness.experiment.spec import Experiment"),
        ("harness/store/store.py", "from inmo.harness.run.jobs import Job"),
    ],
)
def test_an_import_turned_round_is_seen(module: str, line: str, tmp_path: Path) -> None:
    files = ("datasets/base", "trackers/base", "reports/scoring/metrics", "reports/page/page", "harness/store/store",
             "harness/run/jobs", "harness/experiment/spec")  # fmt: skip
    for name in files:
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "run_all.py").write_text("import inmo.harness.experiment.spec\n")
    assert upward(graph(tmp_path)) == []
    (tmp_path / module).write_text(line + "\n")
    assert len(upward(graph(tmp_path))) == 1
