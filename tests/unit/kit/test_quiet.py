from __future__ import annotations

import subprocess
import sys

import pytest

LOOK = "import os, sys, garim.{}; print(os.environ['GRPC_VERBOSITY'], 'grpc' in sys.modules)"


@pytest.mark.parametrize("service", ["audit", "custody", "messages", "redaction", "warrants"])
def test_a_services_process_silences_grpc_before_it_is_imported(service: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(service)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["NONE", "False"]
