"""What the monitoring sees of custody."""

from __future__ import annotations

from sqlalchemy import func, select

from garim.custody.tables import schema, unmask
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.readings import by_state, number
from garim.kit.telemetry import Telemetry


def show(telemetry: Telemetry, database: Database, clock: Clock) -> None:
    """Show epochs, freezes, preservation orders and second requests.

    Args:
        telemetry: Where it is shown.
        database: Custody's own.
        clock: By which an epoch is past retention.
    """
    epochs, requests = schema.epochs.c, unmask.unmask_requests.c
    last = select(func.max(epochs.not_after_ms))
    frozen = select(func.count()).where(schema.freezes.c.ended_ms.is_(None))
    orders = select(func.count()).where(schema.orders.c.wrapped_key.is_not(None))

    def overdue() -> int:
        past = epochs.not_after_ms + epochs.retention_ms < clock.now_ms()
        return number(database, select(func.count()).where(epochs.wrapped_private.is_not(None), past))

    telemetry.gauge("epoch_end", lambda: number(database, last) / 1000)
    telemetry.gauge("epochs_overdue", overdue)
    telemetry.gauge("frozen", lambda: number(database, frozen))
    telemetry.gauge("orders", lambda: number(database, orders))
    telemetry.gauge("unmask_requests", lambda: by_state(database, requests.state, unmask.UNFINISHED))
