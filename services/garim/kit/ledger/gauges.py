"""What the monitoring sees of a service's access to the log."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.ledger.tables import forks, intents, pins
from garim.kit.telemetry import Telemetry

_WAITING = intents.c.proof.is_(None) & intents.c.superseded.is_(False)


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many entries wait for the log, since when, how much of it is pinned, and forks.

    Args:
        telemetry: Where it is shown.
        database: The service's own, with this package's tables.
    """

    def one(query: sa.Select[int]) -> int:
        with database.reading() as connection:
            found: int | None = connection.execute(query).scalar()
        return found or 0

    counted = sa.select(sa.func.count())
    telemetry.gauge("log_waiting", lambda: one(counted.select_from(intents).where(_WAITING)))
    telemetry.gauge(
        "log_waiting_since",
        lambda: one(sa.select(sa.func.min(intents.c.time_ms)).where(_WAITING)) / 1000,
    )
    telemetry.gauge("log_pinned", lambda: one(sa.select(sa.func.max(pins.c.size))))
    telemetry.gauge("log_forks", lambda: one(counted.select_from(forks)))
