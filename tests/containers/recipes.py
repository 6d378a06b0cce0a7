"""The two recipes, read as far as their tests need."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tests.conftest import ROOT

CONTAINERFILE, APPTAINER = ROOT / "Containerfile", ROOT / "inmo.def"


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Containerfile with its words, continued lines put together."""

    name: str
    words: str


def containerfile() -> list[Instruction]:
    lines = [line for line in CONTAINERFILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [Instruction(*line.split(maxsplit=1)) for line in whole]


def words_of(name: str) -> list[str]:
    return [one.words for one in containerfile() if one.name == name]


def copied() -> list[tuple[str, str]]:
    """What the Containerfile copies: (source, place below its folder)."""
    found = []
    for words in words_of("COPY"):
        *sources, target = shlex.split(words)
        found += [(s, s if target == "./" else target) for s in sources]
    return found


def sections() -> dict[str, list[str]]:
    """Section of the Apptainer recipe -> its lines; the header under the empty name."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in APPTAINER.read_text().splitlines():
        if line.startswith("%"):
            name = line[1:].strip()
            assert name not in found, f"%{name} twice"
            found[name] = []
        elif line.strip() and not line.startswith("#"):
            found[name].append(line.strip())
    return found


def commands() -> list[str]:
    """The commands of the Containerfile in their order."""
    return [command.strip() for words in words_of("RUN") for command in words.split("&&")]
