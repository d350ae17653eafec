from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, resource
from garim.kit.hardening import harden_process
harden_process()
print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))
import ctypes
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""


def test_a_hardened_process_dumps_no_core_and_makes_private_files() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["(0, 0) 0o77", "0"]
