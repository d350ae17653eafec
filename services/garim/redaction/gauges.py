"""What the monitoring sees of dossiers in the making."""

from __future__ import annotations

from garim.kit.db import Database
from garim.kit.readings import by_state
from garim.kit.telemetry import Telemetry
from garim.redaction.tables import CLOSED, HELD, PACKED, PREPARED, builds

_UNFINISHED = (PREPARED, HELD, PACKED, CLOSED)


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many dossiers are not handed over yet, by state; a held one waits for reviewers.

    Args:
        telemetry: Where it is shown.
        database: The service's own.
    """
    telemetry.gauge("builds", lambda: by_state(database, builds.c.state, _UNFINISHED))
