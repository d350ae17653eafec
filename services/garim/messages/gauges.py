"""What the monitoring sees of the store."""

from __future__ import annotations

import sqlalchemy as sa

from garim.kit.db import Database
from garim.kit.readings import number
from garim.kit.telemetry import Telemetry
from garim.messages.tables import EPOCHS

_OPEN, _ENDED, _PRESERVED = "open", "ended", "preserved"


def show(telemetry: Telemetry, database: Database) -> None:
    """Show how many epochs take messages, have ended, or are kept only for what is preserved.

    Args:
        telemetry: Where it is shown.
        database: The store's own.
    """

    def kept() -> dict[str, float]:
        query = sa.select(EPOCHS.c.ended, EPOCHS.c.dropped).where(EPOCHS.c.partition.is_not(None))
        states = {_OPEN: 0.0, _ENDED: 0.0, _PRESERVED: 0.0}
        with database.reading() as connection:
            for row in connection.execute(query):
                states[_PRESERVED if row.dropped else _ENDED if row.ended else _OPEN] += 1
        return states

    telemetry.gauge("epochs_kept", kept)
    newest = sa.select(sa.func.max(EPOCHS.c.not_after))
    telemetry.gauge("epoch_end", lambda: number(database, newest) / 1000)
