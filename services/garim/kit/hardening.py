"""What a process that holds secrets does before it reads the first one."""

from __future__ import annotations

import ctypes
import os
import resource

_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """Forbid core dumps and reading by other processes of the same user; make new files private.

    After this only root can read `/proc/<pid>/mem`. Raises nothing: where the kernel has no such switch, the
    limit on core dumps still holds.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    library = ctypes.CDLL(None, use_errno=True)
    prctl = getattr(library, "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
