"""What the monitoring sees of dossiers in the making."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.telemetry import Telemetry
from garim.redaction.tables import CLOSED, HELD, PACKED, PREPARED, builds

_UNFINISHED = (PREPARED, HELD, PACKED, CLOSED)


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many dossiers are not handed over yet, by state; a held one waits for reviewers.

    Args:
        telemetry: Where it is shown.
        database: The service's own.
    """

    def by_state() -> dict[str, float]:
        query = sa.select(builds.c.state, sa.func.count()).group_by(builds.c.state)
        with database.reading() as connection:
            found: dict[str, int] = dict(connection.execute(query).tuples().all())
        return {state: found.get(state, 0) for state in _UNFINISHED}

    telemetry.gauge("builds", by_state)
