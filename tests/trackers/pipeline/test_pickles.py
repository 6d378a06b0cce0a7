"""No code from a checkpoint runs: hostile files of many shapes, in both layouts of torch.save."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import subprocess
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from inmo.errors import UserError
from inmo.trackers.pipeline.checkpoint import load_state_dict
from inmo.trackers.pipeline.pickles import read_torch_file


class Call:
    """Pickles as a call of ``function`` with ``args``."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.function, self.args


def raw(*parts: bytes | str) -> bytes:
    """A handmade protocol 2 pickle; words become unicode strings."""
    coded = [p if isinstance(p, bytes) else b"X" + struct.pack("<I", len(p)) + p.encode() for p in parts]
    return b"\x80\x02" + b"".join(coded) + b"."


def zip_layout(pickled: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    return stream.getvalue()


def legacy_layout(pickled: bytes) -> bytes:
    heads = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
    return b"".join(pickle.dumps(h, 2) for h in heads) + pickled + pickle.dumps([], 2)


def dumped(function: Any, *args: Any) -> bytes:
    return pickle.dumps({"state_dict": {}, "epoch": Call(function, *args)}, 2)


GADGETS: dict[str, Callable[[str], bytes]] = {
    "os.system": lambda m: dumped(os.system, f"touch {m}"),
    "eval": lambda m: dumped(eval, f"open({m!r}, 'w')"),
    "exec": lambda m: dumped(exec, f"open({m!r}, 'w')"),
    "open": lambda m: dumped(open, m, "w"),
    "import": lambda m: dumped(__import__, "os"),
    "getattr chain": lambda m: raw(
        b"cbuiltins\ngetattr\n(cimportlib\nimport_module\n(", "os", b"tR", "system", b"tR(", f"touch {m}", b"tR"
    ),
    "getattr of a stand-in": lambda m: dumped(getattr, OrderedDict, "fromkeys"),
    "popen by REDUCE": lambda m: dumped(subprocess.Popen, ["touch", m]),
    "popen by NEWOBJ": lambda m: raw(b"csubprocess\nPopen\n", b"(]", "touch", b"a", m, b"at\x81"),
    "a class made of nothing": lambda m: dumped(type, "X", (), {}),
    "a function of bytecode": lambda m: raw(b"ctypes\nFunctionType\n(N}tR"),
    "torch.load": lambda m: dumped(torch.load, m),
    "torch.save": lambda m: dumped(torch.save, {}, m),
    "torch.nn.Linear": lambda m: dumped(torch.nn.Linear, 2, 2),
    "a foreign function": lambda m: raw(b"cltr.admin.loading\nload_network\n", b"(", m, b"tR"),
    "rebuild by a function of the file": lambda m: raw(
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cforeign\nrun\ncforeign\nT\n(", m, b"tNtR"
    ),
    "INST": lambda m: b"(S'touch " + m.encode() + b"'\nios\nsystem\n.",
    "INST of a foreign class": lambda m: b"(S'touch " + m.encode() + b"'\niforeign\nrun\n.",
    "OBJ": lambda m: raw(b"(cposix\nsystem\n", f"touch {m}", b"o"),
    "GLOBAL with dots": lambda m: raw(b"cos\npath.os.system\n", b"(", f"touch {m}", b"tR"),
    "STACK_GLOBAL": lambda m: b"\x80\x04" + b"\x8c\x02os\x8c\x06system" + raw(b"\x93(", f"touch {m}", b"tR")[2:],
    "EXT": lambda m: raw(b"\x82\x01", b"(", m, b"tR"),
    "BUILD on a stand-in": lambda m: raw(b"ccollections\nOrderedDict\n}", "__defaults__", m, b"sb"),
    "BUILD of slots on a stand-in": lambda m: raw(b"ccollections\nOrderedDict\nN}", "function", m, b"s\x86b"),
    "BUILD on a tensor": lambda m: raw(
        b"ctorch._utils\n_rebuild_tensor_v2\n((", "storage", b"ctorch\nFloatStorage\n", "0", "cpu", b"K\x01tQK\x00)",
        b")\x89Nt", b"R}", "offset", m, b"sb",
    ),
    "a tensor of no storage": lambda m: raw(b"ctorch._utils\n_rebuild_tensor_v2\n(", m, b"K\x00))\x89NtR"),
    "an unknown persistent object": lambda m: raw(b"(", "module", m, b"tQ"),
    "NEWOBJ of a stand-in": lambda m: raw(b"ccollections\nOrderedDict\n)\x81"),
    "setstate planted first": lambda m: raw(
        b"cforeign\nT\n)\x81}", "__setstate__", b"cposix\nsystem\n", b"sb", f"touch {m}", b"b"
    ),
    "attributes of builtins": lambda m: raw(b"cbuiltins\ngetattr\n(cbuiltins\n__dict__\n", "eval", b"tR"),
    "numpy's own loader": lambda m: raw(b"cnumpy\nload\n(", m, b"tR"),
    "endless nesting": lambda m: raw(b"(" * 100_000 + b"t" * 100_000),
    "memory": lambda m: b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
}  # fmt: skip


def test_the_gadgets_are_real(tmp_path: Path) -> None:
    """An ordinary unpickler falls for them: the tests below would notice if ours did."""
    for name in (
        "os.system",
        "eval",
        "INST",
        "OBJ",
        "STACK_GLOBAL",
        "GLOBAL with dots",
        "getattr chain",
        "popen by REDUCE",
    ):
        marker = tmp_path / name.replace(" ", "_")
        try:
            result = pickle.loads(GADGETS[name](str(marker)))
        except AttributeError:
            assert name == "GLOBAL with dots"  # protocol 2 does not follow dots
            continue
        if isinstance(result, dict) and isinstance(result["epoch"], subprocess.Popen):
            result["epoch"].wait()
        assert marker.exists(), name


@pytest.mark.parametrize("layout", [zip_layout, legacy_layout])
@pytest.mark.parametrize("name", GADGETS)
def test_hostile_files_are_refused(tmp_path: Path, name: str, layout: Callable[[bytes], bytes]) -> None:
    marker, file = tmp_path / "marker", tmp_path / "weights.pth"
    file.write_bytes(layout(GADGETS[name](str(marker))))
    with pytest.raises(UserError) as caught:
        load_state_dict(file)
    message = str(caught.value)
    assert str(file) in message and "\n" not in message
    assert not marker.exists()


@pytest.mark.parametrize("layout", [zip_layout, legacy_layout])
def test_the_sentence_names_the_call(tmp_path: Path, layout: Callable[[bytes], bytes]) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(layout(GADGETS["a foreign function"]("x")))
    with pytest.raises(UserError, match=r"is refused: it calls ltr\.admin\.loading\.load_network"):
        load_state_dict(file)


def foreign_classes(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A training framework that exists only while the file is written, and whose unpickling would leave a trace."""
    module = types.ModuleType("ltr_framework")
    code = """
class Settings:
    def __setstate__(self, state): open(state["marker"], "w").close()
class Meter(list): pass
class Options(dict): pass
"""
    exec(code, module.__dict__)
    monkeypatch.setitem(sys.modules, "ltr_framework", module)
    return module


@pytest.mark.parametrize("zipped", [True, False])
def test_foreign_classes_are_inert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool) -> None:
    framework = foreign_classes(monkeypatch)
    settings, options = framework.Settings(), framework.Options(lr=1.0)
    settings.marker = str(tmp_path / "marker")
    content = {
        "epoch": 3,
        "net": OrderedDict(weight=torch.arange(6.0).view(2, 3)),
        "settings": settings,
        "stats": {"loss": framework.Meter([1, 2])},
        "options": options,
        "constructor": framework.Settings,
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "dtype": torch.float32,
        "numpy": torch.ones(1).double().numpy()[0],
        "array": torch.ones(3).numpy(),
        "names": {"a", "b"},
    }
    file = tmp_path / "TransT.pth"
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    monkeypatch.delitem(sys.modules, "ltr_framework")
    assert load_state_dict(file)["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert not (tmp_path / "marker").exists()
    found = read_torch_file(file).content["settings"]
    assert not vars(found) and type(found).__module__ == "ltr_framework"


def test_nothing_was_left_behind() -> None:
    assert not hasattr(builtins, "ltr_framework") and "ltr_framework" not in sys.modules
