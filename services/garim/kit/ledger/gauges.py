"""What the monitoring sees of a service's access to the log."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.ledger.tables import forks, intents, pins
from garim.kit.readings import number
from garim.kit.telemetry import Telemetry

_WAITING = intents.c.proof.is_(None) & intents.c.superseded.is_(False)


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many entries wait for the log, since when, how much of it is pinned, and forks.

    Args:
        telemetry: Where it is shown.
        database: The service's own, with this package's tables.
    """
    counted = sa.select(sa.func.count())
    waiting = counted.select_from(intents).where(_WAITING)
    since = sa.select(sa.func.min(intents.c.time_ms)).where(_WAITING)
    telemetry.gauge("log_waiting", lambda: number(database, waiting))
    telemetry.gauge("log_waiting_since", lambda: number(database, since) / 1000)
    telemetry.gauge("log_pinned", lambda: number(database, sa.select(sa.func.max(pins.c.size))))
    telemetry.gauge("log_forks", lambda: number(database, counted.select_from(forks)))
