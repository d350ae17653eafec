"""A store taken over now cannot read what it wrote more than a minute ago: W and what it derives are gone."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from garim.sdk import Member, Message, Producer, Roster
from garim.sealing import roster, segment
from garim.sealing.segment import SegmentHeader
from garim.sealing.write_secret import SealedWriteSecret, WriteSecretRecord
from mesh_support.reading import STORED_SEGMENTS, stored_header
from messages_support.served import ServedStore, until
from messages_support.store import MESH

ROOM = Roster("방-1", [Member("acct-00001", names=["다온"]), Member("acct-00002", names=["가람"])])
LIFE_S = 2
MIB = 1024 * 1024


def _found_in_memory(pid: int, needles: dict[str, bytes]) -> set[str]:
    """Return which needles lie in the writable memory of a process."""
    found: set[str] = set()
    maps = Path(f"/proc/{pid}/maps").read_text()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in maps.splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            low, high = (int(part, 16) for part in span.split("-"))
            for start in range(low, high, 8 * MIB):
                try:
                    memory.seek(start)
                    chunk = memory.read(min(8 * MIB, high - start) + 64)
                except (OSError, ValueError, OverflowError):
                    continue
                found |= {name for name, needle in needles.items() if needle in chunk}
    return found


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedStore]:
    store = ServedStore(tmp_path, more=f"write_secret_s = {LIFE_S}")
    yield store
    store.close()


def _kept(path: Path) -> list[SealedWriteSecret]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT record, signature, sealed FROM write_secrets ORDER BY number")
        return [SealedWriteSecret(*row) for row in rows]
    finally:
        connection.close()


def _headers(path: Path, secret: bytes) -> list[bytes]:
    connection = sqlite3.connect(path)
    try:
        headers = [stored_header(row) for row in connection.execute(STORED_SEGMENTS)]
        return [header for header in headers if SegmentHeader.decode(header).write_secret == secret]
    finally:
        connection.close()


def _needles(served: ServedStore, kept: SealedWriteSecret, name: str) -> dict[str, bytes]:
    secret = served.custody.open_secret(kept)
    root = segment.segment_root(secret, MESH)
    keys = {
        f"{name} segment {at}": bytes(segment.segment_key(root, MESH, header).buffer)
        for at, header in enumerate(_headers(served.database, kept.id)[:40])
    }
    return keys | {
        f"{name} W": bytes(secret.buffer),
        f"{name} K_seg": bytes(segment.segment_root(secret, MESH).buffer),
        f"{name} K_roster": bytes(roster.roster_root(secret, MESH).buffer),
    }


def test_no_ended_write_secret_or_key_is_in_the_memory_of_a_store_under_load(served: ServedStore) -> None:
    stop = threading.Event()

    def load() -> None:
        number = 0
        with served.backend() as store, Producer(store, batch_size=50) as producer:
            while not stop.wait(0.001):
                number += 1
                producer.put(ROOM, Message(served.clock.now_ms(), "acct-00001", f"말 {number}"))

    loading = threading.Thread(target=load)
    loading.start()
    try:
        until(lambda: served.database.exists() and len(_kept(served.database)) >= 3, 30)
        pid = served.process.pid
        for _ in range(20):
            kept = _kept(served.database)
            present = _needles(served, kept[-1], "present")
            if "present W" in _found_in_memory(pid, present):
                break
        else:
            pytest.fail("the search does not find the write secret that is in use")
        time.sleep(LIFE_S + 1.5)
        kept = [
            one
            for one in _kept(served.database)
            if WriteSecretRecord.decode(one.record).not_before + LIFE_S * 1000 + 1_000 < served.clock.now_ms()
        ]
        assert len(kept) >= 3
        ended: dict[str, bytes] = {}
        for at, one in enumerate(kept):
            ended |= _needles(served, one, str(at))
        assert _found_in_memory(pid, ended) == set()
    finally:
        stop.set()
        loading.join()
    for path in served.folder.glob("messages.db*"):
        content = path.read_bytes()
        assert [name for name, needle in ended.items() if needle in content] == []


def test_the_process_can_leave_no_core_behind(served: ServedStore) -> None:
    limits = Path(f"/proc/{served.process.pid}/limits").read_text()
    line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"]
