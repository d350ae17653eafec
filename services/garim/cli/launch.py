"""Start a service that ends with the process that started it: `python -m garim.cli.launch PARENT COMMAND…`.

For the demo, which must leave no orphans even when it is killed. Sets the kernel's parent-death signal
(prctl(2), PR_SET_PDEATHSIG), which an exec keeps, then becomes the command.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the command, unless the parent has gone already.

    Args:
        arguments: Process id of the parent, then the command.

    Raises:
        OSError: The kernel refuses the signal, or there is no such command.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != int(arguments[0]):
        return
    os.execv(arguments[1], arguments[1:])  # noqa: S606 - an argument list, never a shell


if __name__ == "__main__":
    main(sys.argv[1:])
