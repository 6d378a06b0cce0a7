"""What the source must not do: run what it reads. Every file of the packages is parsed, none is exempt."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("inmo", "harness", "trackers", "datasets", "reports")
FILES = [*sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py")), ROOT / "run_all.py"]
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
SHELLS = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
SUBPROCESS = {"run", "Popen", "call", "check_call", "check_output"}


def dotted(node: ast.expr) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "", *reversed(parts)])


def value(call: ast.Call, name: str) -> object:
    found = next((word.value for word in call.keywords if word.arg == name), None)
    return found.value if isinstance(found, ast.Constant) else found


def offences(source: str) -> Iterator[str]:
    """Line and reason of every call that could run what somebody else wrote."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        module, _, last = name.rpartition(".")
        shell = (module == "subprocess" and last in SUBPROCESS) or last == "Popen"
        reasons = {
            "runs text": name in ("eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec"),
            "unpickles": module in UNPICKLERS and last in ("load", "loads", "Unpickler", "open"),
            "unpickles weights": name == "torch.load" and value(node, "weights_only") is not True,
            "unpickles arrays": last == "load" and value(node, "allow_pickle") not in (None, False),
            "unpickles or runs": last == "read_pickle" or name in ("torch.jit.load", "torch.hub.load"),
            "builds what YAML names": module == "yaml" and re.fullmatch(r"(full_|unsafe_)?load(_all)?", last),
            "calls a shell": name in SHELLS or (shell and value(node, "shell")),
            "unpacks where the archive says": last in ("extractall", "unpack_archive"),
        }
        for why in (why for why, holds in reasons.items() if holds):
            yield f"{node.lineno}: {name} {why}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_is_run(path: Path) -> None:
    assert list(offences(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "pickle.load(f)", "pickle.loads(b)", "pickle.Unpickler(f)", "torch.load(f)", "torch.load(f, weights_only=no)",
        "torch.load(f, weights_only=False)", "np.load(f, allow_pickle=True)", "joblib.load(f)", "pd.read_pickle(f)",
        "yaml.load(t)", "yaml.load(t, Loader=yaml.Loader)", "yaml.unsafe_load(t)", "eval(t)", "exec(t)", "os.system(t)",
        "os.popen(t)", "subprocess.run(t, shell=True)", "subprocess.Popen(t, shell=flag)", "archive.extractall(f)",
    ],
)  # fmt: skip
def test_the_walk_sees_it(line: str) -> None:
    assert len(list(offences(line))) == 1


@pytest.mark.parametrize("line", ["yaml.safe_load(t)", "torch.load(f, weights_only=True)", "np.load(f)", "net.eval()",
                                  "json.load(f)", "re.compile(t)", "subprocess.run([t], shell=False)"])  # fmt: skip
def test_the_walk_lets_pass(line: str) -> None:
    assert list(offences(line)) == []
