"""A service stands still, which is worse than an end: its connections stay open and nobody answers."""

from __future__ import annotations

import time

import pytest

from faults_support.mesh import FaultMesh
from faults_support.run import Begin
from garim.cli import mesh_plan
from garim.cli.meshfolder import SERVICES

STOPPED_S = 20.0
EPOCH_S = 60
BEFORE_MIDNIGHT_S = 8.0
AFTER_MIDNIGHT_S = 12.0


def test_a_log_that_stands_still_then_ends_holds_back_and_loses_nothing(begin: Begin) -> None:
    with begin() as run:
        run.ingest.await_success()
        run.disclose()

        def stand_still() -> None:
            released = _keys_released(run.mesh)
            with run.mesh.stopped("audit"):
                run.fault("audit stopped")
                time.sleep(STOPPED_S)
                assert run.ingest.await_success() < STOPPED_S
                assert _keys_released(run.mesh) <= released + 1
            run.mesh.strike("audit")
            run.fault("audit killed")

        run.during(run.disclose, stand_still)
        run.figures.rounds += 1
        run.mesh.await_serving(*SERVICES)
        run.end()


def test_midnight_of_an_epoch_passes_while_custody_stands_still(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh_plan, "EPOCH_MS", EPOCH_S * 1000)
    with begin() as run:
        for _ in range(2):
            run.ingest.await_success()
            time.sleep((EPOCH_S - BEFORE_MIDNIGHT_S - time.time()) % EPOCH_S)
            with run.mesh.stopped("custody"):
                run.fault("custody stopped at an epoch's midnight")
                time.sleep(BEFORE_MIDNIGHT_S + AFTER_MIDNIGHT_S)
                assert run.ingest.await_success() < AFTER_MIDNIGHT_S
            run.disclose()
            run.figures.rounds += 1
        run.end()


def _keys_released(mesh: FaultMesh) -> int:
    return int(mesh.rows("audit", "SELECT count(*) FROM log_leaves WHERE kind = 'keys-released'")[0][0])
