"""A zygote whose children attack instead of opening documents: ``python -m kit_support.attacker DESCRIPTOR``.

The "document" of a job names the attack. An attack that gets through answers an envelope.
"""

from __future__ import annotations

import base64
import ctypes
import fcntl
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from garim.kit import confinement, document_child
from garim.kit.document_opener import Opened, read_job
from garim.statements.refusal import RefusedError

LIMITS = confinement.Limits(memory_bytes=64 * 1024 * 1024, cpu_s=1, wall_s=4.0)
LIBRARY = ctypes.CDLL(None, use_errno=True)


def eat_memory() -> None:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def eat_memory_in_c() -> None:
    ctypes.memset(LIBRARY.malloc(ctypes.c_size_t(1 << 40)), 1, 1 << 20)


def spin() -> None:
    while True:
        pass


def map_code() -> None:
    LIBRARY.mmap.restype = ctypes.c_void_p
    if LIBRARY.mmap(None, 4096, 7, 0x22, -1, 0) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "refused")


def outlive() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_IGN)


def broken_answer() -> None:
    os.write(3, b"\x00\x00\x00\x05\x00{}{}")
    os._exit(0)


def hang() -> None:
    select.poll().poll(60_000)


ATTACKS: dict[str, Callable[[], object]] = {
    "socket": socket.socket,
    "unix-socket": lambda: socket.socket(socket.AF_UNIX),
    "socketpair": socket.socketpair,
    "write-file": lambda: Path("/tmp/garim-attack").write_bytes(b"x"),  # noqa: S108 - where anybody may write
    "execute": lambda: os.execv(sys.executable, [sys.executable, "-c", "1"]),  # noqa: S606 - the attack
    "run": lambda: subprocess.run([sys.executable, "-c", "1"], check=True),
    "fork": os.fork,
    "thread": lambda: threading.Thread(target=time.sleep).start(),
    "signal": lambda: os.kill(1, 0),
    "trace": lambda: LIBRARY.ptrace(16, os.getpid(), 0, 0),
    "read-memory": lambda: LIBRARY.process_vm_readv(1, None, 0, None, 0, 0),
    "map-code": map_code,
    "unlimit": lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)),
    "no-alarm": lambda: signal.setitimer(signal.ITIMER_REAL, 0),
    "outlive": outlive,
    "signal-owner": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, 1),
    "chdir": lambda: os.chdir("/"),
    "prctl": lambda: LIBRARY.prctl(4, 1, 0, 0, 0),
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(0),
    "broken-answer": broken_answer,
    "sleep": lambda: time.sleep(60),
    "hang": hang,
    "spin": spin,
    "eat-memory": eat_memory,
    "eat-memory-in-c": eat_memory_in_c,
}


LOOKS: dict[str, Callable[[str], bytes]] = {
    "application/x-read": lambda path: Path(path).read_bytes(),
    "application/x-list": lambda path: b" ".join(os.fsencode(one) for one in Path(path).iterdir()),
    "application/x-environment": lambda _: "\n".join(os.environ).encode(),
    "application/x-descriptors": lambda _: b"x" * sum(_is_open(one) for one in range(256)),
}


def perform(job: bytes) -> bytes:
    """Do what the job names."""
    media_type, data = read_job(job)
    media_type = media_type or data.decode()
    if media_type in LOOKS:
        return _answer(LOOKS[media_type](data.decode()))
    if media_type == "application/x-answer":
        return base64.b64decode(data)
    if media_type != "application/x-attack":
        return document_child.perform(job, confined=True)
    try:
        ATTACKS[data.decode()]()
    except MemoryError:
        raise RefusedError("ATTACK_FAILED", "no memory") from None
    return _answer(b"the attack got through")


def _answer(payload: bytes) -> bytes:
    return Opened(payload=payload, chains=()).model_dump_json().encode()


def _is_open(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    confinement.serve(int(sys.argv[1]), perform, LIMITS)
