"""What a service's processes take while a bench runs: the most memory at a time, and processor time.

A service is its process with all children. Memory is counted twice: resident (pages that several of them
share counted for each) and proportional (such pages counted once; proc(5), Pss).
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from garim.cli.bench.mesh import BenchMesh
from garim.cli.meshfolder import SERVICES

LOOK_S = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")
_GONE = (OSError, ValueError)


@dataclass(slots=True)
class Taken:
    """What one service took.

    Attributes:
        resident: Most bytes resident at a time.
        proportional: Most bytes at a time, shared pages counted once.
        seconds: Processor time.
    """

    resident: int = 0
    proportional: int = 0
    seconds: float = 0.0


class Watch:
    """Looks at every service of a mesh from its beginning to its end.

    Args:
        mesh: A running mesh.

    Attributes:
        taken: By service.
    """

    def __init__(self, mesh: BenchMesh) -> None:
        running = {service: mesh.processes.running(service) for service in SERVICES}
        self._pids = {service: one.pid for service, one in running.items() if one is not None}
        self.taken: Mapping[str, Taken] = {service: Taken() for service in self._pids}
        self._ended = threading.Event()
        self._seconds: dict[int, tuple[str, float]] = {}
        self._before: dict[int, float] = {}
        self._thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Self:
        for pid in self._pids.values():
            for one in _family(pid):
                with contextlib.suppress(*_GONE):
                    self._before[one] = _seconds(one)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._look()
        self._ended.set()
        self._thread.join()
        for pid, (service, seconds) in self._seconds.items():
            self.taken[service].seconds += seconds - self._before.get(pid, 0.0)

    def _look_on(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        for service, root in self._pids.items():
            resident = proportional = 0
            for pid in _family(root):
                with contextlib.suppress(*_GONE):
                    found = _memory(pid)
                    resident += found["Rss"]
                    proportional += found["Pss"]
                    self._seconds[pid] = (service, _seconds(pid))
            taken = self.taken[service]
            taken.resident = max(taken.resident, resident)
            taken.proportional = max(taken.proportional, proportional)


def _family(root: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield root
    with contextlib.suppress(*_GONE):
        for task in Path(f"/proc/{root}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _memory(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return {name.rstrip(":"): int(size) * 1024 for name, size, *_ in fields}


def _seconds(pid: int) -> float:
    """Return the processor time of a process itself; that of its children is theirs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
