"""What the monitoring sees of custody."""

from __future__ import annotations

from sqlalchemy import func, select

from garim.custody.tables import schema, unmask
from garim.kit.clock import Clock
from garim.kit.db import Database
from garim.kit.telemetry import Telemetry


def show(telemetry: Telemetry, database: Database, clock: Clock) -> None:
    """Show epochs, freezes, preservation orders and second requests.

    Args:
        telemetry: Where it is shown.
        database: Custody's own.
        clock: By which an epoch is past retention.
    """
    epochs, orders, requests = schema.epochs.c, schema.orders.c, unmask.unmask_requests.c

    def epoch_end() -> float:
        with database.reading() as connection:
            return (connection.execute(select(func.max(epochs.not_after_ms))).scalar() or 0) / 1000

    def epochs_overdue() -> float:
        query = select(func.count()).where(
            epochs.wrapped_private.is_not(None), epochs.not_after_ms + epochs.retention_ms < clock.now_ms()
        )
        with database.reading() as connection:
            return connection.execute(query).scalar_one()

    def freezes() -> float:
        with database.reading() as connection:
            return connection.execute(
                select(func.count()).where(schema.freezes.c.ended_ms.is_(None))
            ).scalar_one()

    def in_force() -> float:
        with database.reading() as connection:
            return connection.execute(
                select(func.count()).where(orders.wrapped_key.is_not(None))
            ).scalar_one()

    def unmask_requests() -> dict[str, float]:
        query = (
            select(requests.state, func.count())
            .where(requests.state.in_(unmask.UNFINISHED))
            .group_by(requests.state)
        )
        with database.reading() as connection:
            found: dict[str, int] = dict(connection.execute(query).tuples().all())
        return {state: found.get(state, 0) for state in unmask.UNFINISHED}

    telemetry.gauge("epoch_end", epoch_end)
    telemetry.gauge("epochs_overdue", epochs_overdue)
    telemetry.gauge("frozen", freezes)
    telemetry.gauge("orders", in_force)
    telemetry.gauge("unmask_requests", unmask_requests)
