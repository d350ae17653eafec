"""What reading and forecasting look up beside the index: where the store stands, epochs, matched rosters.

Every function takes an open transaction, short: a stream is a row of them, each bounded by the horizon taken
at its beginning, so that it sees nothing that was stored later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from garim.messages.epochs import Shelf
from garim.messages.index_rows import WHOLE, Roster, Window
from garim.messages.tables import CONVERSATIONS, EPOCHS, PRESERVED, ROSTERS, WRITE_SECRETS


class Horizon(NamedTuple):
    """Up to where the store stood at one moment.

    Attributes:
        epochs: Number of the newest epoch.
        open: The newest batch of each epoch that had not ended, by the epoch's number.
    """

    epochs: int
    open: dict[int, int]

    def newest(self, epoch: int) -> int:
        """Return the number of the newest batch of an epoch that is to be seen."""
        return self.open.get(epoch, WHOLE if epoch <= self.epochs else 0)

    def covers(self, other: Horizon) -> bool:
        """Tell whether nothing of the other lies behind this one."""
        return other.epochs <= self.epochs and all(
            newest <= self.newest(epoch) for epoch, newest in other.open.items()
        )


class EpochRow(NamedTuple):
    """A known epoch that still has rows.

    Attributes:
        shelf: Where they lie.
        epoch: Its random id.
        leaves: Leaves of its tree, where it is closed.
        payload: Its account's payload.
        envelope: The signed account as JSON; None until it is logged.
        proof: Its log proof as JSON.
    """

    shelf: Shelf
    epoch: bytes
    leaves: int | None
    payload: bytes | None
    envelope: bytes | None
    proof: bytes | None

    @property
    def number(self) -> int:
        """Its number."""
        return self.shelf.number


class SecretRow(NamedTuple):
    """A sealed write secret."""

    secret: bytes
    record: bytes
    signature: bytes
    sealed: bytes


class ConversationRow(NamedTuple):
    """A conversation's place in its epoch's account; all its headers, where only a part of it stays."""

    place: int
    headers: bytes | None


_HORIZON = sa.text(
    "SELECT number, ended, (SELECT max(b.number) FROM batches b WHERE b.partition = e.partition) AS newest"
    " FROM epochs e ORDER BY number"
)
_MATCHED = sa.text(
    "SELECT r.tag, r.bucket, r.number, r.digest FROM member_tags m JOIN rosters r"
    " ON r.partition = m.partition AND r.bucket = m.bucket AND r.number = m.roster"
    " WHERE m.partition = :partition AND m.tag = :tag"
)


def horizon(connection: sa.Connection) -> Horizon:
    """Return up to where the store stands.

    Args:
        connection: An open writing transaction that is alone: no batch with a smaller number can come later.
    """
    rows = connection.execute(_HORIZON).all()
    return Horizon(
        max((row.number for row in rows), default=0),
        {row.number: row.newest or 0 for row in rows if not row.ended},
    )


def newest_closed(connection: sa.Connection) -> int:
    """Return the number of the newest epoch whose account is logged; 0 where there is none."""
    newest = sa.select(sa.func.max(EPOCHS.c.number)).where(EPOCHS.c.envelope.is_not(None))
    return connection.execute(newest).scalar_one() or 0


def find_epochs(connection: sa.Connection, epochs: Sequence[bytes]) -> list[EpochRow]:
    """Return those of these epochs that still have rows, in order of time."""
    found = [_epoch_row(connection, EPOCHS.c.epoch == epoch) for epoch in epochs]
    return sorted(one for one in found if one is not None)


def epoch_row(connection: sa.Connection, number: int) -> EpochRow | None:
    """Return an epoch that still has rows."""
    return _epoch_row(connection, EPOCHS.c.number == number)


def partition_of(connection: sa.Connection, epoch: int) -> int | None:
    """Return where an epoch's rows lie now; None where there are none left."""
    return connection.execute(
        sa.select(EPOCHS.c.partition).where(EPOCHS.c.number == epoch)
    ).scalar_one_or_none()


def matched_rosters(
    connection: sa.Connection, shelf: Shelf, tags: Sequence[bytes]
) -> dict[bytes, tuple[Roster, ...]]:
    """Return the rosters of an epoch that hold one of the member tags, by their conversation's, in order."""
    matched: dict[bytes, set[Roster]] = {}
    for tag in tags:
        for row in connection.execute(_MATCHED, {"partition": shelf.partition, "tag": tag}):
            matched.setdefault(row.tag, set()).add(Roster(*row))
    return {tag: tuple(sorted(matched[tag])) for tag in sorted(matched)}


def rosters_of(connection: sa.Connection, shelf: Shelf, tag: bytes) -> tuple[Roster, ...]:
    """Return all rosters of a conversation."""
    result = connection.execute(
        sa.select(ROSTERS.c.tag, ROSTERS.c.bucket, ROSTERS.c.number, ROSTERS.c.digest)
        .where(ROSTERS.c.partition == shelf.partition, ROSTERS.c.tag == tag)
        .order_by(ROSTERS.c.number)
    )
    return tuple(Roster(*row) for row in result)


def roster_record(connection: sa.Connection, shelf: Shelf, roster: Roster) -> bytes | None:
    """Return a roster record; None where it was dropped."""
    return connection.execute(
        sa.select(ROSTERS.c.record).where(
            ROSTERS.c.partition == shelf.partition,
            ROSTERS.c.bucket == roster.bucket,
            ROSTERS.c.number == roster.number,
        )
    ).scalar_one_or_none()


def write_secret(connection: sa.Connection, shelf: Shelf, secret: bytes) -> SecretRow | None:
    """Return a sealed write secret by its id."""
    columns = WRITE_SECRETS.c
    row = connection.execute(
        sa.select(columns.secret, columns.record, columns.signature, columns.sealed).where(
            columns.partition == shelf.partition, columns.secret == secret
        )
    ).one_or_none()
    return None if row is None else SecretRow(*row)


def records(connection: sa.Connection, shelf: Shelf) -> list[bytes]:
    """Return an epoch's write-secret records, chain by chain, each in its order."""
    columns = WRITE_SECRETS.c
    result = connection.execute(
        sa.select(columns.record)
        .where(columns.partition == shelf.partition)
        .order_by(columns.writer, columns.number)
    )
    return list(result.scalars())


def conversation(connection: sa.Connection, shelf: Shelf, tag: bytes) -> ConversationRow | None:
    """Return a conversation's account."""
    columns = CONVERSATIONS.c
    row = connection.execute(
        sa.select(columns.place, columns.headers).where(
            columns.partition == shelf.partition,
            columns.bucket == shelf.bucket(tag),
            columns.tag == tag,
        )
    ).one_or_none()
    return None if row is None else ConversationRow(*row)


def find_forecast(connection: sa.Connection, document: bytes) -> tuple[bytes, bytes | None] | None:
    """Return the payload of a document's forecast, and the signed statement once it is logged."""
    row = connection.execute(
        sa.text("SELECT payload, envelope FROM forecasts WHERE document = :document"), {"document": document}
    ).one_or_none()
    return None if row is None else (row.payload, row.envelope)


def keep_forecast(connection: sa.Connection, document: bytes, payload: bytes) -> bytes:
    """Keep a document's forecast; the first one stays. Returns the payload that is kept."""
    connection.execute(
        sa.text(
            "INSERT INTO forecasts (document, payload) VALUES (:document, :payload) ON CONFLICT DO NOTHING"
        ),
        {"document": document, "payload": payload},
    )
    kept = sa.text("SELECT payload FROM forecasts WHERE document = :document")
    return bytes(connection.execute(kept, {"document": document}).scalar_one())


def sign_forecast(connection: sa.Connection, document: bytes, envelope: bytes) -> None:
    """Keep the signed statement of a logged forecast."""
    connection.execute(
        sa.text("UPDATE forecasts SET envelope = :envelope WHERE document = :document AND envelope IS NULL"),
        {"document": document, "envelope": envelope},
    )


def preserve(
    connection: sa.Connection,
    document: bytes,
    epoch: int,
    rosters: Sequence[Roster],
    window: Window,
    until: int,
) -> None:
    """Note that a preservation order keeps what lies under these rosters in its window, until a time."""
    for roster in rosters:
        key = {"document": document, "epoch": epoch, "bucket": roster.bucket, "roster": roster.number}
        conditions = [PRESERVED.c[name] == value for name, value in key.items()]
        known = connection.execute(sa.select(PRESERVED.c.until).where(*conditions)).scalar_one_or_none()
        if known is None:
            connection.execute(
                sa.insert(PRESERVED).values(
                    **key,
                    until=until,
                    sent_start=window.start,
                    sent_end=window.end,
                    received_until=window.received_until,
                )
            )
        elif known < until:
            connection.execute(sa.update(PRESERVED).where(*conditions).values(until=until))


def _epoch_row(connection: sa.Connection, which: sa.ColumnElement[bool]) -> EpochRow | None:
    row = connection.execute(sa.select(EPOCHS).where(which, EPOCHS.c.partition.is_not(None))).one_or_none()
    if row is None:
        return None
    shelf = Shelf(row.number, row.partition, row.buckets)
    return EpochRow(shelf, row.epoch, row.leaves, row.payload, row.envelope, row.proof)
