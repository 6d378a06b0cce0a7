"""Read the tensors of a torch file without running anything it asks for.

A pickle is a program: it names callables and calls them. Here a name never becomes the thing it names. The few
callables that every torch file needs (rebuilding a tensor, an ordered dictionary, a size) are stand-ins of ours; any
other class becomes an inert placeholder that can be created and filled but keeps and does nothing; any other call
refuses the file, and so does naming something of Python's own library that no checkpoint has use for.

``torch.load(weights_only=True)`` is not used. It refuses the training frameworks' classes that TransT's files carry,
and a second, laxer way for those would be the one that attackers take. Inert classes under
``serialization.safe_globals`` for what ``get_unsafe_globals_in_checkpoint`` lists do not suffice (tried with torch
2.13, 2026-11-29): the list is made of zip files alone, so that every file of the older layout is refused, and what a
foreign class derives from list or dict, as trainings keep meters and options, can be made but not filled. Both would
need a reader beside it.

Both layouts of torch.save are read: the zip archive (torch >= 1.6) and the older row of pickles. Unpickling only
describes tensors (``TensorRecord``); bytes are read when ``materialise`` asks, after their bounds were checked.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from inmo.datasets.files import DAMAGED
from inmo.errors import UserError
from inmo.trackers.pipeline.mistaken import mistaken

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_CUT = ("truncated", "exhausted", "not enough data", "remain")  # in what pickle and pickletools say of a file's end
_BIG_ENDIAN = "{} was written on a big-endian machine: save it again on a little-endian one"

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}
_DTYPES = {str(d).removeprefix("torch."): d for d in _STORAGES.values()}
_PLAIN = frozenset({"dict", "list", "tuple", "int", "float", "str", "bool", "object"})
_HARMLESS = frozenset({("argparse", "Namespace"), ("datetime", "datetime"), ("datetime", "timedelta")})


class Refused(Exception):
    """The pickle asks for something that no checkpoint needs."""


class _Sealed:
    """What a pickle is given but must not change: its BUILD instruction looks for ``__setstate__`` first."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise Refused("it alters what it was given")


@dataclass(frozen=True)
class StorageRecord(_Sealed):
    """Where a tensor's bytes are: their key in the file, their type and how many elements there are."""

    key: str
    dtype: torch.dtype
    length: int


@dataclass(frozen=True)
class TensorRecord(_Sealed):
    """A tensor as described in the pickle: a view of a storage, counted in elements of ``dtype``."""

    storage: StorageRecord
    dtype: torch.dtype
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class TorchFile:
    """An unpickled torch file: its object made of plain containers, TensorRecords and placeholders."""

    path: Path
    content: Any
    read: Callable[[StorageRecord], bytes]

    def materialise(self, record: TensorRecord) -> Tensor:
        """The tensor itself, contiguous, on the CPU. Raises UserError when its bytes are not all there."""
        data = self.read(record.storage)
        item = torch.empty((), dtype=record.dtype).element_size()
        last = record.offset + sum((n - 1) * s for n, s in zip(record.shape, record.stride, strict=True))
        if min((record.offset, *record.shape, *record.stride), default=0) < 0 or len(record.shape) > 16:
            raise UserError(f"{self.path} describes an impossible tensor: the file is damaged, download it again")
        if 0 in record.shape:
            return torch.empty(record.shape, dtype=record.dtype)
        if (last + 1) * item > len(data):
            raise UserError(f"{self.path} ends before its tensors do: download or copy it again")
        flat = torch.frombuffer(bytearray(data), dtype=record.dtype, count=len(data) // item)
        return flat.as_strided(record.shape, record.stride, record.offset).clone(memory_format=torch.contiguous_format)


def read_torch_file(path: Path) -> TorchFile:
    """Read a file written by torch.save, of either layout, running none of it.

    Raises UserError, one sentence, when the file is missing, is no torch file, is damaged, or asks for a call.
    """
    try:
        with path.open("rb") as stream:
            if zipfile.is_zipfile(stream):
                return _read_zip(path)
            if what := mistaken(path):
                raise UserError(f"{path} {what}")
            stream.seek(0)
            return _read_legacy(path, stream)
    except Refused as error:
        raise UserError(
            f"{path} is refused: {error}, which no checkpoint needs and which could run code; get the file anew from "
            "its authors"
        ) from error
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}; check the path") from error
    except Exception as error:  # a hostile or damaged pickle may raise anything
        if isinstance(error, EOFError) or any(words in str(error) for words in _CUT):
            raise UserError(f"{path} ends too early, half a download: download or copy it again") from error
        raise UserError(
            f"{path} is no checkpoint that torch.save or safetensors wrote, or it is damaged ({type(error).__name__}): "
            "download or copy it again"
        ) from error


def _read_zip(path: Path) -> TorchFile:
    archive = zipfile.ZipFile(path)
    names = frozenset(archive.namelist())
    pickled = [n for n in names if n.count("/") <= 1 and n.rpartition("/")[2] == "data.pkl"]
    if len(pickled) != 1:
        raise UserError(f"{path} is a zip file but no checkpoint: give the file that torch.save wrote")

    def entry(name: str) -> bytes:
        try:
            if archive.getinfo(name).file_size > path.stat().st_size:  # torch.save stores, it never compresses
                raise UserError(f"{path} claims more bytes than it has: it is damaged, download it again")
            return archive.read(name)
        except (KeyError, *DAMAGED) as error:
            raise UserError(f"{path} is damaged ({error}): download or copy it again") from error

    prefix = pickled[0].removesuffix("data.pkl")
    if prefix + "byteorder" in names and entry(prefix + "byteorder") != b"little":
        raise UserError(_BIG_ENDIAN.format(path))
    content = _Unpickler(io.BytesIO(entry(pickled[0]))).load()
    return TorchFile(path, content, lambda storage: entry(f"{prefix}data/{storage.key}"))


def _read_legacy(path: Path, stream: BinaryIO) -> TorchFile:
    if _Unpickler(stream).load() != _LEGACY_MAGIC or _Unpickler(stream).load() != _LEGACY_PROTOCOL:
        raise UserError(f"{path} is a pickle but no checkpoint: give the file that torch.save wrote")
    system = _Unpickler(stream).load()
    if not system.get("little_endian", True):
        raise UserError(_BIG_ENDIAN.format(path))
    unpickler = _Unpickler(stream)
    content = unpickler.load()
    places: dict[str, tuple[int, int]] = {}
    for key in _Unpickler(stream).load():
        length = int.from_bytes(stream.read(8), "little", signed=True)
        size = length * torch.empty((), dtype=unpickler.storages[key].dtype).element_size()
        places[key] = (stream.tell(), size)
        stream.seek(size, 1)

    def read(storage: StorageRecord) -> bytes:
        start, size = places.get(storage.key, (0, 0))
        with path.open("rb") as again:
            again.seek(start)
            return again.read(min(max(size, 0), path.stat().st_size))  # a size may be any claim

    return TorchFile(path, content, read)


class _Unpickler(pickle.Unpickler):
    """Knows storages and the stand-ins; everything else is a placeholder or a refusal."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream, encoding="utf-8", errors="replace")
        self.stream = stream
        self.storages: dict[str, StorageRecord] = {}

    def load(self) -> Any:
        """One pickle. Its memo is an array: a few bytes that number an entry 2^31 would take 16 GB for it."""
        start = self.stream.tell()
        for opcode, argument, place in pickletools.genops(self.stream):
            if (
                opcode.name in ("PUT", "BINPUT", "LONG_BINPUT")
                and isinstance(argument, int)
                and argument > (place or 0)
            ):
                raise Refused(f"it numbers an entry {argument}, more than it holds")
        self.stream.seek(start)
        return super().load()

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        if (module, name) in _STAND_INS:
            return _STAND_INS[module, name]
        if module in ("torch", "torch.cuda", "torch.storage") and name in _STORAGES:
            return _STORAGES[name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        package = module.partition(".")[0]
        harmless = (module, name) in _HARMLESS or (module == "builtins" and name in _PLAIN)
        if package in sys.stdlib_module_names and not harmless:
            raise Refused(f"it names {module}.{name}")
        return _PlaceholderType(name, (Placeholder,), {"__module__": module})

    def persistent_load(self, pid: Any) -> StorageRecord:
        kind, dtype, key, _, length, *view = pid
        if kind != "storage" or not isinstance(dtype, torch.dtype) or any(v is not None for v in view):
            raise Refused(f"it holds a persistent object of the unknown kind {kind!r:.40}")
        return self.storages.setdefault(str(key), StorageRecord(str(key), dtype, int(length)))


class _PlaceholderType(type):
    """The type of placeholder classes: calling one is what a pickle must not do."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        raise Refused(f"it calls {cls.__module__}.{cls.__name__}")


class Placeholder(metaclass=_PlaceholderType):
    """Stands for an object of a foreign class; takes whatever the pickle gives it and keeps nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Placeholder:
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None: ...
    def __setitem__(self, key: Any, value: Any) -> None: ...
    def append(self, item: Any) -> None: ...
    def extend(self, items: Any) -> None: ...
    def add(self, item: Any) -> None: ...


class PlainDict(dict[Any, Any]):
    """An OrderedDict or defaultdict of the file; attributes it carries (``_metadata``) are dropped."""

    def __setstate__(self, state: Any) -> None: ...


def _defaulting(factory: Any = None, items: Any = ()) -> PlainDict:
    return PlainDict(items)


def _inert(*args: Any) -> Placeholder:
    return Placeholder.__new__(Placeholder)


def _tensor(storage: Any, offset: int, shape: Any, stride: Any, *rest: Any) -> TensorRecord:
    if not isinstance(storage, StorageRecord):
        raise Refused(f"it builds a tensor from {storage!r:.60}")
    dtype = rest[2] if len(rest) > 2 and isinstance(rest[2], torch.dtype) else storage.dtype
    return TensorRecord(storage, dtype, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _parameter(data: Any, *rest: Any) -> Any:
    return data


def _subclassed(function: Any, kind: Any, args: Any, state: Any) -> Any:
    if not (isinstance(function, _StandIn) and function.function is _tensor):
        raise Refused(f"it rebuilds a tensor by {function!r:.60}")
    return _tensor(*args)


class _StandIn(_Sealed):
    """A callable of ours in the place of the one that the file names."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any) -> Any:
        return self.function(*args)


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): PlainDict,
    ("collections", "defaultdict"): _defaulting,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _subclassed,
    ("torch", "Size"): tuple,
    ("torch", "device"): _inert,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "bytes"): _inert,
    ("builtins", "bytearray"): _inert,
    ("builtins", "complex"): _inert,
    ("builtins", "slice"): _inert,
    ("builtins", "range"): _inert,
    ("numpy", "dtype"): _inert,
    ("numpy.core.multiarray", "scalar"): _inert,
    ("numpy.core.multiarray", "_reconstruct"): _inert,
    ("numpy._core.multiarray", "scalar"): _inert,
    ("numpy._core.multiarray", "_reconstruct"): _inert,
    ("_codecs", "encode"): _inert,
}
_STAND_INS = {name: _StandIn(function) for name, function in _FUNCTIONS.items()}
