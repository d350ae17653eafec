"""Child processes that give up everything before they read bytes that may be hostile.

Two steps. The zygote leaves network, user and files, once, as far as the kernel lets an ordinary process
(`_give_up_files`). Each child then gives up the rest (`_confine`): descriptors, memory, time and, by filter,
all system calls but those that computing and answering take. This must succeed: a zygote begins when it has
seen a child die of a forbidden call. Platforms without such a filter get the limits alone; whoever serves
there asks `available` first.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from garim.kit import landlock, seccomp, zygote
from garim.kit.hardening import harden_process

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_NOBODY = 65534
_DESCRIPTORS = 256
_STATM = Path("/proc/self/statm")


@dataclasses.dataclass(frozen=True)
class Limits:
    """What one child may use.

    Attributes:
        memory_bytes: Address space beyond what the zygote has.
        cpu_s: Processor time, in seconds.
        wall_s: Time by the clock, in seconds.
    """

    memory_bytes: int
    cpu_s: int
    wall_s: float


def available() -> bool:
    """Tell whether this platform has a filter of system calls."""
    return sys.platform == "linux"


def serve(descriptor: int, perform: Callable[[bytes], bytes], limits: Limits) -> None:
    """Run a zygote whose children are confined; ends the process where they would not be.

    Args:
        descriptor: The zygote's control socket.
        perform: Does a job in a child; everything it needs is loaded already, for nothing can be later.
        limits: What each child may use.
    """
    harden_process()
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    null = os.open(os.devnull, os.O_RDWR)
    size = _address_space() if available() else 0
    _give_up_files()

    def enter(end: socket.socket) -> None:
        _confine(end, null, limits, size + limits.memory_bytes)

    if available() and not _holds(enter):
        sys.stderr.write("CONFINEMENT_MISSING: the kernel does not confine children: no document is opened\n")
        raise SystemExit(2)
    with socket.socket(fileno=descriptor) as control:
        zygote.serve(control, perform, timeout_s=limits.wall_s, enter=enter)


def _give_up_files() -> None:
    # Nothing of this must succeed: each child's filter denies the same once more.
    os.chdir("/")
    library = ctypes.CDLL(None)
    unshare = getattr(library, "unshare", None)
    if unshare is not None and unshare(_CLONE_NEWNET) != 0:
        unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    landlock.close_everything()


def _confine(end: socket.socket, null: int, limits: Limits, memory_bytes: int) -> None:
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    keep = end.fileno()
    os.closerange(3, keep)
    os.closerange(keep + 1, _DESCRIPTORS)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, keep + 1)
    if available():
        _limit(resource.RLIMIT_AS, memory_bytes)
        _limit(resource.RLIMIT_NPROC, 0)
        seccomp.install()


def _limit(which: int, most: int) -> None:
    resource.setrlimit(which, (most, most))


def _address_space() -> int:
    return int(_STATM.read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def _holds(enter: Callable[[socket.socket], None]) -> bool:
    """Have a child try to make a socket; tell whether the kernel killed it for that."""
    end, other = socket.socketpair()
    with end, other:
        child = os.fork()
        if child == 0:
            try:
                enter(end)
                socket.socket()
            finally:
                os._exit(1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGSYS
