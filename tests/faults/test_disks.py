"""Disks that fail now and then (libfiu), disks that are full (a small tmpfs): nothing is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from faults_support.mesh import FaultMesh
from faults_support.run import Begin
from garim.cli.meshfolder import SERVICES

STORING = ("messages", "custody", "warrants", "audit", "redaction")
FAILING_S = 15.0
FULL_S = 8.0
DISK = "24m"
_PRELOAD = ("fiu_run_preload.so", "fiu_posix_preload.so")
_ENABLE = r"""
enable_random name=posix/io/rw/pwrite,probability=0.05
enable_random name=posix/io/sync/fdatasync,probability=0.05
enable_random name=posix/io/sync/fsync,probability=0.05
"""


def _libraries() -> str | None:
    for folder in (Path("/usr/lib/fiu"), *Path("/usr/lib").glob("*/fiu")):
        if all((folder / one).exists() for one in _PRELOAD):
            return " ".join(str(folder / one) for one in _PRELOAD)
    return None


@pytest.mark.parametrize("service", STORING)
def test_a_disk_that_fails_now_and_then(begin: Begin, service: str) -> None:
    libraries = _libraries()
    if libraries is None:
        pytest.skip("no libfiu here: apt-get install fiu-utils")
    with begin() as run:
        run.ingest.await_success()
        run.mesh.surround(service, LD_PRELOAD=libraries, FIU_ENABLE=_ENABLE)
        run.mesh.strike(service)
        run.fault(f"{service} on a failing disk")

        def fail_for_a_while() -> None:
            time.sleep(FAILING_S)
            run.mesh.surround(service)
            said = run.mesh.processes.log_file(service).read_text(encoding="utf-8")
            run.figures.faults["disk errors that calls or starts met"] += said.count("DATABASE_")
            run.mesh.strike(service)
            run.fault(f"{service} killed")

        run.during(run.disclose, fail_for_a_while)
        run.figures.rounds += 1
        run.mesh.await_serving(*SERVICES)
        run.end()


@pytest.mark.parametrize("service", STORING)
def test_a_full_disk(begin: Begin, service: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small disk")
    with contextlib.ExitStack() as mounted, begin(prepare=partial(_small_disk, mounted, service)) as run:
        run.ingest.await_success()
        ballast = run.mesh.places.service(service) / "ballast"

        def fill() -> None:
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            run.fault(f"{service}'s disk full")
            time.sleep(FULL_S)
            ballast.unlink()

        run.during(run.disclose, fill)
        run.figures.rounds += 1
        run.end()


def _small_disk(mounted: contextlib.ExitStack, service: str, mesh: FaultMesh) -> None:
    """Move a service's folder to a disk of its own."""
    folder = mesh.places.service(service)
    kept = folder.rename(folder.with_name(f"{service}-kept"))
    folder.mkdir(mode=0o700)
    mount = ["/bin/mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "none", str(folder)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine lets nobody mount a disk")
    mounted.callback(partial(subprocess.run, ["/bin/umount", "--lazy", str(folder)], check=True))
    shutil.copytree(kept, folder, dirs_exist_ok=True)
