"""How much custody holds, in numbers."""

from __future__ import annotations

import dataclasses

from sqlalchemy import ColumnElement, Connection, func, select

from garim.custody.kinds import DOSSIER, EPOCH, ORDER
from garim.custody.tables.schema import key_objects
from garim.custody.tables.unmask import unmask_requests


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """What lives.

    Attributes:
        epochs: Epochs whose keys live.
        dossiers: Dossiers whose keys live.
        preservations: Preservation orders in force.
        pending_requests: Unmask requests that wait for decisions.
    """

    epochs: int
    dossiers: int
    preservations: int
    pending_requests: int


def held(connection: Connection) -> Held:
    """Count what lives."""

    def objects(kind: str) -> int:
        wanted: ColumnElement[bool] = (key_objects.c.kind == kind) & (key_objects.c.state == "alive")
        return connection.execute(select(func.count()).select_from(key_objects).where(wanted)).scalar_one()

    pending = connection.execute(
        select(func.count()).select_from(unmask_requests).where(unmask_requests.c.state == "pending")
    ).scalar_one()
    return Held(objects(EPOCH), objects(DOSSIER), objects(ORDER), pending)
