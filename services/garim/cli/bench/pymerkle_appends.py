"""Append to pymerkle's tree on SQLite and prove each entry: prints the seconds that all of them took.

Runs in the peer's environment; arguments: a database file to be made, and how many entries.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time


def main() -> None:
    """Append and prove, one entry after the other."""
    tree = importlib.import_module("pymerkle").SqliteTree(sys.argv[1])
    count = int(sys.argv[2])
    begun = time.perf_counter()
    for _ in range(count):
        size = tree.append_entry(os.urandom(32))
        tree.prove_inclusion(size)
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
