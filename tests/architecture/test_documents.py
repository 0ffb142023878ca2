"""What the documents say exists: links, settings, commands, targets. And nothing that names this or that workplace."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from app.cli import COMMANDS
from settings import Settings

ROOT = Path(__file__).resolve().parents[2]

_BUILT = ROOT / "app/static/graphiql"
"""Not ours to word: built from packages, with their licences."""
_LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_VARIABLE = re.compile(r"\bTIDINGS_[A-Z][A-Z_]*[A-Z]\b")
_MAKE = re.compile(r"(?<![\w-])make ([a-z][a-z-]*)")
_COMMAND = re.compile(r"(?<![\w@:/-])(?:[\w./]*/)?tidings ([a-z]+)(?: ([a-z]+))?")
_FOREIGN = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|npmmirror|index-url|find-links|/opt/pypi"
    r"|(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/"
)
"""Addresses of package registries, and paths that only one machine has."""


def _files() -> list[Path]:
    """Every file of ours: what `.gitignore` names is none."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [".git", *(line.strip("/") for line in lines if line)]

    def is_ours(path: Path) -> bool:
        return path != _BUILT and not any(fnmatch(path.name, name) or path == ROOT / name for name in ignored)

    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if is_ours(Path(folder, name))]
        found += [path for name in names if is_ours(path := Path(folder, name))]
    return sorted(found)


FILES = _files()
DOCUMENTS = [path for path in FILES if path.suffix == ".md"]
documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def _code(text: str) -> Iterator[str]:
    """The pieces of a document that are code; a comment in them is none."""
    for block in _FENCE.findall(text):
        yield from (line.partition(" # ")[0] for line in block.splitlines())
    yield from _CODE_SPAN.findall(_FENCE.sub("", text))


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    plain = (heading.lower() for heading in _HEADING.findall(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


def _cli_variables() -> set[str]:
    """Variables that commands read themselves."""
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "app/cli").glob("*.py"))
    return {name for source in sources for name in re.findall(r'envvar="(TIDINGS_[A-Z_]+)"', source)}


@documents
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for link in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8")), f"{link}: no such heading"


@documents
def test_settings_that_are_named_exist(document: Path) -> None:
    known = {f"TIDINGS_{name.upper()}" for name in Settings.model_fields} | _cli_variables()
    named = set(_VARIABLE.findall(document.read_text(encoding="utf-8")))
    assert named <= known


@documents
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for piece in _code(document.read_text(encoding="utf-8")) for name in _MAKE.findall(piece)}
    assert named <= targets


@documents
def test_commands_that_are_named_exist(document: Path) -> None:
    app = typer.Typer()
    for module in dict.fromkeys(COMMANDS.values()):
        import_module(module).register(app)
    tidings: Any = typer.main.get_command(app)
    for piece in _code(document.read_text(encoding="utf-8")):
        for name, second in _COMMAND.findall(piece):
            assert name in tidings.commands, f"`tidings {name}` does not exist"
            group = getattr(tidings.commands[name], "commands", None)
            assert not group or not second or second in group, f"`tidings {name} {second}` does not exist"


def test_every_command_is_in_a_document() -> None:
    text = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
    assert [name for name in COMMANDS if f"tidings {name}" not in text and f"`{name}`" not in text] == []


def test_nothing_names_a_registry_or_a_workplace() -> None:
    found = []
    for path in FILES:
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in _FOREIGN.finditer(text)]
    assert found == []
