"""The version before, replaced by the present one service by service, with traffic on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from garim.cli.demo.chosen import choose
from garim.cli.demo.first_request import first_half
from garim.cli.demo.second_request import second_half, verify_offline, verify_the_log
from garim.cli.mesh_processes import Processes
from garim.cli.meshfolder import SERVICES, MeshFile, MeshFolder
from operations_support import Traffic, new_stage, reap, stop, until_serving

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """The sources of 0.1.0, as their commit holds them."""
    text = (ROOT / "services" / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(r"^## 0\.1\.0.*?^Commit `([0-9a-f]{40})`", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    archive = subprocess.run(
        ["git", "archive", found[1], "services/garim"],  # noqa: S607 - whichever git the checkout was made with
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        pytest.skip("this checkout does not hold the commit of 0.1.0")
    folder = tmp_path / "former"
    folder.mkdir()
    subprocess.run(["tar", "x"], input=archive.stdout, cwd=folder, check=True)  # noqa: S607
    return folder / "services"


def garim(sources: Path, *arguments: str) -> None:
    """Run the command of a version."""
    environment = os.environ | {"PYTHONPATH": str(sources)}
    command = [sys.executable, "-P", "-c", "from garim.cli.main import run; run()", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=sources)
    assert done.returncode == 0, done.stdout + done.stderr


class FormerBackend:
    """A chat back end with the sdk of the version before, in a process of its own: `former_backend.py`.

    Args:
        sources: Of the version before.
        mesh: The mesh's folder.
    """

    def __init__(self, sources: Path, mesh: Path) -> None:
        environment = os.environ | {"PYTHONPATH": f"{sources}:{ROOT / 'tests'}"}
        command = [sys.executable, "-P", str(Path(__file__).with_name("former_backend.py")), str(mesh)]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def end(self) -> dict[str, Any]:
        """Let it store the rest without pauses; returns its figures."""
        told, _ = self._process.communicate("end\n", timeout=90)
        figures: dict[str, Any] = json.loads(told)
        return figures


def replace(processes: Processes, file: MeshFile, service: str) -> None:
    """Stop the version before, start the present one."""
    stop(processes, service)
    processes.start(service, tied=True)
    until_serving(file, service)


def test_an_upgrade_from_0_1_0_fails_no_call_and_loses_no_message(tmp_path: Path, former: Path) -> None:
    stage = new_stage(tmp_path / "stage")
    chosen = choose(None, "", "")
    garim(former, "mesh", "up", "--mesh", str(stage.mesh), "--review-always")
    file, processes = MeshFolder(stage.mesh).read(), Processes(stage.places)
    try:
        backend = FormerBackend(former, stage.mesh)
        time.sleep(2)
        for service in SERVICES:
            replace(processes, file, service)
        figures = backend.end()
        print(figures)  # noqa: T201 - what `make test-operations` reports
        assert figures["failed"] == []
        assert figures["acknowledged"] == figures["put"] > 0
        assert figures["room_slowly"] < len(chosen.originals), "the room was stored before, during and after"
        with Traffic(stage.mesh) as traffic:
            time.sleep(1)
        assert (traffic.failed, traffic.acknowledged) == ([], traffic.put)
        disclosed = first_half(stage, chosen)
        second_half(stage, chosen, disclosed)
        verify_the_log(stage)
        verify_offline(stage)
        assert stage.summary.messages == figures["room"]
        assert (stage.summary.leaks, stage.summary.identities_unmasked) == (0, 1)
    finally:
        processes.stop()
        reap(processes, *SERVICES)
