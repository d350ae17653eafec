"""A filter that leaves a process the few system calls that computing and answering take (Linux seccomp).

What is not listed kills the process. Opening or looking up a file fails with EACCES, because libraries try it
and go on; opening one for writing kills. Programs are classic BPF over `struct seccomp_data`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from types import MappingProxyType

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16
_X32_NUMBERS = 0x40000000
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2

_PROT_EXEC = 4
_FIONBIO = 0x5421
_FCNTL_FLAGS_ONLY = 4
"""F_SETFL: those above set owners, signals, locks and seals."""

_PLAIN = (
    "brk",
    "clock_getres",
    "clock_gettime",
    "close",
    "exit",
    "exit_group",
    "fstat",
    "futex",
    "getpid",
    "getrandom",
    "getrusage",
    "gettid",
    "lseek",
    "madvise",
    "mremap",
    "munmap",
    "poll",
    "ppoll",
    "read",
    "recvfrom",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "sendto",
    "sysinfo",
    "uname",
    "write",
)
_FAILING = (
    "access",
    "faccessat",
    "faccessat2",
    "getcwd",
    "lstat",
    "newfstatat",
    "readlink",
    "readlinkat",
    "rt_sigprocmask",
    "stat",
    "statx",
)

_X86_64 = MappingProxyType(
    {
        "access": 21,
        "brk": 12,
        "clock_getres": 229,
        "clock_gettime": 228,
        "close": 3,
        "exit": 60,
        "exit_group": 231,
        "faccessat": 269,
        "faccessat2": 439,
        "fcntl": 72,
        "fstat": 5,
        "futex": 202,
        "getcwd": 79,
        "getpid": 39,
        "getrandom": 318,
        "getrusage": 98,
        "gettid": 186,
        "ioctl": 16,
        "lseek": 8,
        "lstat": 6,
        "madvise": 28,
        "mmap": 9,
        "mprotect": 10,
        "mremap": 25,
        "munmap": 11,
        "newfstatat": 262,
        "open": 2,
        "openat": 257,
        "poll": 7,
        "ppoll": 271,
        "read": 0,
        "readlink": 89,
        "readlinkat": 267,
        "recvfrom": 45,
        "rt_sigprocmask": 14,
        "rt_sigreturn": 15,
        "sched_getaffinity": 204,
        "sched_yield": 24,
        "sendto": 44,
        "stat": 4,
        "statx": 332,
        "sysinfo": 99,
        "uname": 63,
        "write": 1,
    }
)
_AARCH64 = MappingProxyType(
    {
        "brk": 214,
        "clock_getres": 114,
        "clock_gettime": 113,
        "close": 57,
        "exit": 93,
        "exit_group": 94,
        "faccessat": 48,
        "faccessat2": 439,
        "fcntl": 25,
        "fstat": 80,
        "futex": 98,
        "getcwd": 17,
        "getpid": 172,
        "getrandom": 278,
        "getrusage": 165,
        "gettid": 178,
        "ioctl": 29,
        "lseek": 62,
        "madvise": 233,
        "mmap": 222,
        "mprotect": 226,
        "mremap": 216,
        "munmap": 215,
        "newfstatat": 79,
        "openat": 56,
        "ppoll": 73,
        "read": 63,
        "readlinkat": 78,
        "recvfrom": 207,
        "rt_sigprocmask": 135,
        "rt_sigreturn": 139,
        "sched_getaffinity": 123,
        "sched_yield": 124,
        "sendto": 206,
        "statx": 291,
        "sysinfo": 179,
        "uname": 160,
        "write": 64,
    }
)
MACHINES = MappingProxyType({"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)})
"""AUDIT_ARCH and call numbers of the machines that a filter can be written for, from the kernel's headers."""


class NotConfinedError(OSError):
    """The kernel did not take a restriction."""


def program(machine: str) -> bytes:
    """Return the filter for a machine, as an array of `struct sock_filter`.

    Args:
        machine: As `platform.machine` names it.

    Raises:
        NotConfinedError: Nobody has written one for it.
    """
    if machine not in MACHINES:
        raise NotConfinedError(errno.ENOSYS, f"no filter for {machine}")
    architecture, numbers = MACHINES[machine]
    return b"".join(struct.pack("=HBBI", *one) for one in _instructions(architecture, numbers))


def _instructions(
    architecture: int, numbers: MappingProxyType[str, int]
) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _MACHINE_AT
    yield _EQUAL, 1, 0, architecture
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER_AT
    yield _ABOVE, 0, 1, _X32_NUMBERS
    yield _RETURN, 0, 0, _KILL
    for name in _PLAIN:
        if name in numbers:
            yield from _answer(numbers[name], _ALLOW)
    for name in _FAILING:
        if name in numbers:
            yield from _answer(numbers[name], _fails(errno.EACCES))
    for name in ("mmap", "mprotect"):
        yield from _judge(numbers[name], 2, _ANY_BIT, _PROT_EXEC, _KILL, _ALLOW)
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    for name, flags in (("open", 1), ("openat", 2)):
        if name in numbers:
            yield from _judge(numbers[name], flags, _ANY_BIT, writes, _KILL, _fails(errno.EACCES))
    yield from _judge(numbers["ioctl"], 1, _EQUAL, _FIONBIO, _ALLOW, _fails(errno.ENOTTY))
    yield from _judge(numbers["fcntl"], 1, _ABOVE, _FCNTL_FLAGS_ONLY + 1, _KILL, _ALLOW)
    yield _RETURN, 0, 0, _KILL


def _fails(number: int) -> int:
    return 0x00050000 | number


def _answer(number: int, action: int) -> Iterator[tuple[int, int, int, int]]:
    yield _EQUAL, 0, 1, number
    yield _RETURN, 0, 0, action


def _judge(
    number: int, argument: int, test: int, value: int, yes: int, no: int
) -> Iterator[tuple[int, int, int, int]]:
    """Answer a call by the lower half of one of its arguments, all the kernel itself looks at in these."""
    yield _EQUAL, 0, 4, number
    yield _LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument
    yield test, 0, 1, value
    yield _RETURN, 0, 0, yes
    yield _RETURN, 0, 0, no


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install() -> None:
    """Put this process under the filter, for good.

    Raises:
        NotConfinedError: The kernel or the machine has no such filter.
    """
    code = program(platform.machine())
    library = ctypes.CDLL(None, use_errno=True)
    loaded = _Program(len(code) // 8, code)
    zero = ctypes.c_ulong(0)
    if library.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) != 0:
        raise NotConfinedError(ctypes.get_errno(), "no_new_privs was refused")
    if library.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.byref(loaded), zero, zero) != 0:
        raise NotConfinedError(ctypes.get_errno(), "the filter was refused")
