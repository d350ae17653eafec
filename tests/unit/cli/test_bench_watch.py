"""What a bench says a service takes includes its children, and counts shared memory once where it says so."""

from __future__ import annotations

import os
import subprocess
import sys

from garim.cli.bench import watch

HOLDING = "import sys; held = bytearray(b'x') * (64 << 20); print(len(held), flush=True); sys.stdin.read()"


def test_a_child_and_its_memory_count() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in set(watch._family(os.getpid()))
        memory = watch._memory(child.pid)
        assert memory["Rss"] > 64 << 20
        assert memory["Pss"] <= memory["Rss"]
        assert watch._seconds(child.pid) >= 0
    finally:
        child.communicate()
