"""Seals: every file that is kept and read again carries SHA-256 of its own bytes, and who reads it checks that first.

A seal is ``inmo-sha256:`` and 64 hex digits where the format has room for a word: a value ``seal`` in JSON, in the
metadata of Parquet and safetensors, the comment of a zip file. The digest is that of the file with zeros in the
digits' place. A file without a seal was written by version 0.1, or by hand, and is read as it stands.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from inmo.errors import UserError

KEY = "seal"
PREFIX = "inmo-sha256:"
BLANK = PREFIX + "0" * 64
"""What a writer puts where the seal is to be."""

SUMS = "SHA256SUMS"
"""Of a folder of files that are not sealed: what ``sha256sum -c`` reads."""

AGAIN = "delete it and run again"


def sealed(data: bytes) -> bytes:
    """The bytes of a file with its ``BLANK`` filled in."""
    at = data.rindex(BLANK.encode())
    return data[:at] + _seal(data, at) + data[at + len(BLANK) :]


def sealed_zip(data: bytes) -> bytes:
    """The bytes of a zip file that has no comment, with the seal as its comment."""
    comment = BLANK.encode()
    return sealed(data[:-2] + struct.pack("<H", len(comment)) + comment)  # its length is a zip file's last field


def check_seal(path: Path, data: bytes, mend: str = AGAIN) -> bool:
    """Whether the bytes of a file carry a seal.

    Args:
        mend: what to do about a damaged one, for the message.

    Raises UserError when they do and it is not theirs.
    """
    at = data.rfind(PREFIX.encode())
    if at >= 0 and data[at : at + len(BLANK)] != _seal(data, at):
        raise UserError(f"{path} is damaged (its checksum is not that of what it holds): {mend}")
    return at >= 0


def check_listed(path: Path) -> None:
    """Raises UserError for a file that is not the one of that name in its folder's ``SHA256SUMS``, where there is one.

    The weights that come with the project are listed so.
    """
    sums = path.with_name(SUMS)
    if not sums.is_file():
        return
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in sums.read_text().splitlines())}
    if path.name in listed and path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != listed[path.name]:
        raise UserError(f"{path} is not the file that {sums} lists: it, or the list, is damaged; copy them again")


def _seal(data: bytes, at: int) -> bytes:
    view = memoryview(data)
    digest = hashlib.sha256(view[:at])
    digest.update(BLANK.encode())
    digest.update(view[at + len(BLANK) :])
    return (PREFIX + digest.hexdigest()).encode()
