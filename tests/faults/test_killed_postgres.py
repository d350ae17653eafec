"""The PostgreSQL server under all five services dies, without warning or at once, and is started again."""

from __future__ import annotations

import contextlib
import os
import signal
import time

from faults_support.run import Begin, Run, every
from garim.cli.meshfolder import SERVICES
from kit_support.postgres import Postgres, own_server
from mesh_support.live import until

ROUNDS_PER_ASKED = 10
LONGEST_DOWN_S = 3.0
START_WITHIN_S = 60.0


def test_postgres_killed_during_ingest_and_disclosure(begin: Begin, rounds: int) -> None:
    with own_server() as server, begin(database=server.server("postgres")) as run:
        run.ingest.await_success()
        for number in range(max(rounds // ROUNDS_PER_ASKED, 2)):
            if every(number, 2):
                run.during(run.disclose, lambda: _fail(run, server))
            else:
                _fail(run, server)
            run.ingest.await_success()
            run.figures.rounds += 1
            run.note()
        run.mesh.await_serving(*SERVICES)
        run.end()


def _fail(run: Run, server: Postgres) -> None:
    time.sleep(run.random.uniform(0, LONGEST_DOWN_S))
    if run.random.random() < 1 / 2:
        server.stop("immediate")
        run.fault("PostgreSQL stopped at once")
    else:
        os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        run.fault("PostgreSQL killed")
    time.sleep(run.random.uniform(0, LONGEST_DOWN_S))
    until(lambda: _started(server), START_WITHIN_S)


def _started(server: Postgres) -> bool:
    # A killed server's sessions take a moment to notice, and it does not start beside them.
    with contextlib.suppress(RuntimeError):
        server.start()
        return True
    return False
