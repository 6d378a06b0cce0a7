"""The site's pages are the repository's own files, at their own paths, so that every link between them holds as it is.

MkDocs reads one folder; the READMEs lie beside the code that they are about. So its list of files is replaced by one of
the repository. Notebooks become Markdown with their stored outputs, the page of the commands gets what ``--help``
prints, and entries of the navigation whose page does not exist are left out.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("*.md", "*/README.md", "*/*/README.md", "docs/*.md", "docs/*.ipynb", "trackers/weights/*.md")
ASSETS = ("docs/images/**/*.*", "docs/_site/*.css", "docs/_site/*.js", "docs/*.ipynb", "LICENSE", "CITATION.cff")
REST = ("experiments/*.yaml",)  # linked, and shown as they are
HELP = "<!-- help -->"  # what follows it to the end of the page is for readers of the file alone


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    sys.path.insert(0, str(ROOT))
    from tools.link_packages import linked

    linked()  # mkdocstrings reads modules without importing them
    config.nav = [entry for entry in map(_existing, config.nav or []) if entry]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    kept = [file for file in files if file.src_dir != config.docs_dir]
    for path in _found(PAGES):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".ipynb":
            kept.append(File.generated(config, name.replace(".ipynb", ".md"), content=_notebook(path)))
        else:
            kept.append(File.generated(config, name, abs_src_path=str(path)))
    kept += [
        File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path))
        for path in _found((*ASSETS, *REST))
    ]
    return Files(kept)


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    if HELP in markdown:
        markdown = "\n\n".join([markdown.partition(HELP)[0], *_help()])
    return re.sub(r"(\]\([^)\s]+)\.ipynb(#[^)]*)?\)", r"\1.md\2)", markdown)


def _existing(entry: Any) -> Any:
    """An entry of the navigation without what is not there; None when nothing of it is."""
    (title, value), *_ = entry.items()
    if isinstance(value, str):
        return entry if any((ROOT / value).with_suffix(s).is_file() for s in (".md", ".ipynb")) else None
    inner = [one for one in map(_existing, value) if one]
    return {title: inner} if inner else None


def _found(patterns: tuple[str, ...]) -> Iterator[Path]:
    """Files of the repository, not of environments and outputs that lie in it."""
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and not {".venv", "output"} & set(path.relative_to(ROOT).parts):
                yield path


def _notebook(path: Path) -> str:
    import base64

    import nbformat
    from nbconvert import MarkdownExporter

    notebook = nbformat.read(path, as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    for name, data in resources["outputs"].items():
        kind = {"svg": "svg+xml"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
        address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        text = text.replace(f"({name})", f"({address})")
    return apart(str(text))


def apart(text: str) -> str:
    """Exported Markdown with a comment where the exporter leaves a gap between outputs of a cell.

    Markdown takes indented outputs for one block, whatever the number of empty lines between them, and shows those.
    """
    return re.sub(r"\n(?:[ \t]*\n){4,}", "\n\n<!-- -->\n\n", text)


def _help() -> Iterator[str]:
    """``--help`` of every command, in a process of its own: plain text of a fixed width."""
    from inmo.harness.commands import COMMANDS

    for name in COMMANDS:
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_all.py"), name, "--help"],
            capture_output=True, text=True, check=True, cwd=ROOT,
            env={"COLUMNS": "92", "NO_COLOR": "1", "TERM": "dumb", "PATH": ""},
        )  # fmt: skip
        yield f"### {name}\n\n```text\n{done.stdout.strip()}\n```"
