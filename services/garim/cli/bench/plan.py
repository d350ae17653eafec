"""What a bench is asked for, and the steps every bench takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

from garim.cli.bench.figures import Figure
from garim.cli.bench.mesh import BenchMesh
from garim.cli.bench.postgres import Databases

MeasureFunction = Callable[["Plan"], list[Figure]]
_NUMBERS = count(1)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure.

    Attributes:
        databases: Where the services' tables lie, and where peers find a PostgreSQL.
        messages: How many, for each run.
        conversations: Over how many conversations they are spread.
        members: Of each conversation.
        runs: How often each figure is measured; the median counts.
        texts: Files of texts; the sample room where there are none.
        folder: Where meshes and peers lie.
        say: Told what is being done.
    """

    databases: Databases
    messages: int
    conversations: int
    members: int
    runs: int
    texts: tuple[Path, ...]
    folder: Path
    say: Callable[[str], None]

    @contextmanager
    def mesh(self, *, write_secret_s: int = 1, names: str = "all-persons") -> Iterator[BenchMesh]:
        """Run a fresh mesh of five processes.

        Args:
            write_secret_s: How long a write secret lives, in seconds.
            names: Whose names the policy has masked.
        """
        root = self.folder / f"mesh-{next(_NUMBERS)}"
        self.say("starting a mesh")
        with BenchMesh(root, self.databases, write_secret_s=write_secret_s, names=names) as mesh:
            yield mesh


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds a piece of work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def at_once(work: Callable[[T], object], shares: Sequence[T]) -> None:
    """Do a piece of work on several shares at once, a thread each.

    Args:
        work: What to do with one share.
        shares: One for each thread.
    """
    with ThreadPoolExecutor(len(shares)) as pool:
        for done in [pool.submit(work, share) for share in shares]:
            done.result()
