"""The table of security checks: what stands in `table.toml`, read closed."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

TABLE = Path(__file__).with_name("table.toml")
ROOT = Path(__file__).parents[2]
_KEYS = frozenset({"id", "invariant", "check", "file", "snippet", "replacement", "tests"})


@dataclasses.dataclass(frozen=True, slots=True)
class Removal:
    """One security check.

    Attributes:
        id: Its name.
        invariant: Which of the protocol's nine invariants breaks without it.
        check: What it refuses.
        file: Where it stands, from the repository's root.
        snippet: The exact source; it occurs there once.
        replacement: What disables it.
        tests: Paths or node ids of which at least one must fail then.
    """

    id: str
    invariant: int
    check: str
    file: str
    snippet: str
    replacement: str
    tests: tuple[str, ...]

    def occurrences(self, root: Path) -> int:
        """Return how often the snippet occurs in its file."""
        path = root / self.file
        return path.read_text(encoding="utf-8").count(self.snippet) if path.is_file() else 0

    def removed(self, source: str) -> str:
        """Return a source without the check."""
        return source.replace(self.snippet, self.replacement)


def read_table(path: Path = TABLE) -> list[Removal]:
    """Return all rows, in order.

    Raises:
        ValueError: A row has an unknown or missing key, or an id stands twice.
    """
    rows = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["removal"]:
        if entry.keys() != _KEYS:
            raise ValueError(f"{entry.get('id')}: keys {sorted(entry.keys() ^ _KEYS)} are unknown or missing")
        rows.append(Removal(**{**entry, "tests": tuple(entry["tests"])}))
    if len({row.id for row in rows}) != len(rows):
        raise ValueError("an id stands twice")
    return rows
