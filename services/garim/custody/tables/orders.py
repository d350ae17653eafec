"""Preservation orders and what they keep."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from garim.custody.tables.schema import order_batches, order_epochs, order_keys
from garim.custody.tables.schema import orders as t


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """A preservation order.

    Attributes:
        id: Random id, 32 hexadecimal digits.
        document_digest: SHA-256 of the payload.
        payload: The payload that custody verified.
        grant_digest: SHA-256 of the grant's payload.
        case_id: Id of the case at warrants.
        authority: Who ordered it.
        case_number: The investigation.
        until_ms: When it ends.
        wrapped_key: The order's key under its object; empty once destroyed.
    """

    id: str
    document_digest: str
    payload: bytes
    grant_digest: str
    case_id: str
    authority: str
    case_number: str
    until_ms: int
    wrapped_key: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class KeptKey:
    """Where a kept key lies.

    Attributes:
        batch: Id of the batch, 16 bytes.
        position: Which key of the batch.
        kept: The batch, encrypted under the order's key.
    """

    batch: bytes
    position: int
    kept: bytes


def _of(row: Row[Any]) -> Order:
    return Order(
        row.order_id,
        row.document_digest,
        row.payload,
        row.grant_digest,
        row.case_id,
        row.authority,
        row.case_number,
        row.until_ms,
        row.wrapped_key or b"",
    )


def add(connection: Connection, order: Order) -> None:
    """Keep a new order."""
    connection.execute(
        insert(t).values(
            order_id=order.id,
            document_digest=order.document_digest,
            payload=order.payload,
            grant_digest=order.grant_digest,
            case_id=order.case_id,
            authority=order.authority,
            case_number=order.case_number,
            until_ms=order.until_ms,
            wrapped_key=order.wrapped_key,
        )
    )


def find(connection: Connection, order_id: str) -> Order | None:
    """Return an order by its id."""
    row = connection.execute(select(t).where(t.c.order_id == order_id)).first()
    return None if row is None else _of(row)


def of_document(connection: Connection, digest: str) -> Order | None:
    """Return the order of a document, if it was taken in."""
    row = connection.execute(select(t).where(t.c.document_digest == digest)).first()
    return None if row is None else _of(row)


def of_case(connection: Connection, authority: str, case_number: str) -> list[Order]:
    """Return the orders of an investigation, those that end last first."""
    query = (
        select(t)
        .where(t.c.authority == authority, t.c.case_number == case_number)
        .order_by(t.c.until_ms.desc())
    )
    return [_of(row) for row in connection.execute(query)]


def keep_tags(connection: Connection, order_id: str, epoch_id: str, kept: bytes) -> None:
    """Keep an epoch's tags; those kept before stay."""
    if tags(connection, order_id, epoch_id) is None:
        connection.execute(insert(order_epochs).values(order_id=order_id, epoch_id=epoch_id, tags=kept))


def tags(connection: Connection, order_id: str, epoch_id: str) -> bytes | None:
    """Return an epoch's kept tags, encrypted under the order's key."""
    query = select(order_epochs.c.tags).where(
        order_epochs.c.order_id == order_id, order_epochs.c.epoch_id == epoch_id
    )
    return connection.execute(query).scalar_one_or_none()


def keep_batch(
    connection: Connection, order_id: str, batch: bytes, kept: bytes, records: list[tuple[bytes, bool]]
) -> None:
    """Keep a batch of keys.

    Args:
        connection: A writing transaction.
        order_id: The order.
        batch: Id of the batch, 16 bytes.
        kept: The keys, encrypted under the order's key.
        records: Digest of each key's record, in order, and whether it is a segment's.
    """
    connection.execute(insert(order_batches).values(order_id=order_id, batch_id=batch.hex(), kept=kept))
    connection.execute(
        insert(order_keys),
        [
            {
                "order_id": order_id,
                "record_digest": digest,
                "batch_id": batch.hex(),
                "position": position,
                "segment": int(is_segment),
            }
            for position, (digest, is_segment) in enumerate(records)
        ],
    )


def kept_digests(connection: Connection, order_id: str, digests: list[bytes]) -> set[bytes]:
    """Return which of the given records' keys are kept already."""
    query = select(order_keys.c.record_digest).where(order_keys.c.order_id == order_id)
    return set(digests) & set(connection.execute(query).scalars())


def key(connection: Connection, order_id: str, record_digest: bytes) -> KeptKey | None:
    """Return where the key of a record lies."""
    query = (
        select(order_keys.c.batch_id, order_keys.c.position, order_batches.c.kept)
        .join(
            order_batches,
            (order_batches.c.order_id == order_keys.c.order_id)
            & (order_batches.c.batch_id == order_keys.c.batch_id),
        )
        .where(order_keys.c.order_id == order_id, order_keys.c.record_digest == record_digest)
    )
    row: Any = connection.execute(query).first()
    return None if row is None else KeptKey(bytes.fromhex(row.batch_id), row.position, row.kept)


def segments(connection: Connection, order_id: str) -> int:
    """Return how many segments' keys an order keeps."""
    query = select(func.count()).where(order_keys.c.order_id == order_id, order_keys.c.segment == 1)
    return connection.execute(query).scalar_one()


def drop(connection: Connection, order_id: str) -> None:
    """Drop all that an ended order kept."""
    for table in (order_keys, order_batches, order_epochs):
        connection.execute(delete(table).where(table.c.order_id == order_id))
    connection.execute(update(t).where(t.c.order_id == order_id).values(wrapped_key=None))
