"""Every `garim` command that a document, a help text or a message names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from garim.cli.main import app

ROOT = Path(__file__).parents[2]
WRITTEN = re.compile(r"(?:`|^)garim ([a-z][a-z -]*)", re.MULTILINE)


def commands() -> set[tuple[str, ...]]:
    """Return all commands, and all groups of commands, as words."""
    found: set[tuple[str, ...]] = set()
    waiting = [((), typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        found.add(words)
        waiting += [((*words, name), one) for name, one in getattr(command, "commands", {}).items()]
    return found


def groups() -> set[tuple[str, ...]]:
    return {words[:-1] for words in commands() if words}


def exists(written: str) -> bool:
    """Tell whether words begin with a command, or are a group alone."""
    words = [word for word in written.split() if not word.startswith("-")]
    known = max(
        (tuple(words[:end]) for end in range(1, len(words) + 1) if tuple(words[:end]) in commands()),
        key=len,
        default=(),
    )
    return bool(known) and (known not in groups() or len(known) == len(words))


def texts() -> list[Path]:
    documents = [ROOT / "README.md", ROOT / "protos" / "README.md", ROOT / "deploy" / "README.md"]
    documents += (ROOT / "services").rglob("*.md")
    code = [path for path in (ROOT / "services" / "garim").rglob("*.py") if "api" not in path.parts]
    return [path for path in documents + code if path.is_file()]


def test_each_command_that_is_written_somewhere_exists() -> None:
    written = [
        (str(path.relative_to(ROOT)), command)
        for path in texts()
        for command in WRITTEN.findall(path.read_text(encoding="utf-8"))
    ]
    assert len(written) > 20
    assert not [(name, command) for name, command in written if not exists(command)]


@pytest.mark.parametrize(
    ("written", "there"),
    [("unmask draft", True), ("unmask", True), ("unmask dream", False), ("custody freeze --reason", True)],
)
def test_a_command_that_nobody_made_is_noticed(written: str, there: bool) -> None:
    assert exists(written) is there
