"""Disclose all ten IRC rooms, for three subjects each, and look for bystanders in what an investigator opens.

    python tests/e2e/irc_check.py [--json]

Ends with status 1 where anything stands that must not.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console
from rich.table import Table

from e2e_support import irc
from mesh_support.live import LiveMesh

SUBJECTS = 3
WIDTH = 130
_LISTS = ("standing", "nicks", "senders", "changed", "unmatched")
_COLUMNS = ("room", "subject", "messages", "of the subject", "mentions", *_LISTS, "seconds")


def main() -> int:
    """Run; returns the status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    options = parser.parse_args()
    if not irc.paths():
        Console(stderr=True).print(f"{irc.CHATS} is not here: nothing to check")
        return 1
    table = Table(*_COLUMNS, pad_edge=False)
    results = []
    gold = irc.read_gold()
    with (
        tempfile.TemporaryDirectory(prefix="garim-irc-") as scratch,
        LiveMesh(Path(scratch) / "mesh") as mesh,
    ):
        for path in irc.paths():
            room = irc.read_room(path, gold)
            irc.store(mesh, room)
            for number, subject in enumerate(room.busiest(SUBJECTS)):
                begun = time.monotonic()
                found = irc.disclose(mesh, room, subject, Path(scratch) / f"{path.name}-{number}")
                seconds = time.monotonic() - begun
                results.append({"room": path.name, "subject": number, **dataclasses.asdict(found)})
                counts = [len(getattr(found, name)) for name in _LISTS]
                cells = (found.lines, found.subject_lines, found.addressed, *counts, f"{seconds:.1f}")
                table.add_row(path.name.partition(".")[0], str(number + 1), *map(str, cells))
    wrong = sum(any(one[name] for name in _LISTS) for one in results)
    if options.json:
        print(json.dumps({"dossiers": results, "wrong": wrong}, indent=2))  # noqa: T201 - its output
    else:
        console = Console()
        console.width = max(console.width, WIDTH)
        console.print(table)
        console.print(f"{len(results)} dossiers, {wrong} with something that must not stand there")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
