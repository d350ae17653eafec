"""The wall clocks of services jump, one at a time; monotonic clocks stay right."""

from __future__ import annotations

import os
import time
from pathlib import Path

import faults_support
from faults_support.run import Begin, Run
from garim.cli.meshfolder import SERVICES

JUMPS_S = (-3600, -90, -30, 30, 90, 3600)
WRONG_S = 6.0
JUMPING = Path(faults_support.__file__).parent / "jumping"


def test_clocks_that_jump_lose_nothing(begin: Begin, rounds: int) -> None:
    path = os.pathsep.join((str(JUMPING), os.environ.get("PYTHONPATH", "")))
    with begin() as run:
        offsets = {one: run.mesh.places.service(one) / "offset" for one in SERVICES}
        for service, file in offsets.items():
            file.write_text("0\n")
            run.mesh.surround(service, GARIM_CLOCK_OFFSET=str(file), PYTHONPATH=path)
            run.mesh.strike(service)
        run.mesh.await_serving(*SERVICES)
        for _ in range(max(rounds // 20, 2)):
            run.during(run.disclose, lambda: _jump(run, offsets))
            run.figures.rounds += 1
            run.note()
        run.end()


def _jump(run: Run, offsets: dict[str, Path]) -> None:
    service = run.random.choice([one for one in SERVICES if one != "messages"])
    jump = run.random.choice(JUMPS_S)
    offsets[service].write_text(f"{jump}\n")
    run.fault(f"{service}'s clock {jump:+d} s")
    time.sleep(WRONG_S)
    offsets[service].write_text("0\n")
