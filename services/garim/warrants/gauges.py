"""What the monitoring sees of cases."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.readings import by_state, number
from garim.kit.telemetry import Telemetry
from garim.warrants.machine import State
from garim.warrants.schema import cases


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many cases stand where, and since when reviewers are waited for.

    Args:
        telemetry: Where it is shown.
        database: The service's own.
    """
    waiting = sa.select(sa.func.min(cases.c.received_ms)).where(cases.c.state == State.IN_REVIEW.value)
    telemetry.gauge("cases", lambda: by_state(database, cases.c.state, [state.value for state in State]))
    telemetry.gauge("reviews_since", lambda: number(database, waiting) / 1000)
