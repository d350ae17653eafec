"""What the benches' messages say: lines of files, or the project's own invented room, over and over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib import resources
from itertools import cycle
from pathlib import Path

from garim.cli.files import read_input
from garim.importers import Message, open_chat
from garim.statements.refusal import RefusedError


def texts(paths: Iterable[Path]) -> Iterator[str]:
    """Yield texts without end.

    Args:
        paths: Files of one text a line, or of JSON objects with a member `text` where they end in `.jsonl`;
            the sample room where there are none.

    Raises:
        RefusedError: `BENCH_TEXT`: a file holds no text, and those of reading it.
    """
    found = [text for path in paths for text in _lines(path)] or _sample()
    return cycle(found)


def _lines(path: Path) -> list[str]:
    lines = read_input(path, "text file").decode("utf-8", errors="replace").splitlines()
    if path.suffix == ".jsonl":
        try:
            lines = [str(json.loads(line)["text"]) for line in lines]
        except (ValueError, KeyError, TypeError):
            raise RefusedError("BENCH_TEXT", f"{path}: every line must be an object with `text`") from None
    found = [line for line in lines if line.strip()]
    if not found:
        raise RefusedError("BENCH_TEXT", f"{path} holds no text")
    return found


def _sample() -> list[str]:
    with resources.as_file(resources.files("garim.testing") / "sample" / "room.txt") as path:
        return [one.text for one in open_chat(path) if isinstance(one, Message)]
