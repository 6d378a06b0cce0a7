"""Files that lie where a checkpoint should, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from inmo.errors import UserError
from inmo.trackers.pipeline.checkpoint import load_state_dict

STATE = {"head.weight": torch.arange(2000.0), "head.bias": torch.zeros(3)}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 94373120\n"


def saved(path: Path, *, zipped: bool = True) -> bytes:
    torch.save(STATE, path, _use_new_zipfile_serialization=zipped)
    return path.read_bytes()


def tensors(path: Path) -> bytes:
    save_file(STATE, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda p: POINTER, "is a git-lfs pointer to a file of 94,373,120 bytes, not the file: run git lfs pull"),
        (lambda p: b"\n<!DOCTYPE html>\n<html><head>", "is an HTML page, which a link gave that asks for a login"),
        (lambda p: b"\xef\xbb\xbf<HTML>", "is an HTML page"),
        (lambda p: b'<?xml version="1.0"?><Error><Code>AccessDenied', "is a server's answer, no file: <.xml"),
        (lambda p: b'{"error": "rate limit"}', 'is a server\'s answer, no file: {"error": "rate limit"}'),
        (lambda p: b"", "is empty: download it again"),
        (lambda p: bytes(5000), "is 5,000 bytes of nothing: download it again"),
        (lambda p: b"\x1f\x8b\x08" + bytes(100), "is a gzip archive: unpack it"),
        (lambda p: b"Rar!\x1a\x07" + bytes(100), "is a RAR archive: unpack it"),
        (lambda p: saved(p)[:5000], "is half a download, it ends after 5,000 bytes"),
        (lambda p: saved(p, zipped=False)[:5000], "half a download|ends before its tensors do"),
        (lambda p: saved(p, zipped=False)[:150], "half a download"),
        (lambda p: tensors(p)[:5000], r"is half a download, 5,000 of 8,\d+ bytes"),
        (lambda p: tensors(p)[:40], "is half a download, it ends within its header"),
    ],
)
def test_it_is_called_what_it_is(tmp_path: Path, content: Callable[[Path], bytes], words: str) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content(path))
    with pytest.raises(UserError, match=words) as error:
        load_state_dict(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("write", [lambda s, p: torch.save(s, p), save_file])
def test_nan_is_refused_by_the_name_of_its_tensor(tmp_path: Path, write: Callable[[object, Path], None]) -> None:
    path = tmp_path / "model"
    write({**STATE, "neck.scale": torch.tensor([1.0, torch.nan])}, path)
    with pytest.raises(UserError, match=r"model holds NaN in neck\.scale: its training diverged"):
        load_state_dict(path)
    write({**STATE, "mask": torch.tensor([0.0, -torch.inf]), "steps": torch.tensor(3)}, path)
    assert set(load_state_dict(path)) == {*STATE, "mask", "steps"}
