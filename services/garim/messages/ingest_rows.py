"""What storing reads and writes: epochs, write secrets, rosters, batches. Driver-level SQL, no ORM.

Every function takes an open transaction of `garim.kit.db.Database`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from garim.sealing.write_secret import SealedWriteSecret


class RosterRow(NamedTuple):
    """A roster that is about to be stored.

    Attributes:
        conversation_tag: Blinded tag of its conversation.
        asking: HMAC by which it is found again.
        digest: SHA-256 of the record.
        record: The whole record.
        tags: Its members' tags.
    """

    conversation_tag: bytes
    asking: bytes
    digest: bytes
    record: bytes
    tags: tuple[bytes, ...]


class KnownRoster(NamedTuple):
    """A stored roster as storing needs it.

    Attributes:
        number: Its number.
        conversation: Number of its conversation.
        digest: SHA-256 of the record.
    """

    number: int
    conversation: int
    digest: bytes


class SegmentRow(NamedTuple):
    """Where a segment lies in its batch, and what narrows a read.

    Attributes:
        conversation: Number of its conversation.
        place: Its first byte in the batch.
        size: Bytes of header and ciphertext.
        roster: Number of its roster.
        sent_first: Earliest sent-at.
        sent_last: Latest sent-at.
        messages: How many messages it holds.
        kind: 1 messages, 2 opaque.
    """

    conversation: int
    place: int
    size: int
    roster: int
    sent_first: int
    sent_last: int
    messages: int
    kind: int


class BatchRow(NamedTuple):
    """A batch's answer, remembered.

    Attributes:
        epoch: Random id of the epoch it was stored in.
        number: That epoch's number.
        received: When it was received.
        digest: HMAC of its content.
    """

    epoch: bytes
    number: int
    received: int
    digest: bytes


def register_epoch(connection: sa.Connection, epoch: bytes, not_before: int, not_after: int) -> int | None:
    """Return an epoch's number, made now where it is new; None where it has ended here."""
    connection.exec_driver_sql(
        "INSERT INTO epochs (epoch, not_before, not_after) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (epoch, not_before, not_after),
    )
    row = connection.exec_driver_sql("SELECT number, ended FROM epochs WHERE epoch = ?", (epoch,)).one()
    return None if row.ended else int(row.number)


def is_open(connection: sa.Connection, epoch: int) -> bool:
    """Tell whether an epoch still takes rows."""
    row = connection.exec_driver_sql("SELECT ended FROM epochs WHERE number = ?", (epoch,)).one_or_none()
    return row is not None and not row.ended


def keep_write_secret(connection: sa.Connection, epoch: int, kept: SealedWriteSecret) -> None:
    """Store a sealed write secret."""
    connection.exec_driver_sql(
        "INSERT INTO write_secrets (epoch, secret, record, signature, sealed) VALUES (?, ?, ?, ?, ?)",
        (epoch, kept.id, kept.record, kept.signature, kept.sealed),
    )


def last_record(connection: sa.Connection, epoch: int) -> bytes | None:
    """Return the newest write-secret record of an epoch."""
    row = connection.exec_driver_sql(
        "SELECT record FROM write_secrets WHERE epoch = ? ORDER BY number DESC LIMIT 1", (epoch,)
    ).one_or_none()
    return None if row is None else bytes(row.record)


def find_rosters(connection: sa.Connection, epoch: int, askings: Iterable[bytes]) -> dict[bytes, KnownRoster]:
    """Return the stored ones of the rosters asked for, by their asking."""
    found = {}
    for asking in askings:
        row = connection.exec_driver_sql(
            "SELECT number, conversation, digest FROM rosters WHERE epoch = ? AND asking = ?", (epoch, asking)
        ).one_or_none()
        if row is not None:
            found[asking] = KnownRoster(row.number, row.conversation, row.digest)
    return found


def add_roster(connection: sa.Connection, epoch: int, row: RosterRow) -> None:
    """Store a roster with its conversation and its members' tags, unless it is there."""
    connection.exec_driver_sql(
        "INSERT INTO conversations (epoch, tag) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (epoch, row.conversation_tag),
    )
    conversation = connection.exec_driver_sql(
        "SELECT number FROM conversations WHERE epoch = ? AND tag = ?", (epoch, row.conversation_tag)
    ).scalar_one()
    made = connection.exec_driver_sql(
        "INSERT INTO rosters (epoch, conversation, asking, digest, record) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING RETURNING number",
        (epoch, conversation, row.asking, row.digest, row.record),
    ).scalar_one_or_none()
    if made is not None:
        connection.exec_driver_sql(
            "INSERT INTO member_tags (epoch, tag, roster) VALUES (?, ?, ?)",
            [(epoch, tag, made) for tag in row.tags],
        )


def are_members(
    connection: sa.Connection, epoch: int, pairs: Sequence[tuple[bytes, KnownRoster]]
) -> list[bool]:
    """Tell for each tag and roster whether the tag is one of that roster."""
    return [
        connection.exec_driver_sql(
            "SELECT 1 FROM member_tags WHERE epoch = ? AND tag = ? AND roster = ?",
            (epoch, tag, roster.number),
        ).one_or_none()
        is not None
        for tag, roster in pairs
    ]


def find_batch(connection: sa.Connection, producer: str, batch: bytes) -> BatchRow | None:
    """Return the remembered answer to a producer's batch."""
    row = connection.exec_driver_sql(
        "SELECT e.epoch, e.number, b.received, b.digest FROM batch_ids b JOIN epochs e ON e.number = b.epoch"
        " WHERE b.producer = ? AND b.batch = ?",
        (producer, batch),
    ).one_or_none()
    return None if row is None else BatchRow(row.epoch, row.number, row.received, row.digest)


def add_batch(
    connection: sa.Connection,
    epoch: int,
    *,
    producer: str,
    batch: bytes,
    digest: bytes,
    received: int,
    data: bytes,
    segments: Iterable[SegmentRow],
) -> None:
    """Store a batch: one row of segments, the index to it, and its remembered answer."""
    connection.exec_driver_sql(
        "INSERT INTO batch_ids (producer, batch, epoch, received, digest) VALUES (?, ?, ?, ?, ?)",
        (producer, batch, epoch, received, digest),
    )
    number = connection.exec_driver_sql(
        "INSERT INTO batches (epoch, received, data) VALUES (?, ?, ?) RETURNING number",
        (epoch, received, data),
    ).scalar_one()
    connection.exec_driver_sql(
        "INSERT INTO segments"
        " (batch, conversation, place, size, roster, sent_first, sent_last, messages, kind)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(number, *row) for row in segments],
    )
