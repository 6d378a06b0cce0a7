"""What lies in the place of a checkpoint when a download went wrong: told by its first bytes, in words."""

from __future__ import annotations

import json
import re
from pathlib import Path

_HEAD = 4096  # bytes looked at
_ZIP = b"PK\x03\x04"
_ARCHIVES = {b"\x1f\x8b": "gzip", b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "RAR", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
_AGAIN = "download it again"


def mistaken(path: Path) -> str:
    """What a file is that no checkpoint can be read from, and what to do: half a sentence; empty where nobody knows."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not head.strip(b"\0"):
        what = "empty" if not size else f"{size:,} bytes of nothing"
        return f"is {what}: {_AGAIN}"
    if text.startswith(b"version https://git-lfs"):
        wanted = re.search(rb"^size (\d+)", text, re.MULTILINE)
        of = f" to a file of {int(wanted[1]):,} bytes" if wanted else ""
        return f"is a git-lfs pointer{of}, not the file: run git lfs pull in its repository"
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script")):
        return "is an HTML page, which a link gave that asks for a login or a click: download the file in a browser"
    if text.startswith((b"<?xml", b"{")):
        return f"is a server's answer, no file: {_first_line(text)}; check the link and {_AGAIN}"
    for magic, name in _ARCHIVES.items():
        if head.startswith(magic):
            return f"is a {name} archive: unpack it and give the file in it"
    if head.startswith(_ZIP):
        return f"is half a download, it ends after {size:,} bytes without the table of its contents: {_AGAIN}"
    return ""


def short_safetensors(path: Path) -> str:
    """Of a safetensors file that is shorter than its header says: how much of it there is; else empty."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header = stream.read(min(length, size))
    if len(header) < length:
        return f"is half a download, it ends within its header, after {size:,} bytes: {_AGAIN}"
    try:
        ends = [int(v["data_offsets"][1]) for k, v in json.loads(header).items() if k != "__metadata__"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return ""
    wanted = 8 + length + max(ends, default=0)
    return f"is half a download, {size:,} of {wanted:,} bytes: {_AGAIN}" if size < wanted else ""


def _first_line(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:80]
