"""Every service is killed without warning at random points, again and again, while everything goes on."""

from __future__ import annotations

import time

from faults_support.run import Begin, Run, every
from garim.cli.meshfolder import SERVICES

DISCLOSURE_EVERY = 10
UNMASK_EVERY = 20
INGEST_WAIT_S = 1.0
CASE_WAIT_S = 4.0
DURING_A_CASE = 2


def test_services_killed_at_random_points(begin: Begin, rounds: int) -> None:
    with begin() as run:
        run.ingest.await_success()
        for number in range(rounds):
            if every(number, DISCLOSURE_EVERY):
                run.during(run.disclose, lambda: _strikes(run))
            if every(number, UNMASK_EVERY):
                run.during(run.unmask, lambda: _strikes(run))
            _strike(run, INGEST_WAIT_S)
            run.ingest.await_success()
            run.figures.rounds += 1
            run.note()
        run.mesh.await_serving(*SERVICES)
        run.end()


def _strike(run: Run, longest_s: float) -> None:
    time.sleep(run.random.uniform(0, longest_s))
    victim = run.random.choice(SERVICES)
    run.mesh.strike(victim)
    run.fault(f"{victim} killed")


def _strikes(run: Run) -> None:
    for _ in range(DURING_A_CASE):
        _strike(run, CASE_WAIT_S)
