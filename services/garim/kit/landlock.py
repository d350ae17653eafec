"""A rule set that opens no file, connects nowhere and signals nobody outside (Linux Landlock, since 5.13)."""

from __future__ import annotations

import ctypes
import os
import struct

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_VERSION_ONLY = 1
_PR_SET_NO_NEW_PRIVS = 38
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_FILE_RIGHTS = 16
_NET_RIGHTS, _NET_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6


def close_everything() -> bool:
    """Forbid this process and its children every right that the kernel's Landlock knows, with no exception.

    Returns:
        Whether the kernel has Landlock and took it; the filter of system calls holds either way.
    """
    library = ctypes.CDLL(None, use_errno=True)
    syscall = getattr(library, "syscall", None)
    if syscall is None:
        return False
    version = syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION_ONLY))
    if version < 1:
        return False
    rights = (1 << _FILE_RIGHTS.get(version, _NEWEST_FILE_RIGHTS)) - 1
    attributes = struct.pack("=Q", rights)
    if version >= _NET_SINCE:
        attributes += struct.pack("=Q", _NET_RIGHTS)
    if version >= _SCOPES_SINCE:
        attributes += struct.pack("=Q", _SCOPES)
    rules = syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    if rules < 0:
        return False
    zero = ctypes.c_ulong(0)
    try:
        library.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
        return bool(syscall(_RESTRICT_SELF, ctypes.c_int(rules), ctypes.c_uint(0)) == 0)
    finally:
        os.close(rules)
