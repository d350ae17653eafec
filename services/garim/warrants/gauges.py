"""What the monitoring sees of cases."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.telemetry import Telemetry
from garim.warrants.machine import State
from garim.warrants.schema import cases


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many cases stand where, and since when reviewers are waited for.

    Args:
        telemetry: Where it is shown.
        database: The service's own.
    """

    def by_state() -> dict[str, float]:
        query = sa.select(cases.c.state, sa.func.count()).group_by(cases.c.state)
        with database.reading() as connection:
            found: dict[str, int] = dict(connection.execute(query).tuples().all())
        return {state.value: found.get(state.value, 0) for state in State}

    def waiting_since() -> float:
        query = sa.select(sa.func.min(cases.c.received_ms)).where(cases.c.state == State.IN_REVIEW.value)
        with database.reading() as connection:
            return (connection.execute(query).scalar() or 0) / 1000

    telemetry.gauge("cases", by_state)
    telemetry.gauge("reviews_since", waiting_since)
