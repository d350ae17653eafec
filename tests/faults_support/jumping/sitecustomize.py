"""Found first by the interpreter of a service: its wall clock is off by the seconds that a file says.

libfaketime is no way here: it breaks Python's sleep, which waits on the monotonic clock for an absolute time.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

_FILE = Path(os.environ["GARIM_CLOCK_OFFSET"])
_NANOSECONDS = 1_000_000_000
_real_time_ns = time.time_ns
_offset_s = 0


def _time_ns() -> int:
    global _offset_s  # noqa: PLW0603 - a clock is one for its process
    # A confined child sees no files, and a file may be half written: the clock stays as wrong as it was.
    with contextlib.suppress(OSError, ValueError):
        _offset_s = int(_FILE.read_text())
    return _real_time_ns() + _offset_s * _NANOSECONDS


time.time_ns = _time_ns
time.time = lambda: _time_ns() / _NANOSECONDS
