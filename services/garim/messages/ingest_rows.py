"""What storing reads and writes: epochs, write secrets, rosters, batches.

Every function takes an open transaction of `garim.kit.db.Database`. Batches and rosters may be stored in
shared ones, several at once: an epoch is ended in one that is alone, so none is stored behind its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from garim.kit.db import insert_or_ignore_returning
from garim.messages import partition_rows
from garim.messages.copying import copy_member_tags, copy_segments
from garim.messages.epochs import Shelf
from garim.messages.tables import BATCHES, EPOCHS, PARTS, ROSTERS, WRITE_SECRETS
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
        bucket: Its conversation's bucket.
        number: Its number.
        digest: SHA-256 of the record.
    """

    bucket: int
    number: int
    digest: bytes


class SealedSegment(NamedTuple):
    """A segment that is about to be stored: of its header what its batch and its roster do not tell.

    Attributes:
        roster: Its roster.
        segment: Its id.
        sent_first: Earliest sent-at.
        sent_last: Latest sent-at.
        messages: How many messages it holds.
        kind: 1 messages, 2 opaque.
        ciphertext: The encrypted block.
    """

    roster: KnownRoster
    segment: bytes
    sent_first: int
    sent_last: int
    messages: int
    kind: int
    ciphertext: bytes


class NewBatch(NamedTuple):
    """A batch that is about to be stored.

    Attributes:
        producer: SPIFFE id of the back end.
        batch: Its id.
        digest: HMAC of its content.
        received: When it was received.
        secret: Id of the write secret that all its segments are sealed under.
        segments: Its segments in order.
        messages: How many messages it holds.
    """

    producer: str
    batch: bytes
    digest: bytes
    received: int
    secret: bytes
    segments: Sequence[SealedSegment]
    messages: int


class BatchRow(NamedTuple):
    """A batch's answer, remembered.

    Attributes:
        epoch: Random id of the epoch it was stored in.
        number: That epoch's number.
        received: When it was received.
        digest: HMAC of its content.
        messages: How many messages it holds; None where that was not kept.
    """

    epoch: bytes
    number: int
    received: int
    digest: bytes
    messages: int | None


_SHELF = sa.select(EPOCHS.c.number, EPOCHS.c.partition, EPOCHS.c.buckets, EPOCHS.c.ended).where(
    EPOCHS.c.epoch == sa.bindparam("epoch")
)
_ENDED = sa.text("SELECT ended FROM epochs WHERE number = :number")
_FIND_ROSTER = sa.text(
    "SELECT number, digest FROM rosters WHERE partition = :partition AND bucket = :bucket"
    " AND asking = :asking"
)
_IS_MEMBER = sa.text(
    "SELECT 1 FROM member_tags WHERE partition = :partition AND tag = :tag AND bucket = :bucket"
    " AND roster = :roster"
)
_FIND_BATCH = sa.text(
    "SELECT e.epoch, e.number, b.received, b.digest, b.messages FROM batches b"
    " JOIN epochs e ON e.partition = b.partition WHERE b.producer = :producer AND b.batch = :batch"
)
# Held to the transaction's end: the same batch again waits for the first one, whatever epoch that goes to.
_HOLD_BATCH = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:producer, :batch))")


def register_epoch(
    connection: sa.Connection, epoch: bytes, times: tuple[int, int], *, retention: int, buckets: int
) -> Shelf | None:
    """Return where an epoch's rows lie, made now where it is new; None where it has ended here.

    Args:
        connection: An open writing transaction that is alone.
        epoch: The epoch's random id.
        times: Its first millisecond, and the first behind it.
        retention: How long its rows must stay after its end, in milliseconds.
        buckets: Into how many buckets its conversations fall, where it is new.
    """
    row = connection.execute(_SHELF, {"epoch": epoch}).one_or_none()
    if row is None:
        partition = partition_rows.open_one(connection)
        values = {"epoch": epoch, "not_before": times[0], "not_after": times[1], "retention": retention}
        connection.execute(sa.insert(EPOCHS).values(**values, buckets=buckets, partition=partition))
        row = connection.execute(_SHELF, {"epoch": epoch}).one()
    return None if row.ended else Shelf(row.number, row.partition, row.buckets)


def is_open(connection: sa.Connection, epoch: int) -> bool:
    """Tell whether an epoch still takes rows."""
    return connection.execute(_ENDED, {"number": epoch}).scalar_one_or_none() == 0


def keep_write_secret(
    connection: sa.Connection, shelf: Shelf, writer: bytes, kept: SealedWriteSecret
) -> None:
    """Store a sealed write secret as the newest of a process's chain."""
    number = connection.execute(
        sa.select(sa.func.coalesce(sa.func.max(WRITE_SECRETS.c.number), 0) + 1).where(
            WRITE_SECRETS.c.partition == shelf.partition, WRITE_SECRETS.c.writer == writer
        )
    ).scalar_one()
    connection.execute(
        sa.insert(WRITE_SECRETS).values(
            partition=shelf.partition,
            writer=writer,
            number=number,
            secret=kept.id,
            record=kept.record,
            signature=kept.signature,
            sealed=kept.sealed,
        )
    )


def last_record(connection: sa.Connection, shelf: Shelf, writer: bytes) -> bytes | None:
    """Return the newest write-secret record of a process's chain in an epoch."""
    return connection.execute(
        sa.select(WRITE_SECRETS.c.record)
        .where(WRITE_SECRETS.c.partition == shelf.partition, WRITE_SECRETS.c.writer == writer)
        .order_by(WRITE_SECRETS.c.number.desc())
        .limit(1)
    ).scalar_one_or_none()


def find_rosters(
    connection: sa.Connection, shelf: Shelf, wanted: Mapping[bytes, bytes]
) -> dict[bytes, KnownRoster]:
    """Return the stored ones of the rosters asked for.

    Args:
        connection: An open transaction.
        shelf: Where the epoch's rows lie.
        wanted: The conversation's tag by asking.

    Returns:
        Those that are stored, by asking.
    """
    found = {}
    for asking, tag in wanted.items():
        bucket = shelf.bucket(tag)
        values = {"partition": shelf.partition, "bucket": bucket, "asking": asking}
        row = connection.execute(_FIND_ROSTER, values).one_or_none()
        if row is not None:
            found[asking] = KnownRoster(bucket, row.number, row.digest)
    return found


def add_rosters(connection: sa.Connection, shelf: Shelf, rows: Sequence[RosterRow]) -> None:
    """Store rosters with their members' tags, leaving out those that are there."""
    buckets = [shelf.bucket(row.conversation_tag) for row in rows]
    numbers = partition_rows.next_numbers(connection, ROSTERS, shelf.partition, len(rows), set(buckets))
    numbered = dict(zip(numbers, zip(buckets, rows, strict=True), strict=True))
    made = insert_or_ignore_returning(
        connection,
        ROSTERS,
        [
            {
                "partition": shelf.partition,
                "bucket": bucket,
                "number": number,
                "tag": row.conversation_tag,
                "asking": row.asking,
                "digest": row.digest,
                "record": row.record,
            }
            for number, (bucket, row) in numbered.items()
        ],
        ROSTERS.c.number,
    )
    copy_member_tags(
        connection,
        [
            (shelf.partition, tag, numbered[number][0], number)
            for number in made
            for tag in numbered[number][1].tags
        ],
    )


def are_members(
    connection: sa.Connection, shelf: Shelf, pairs: Sequence[tuple[bytes, KnownRoster]]
) -> list[bool]:
    """Tell for each tag and roster whether the tag is one of that roster."""
    return [
        connection.execute(
            _IS_MEMBER,
            {
                "partition": shelf.partition,
                "tag": tag,
                "bucket": roster.bucket,
                "roster": roster.number,
            },
        ).one_or_none()
        is not None
        for tag, roster in pairs
    ]


def find_batch(connection: sa.Connection, producer: str, batch: bytes) -> BatchRow | None:
    """Return the remembered answer to a producer's batch."""
    row = connection.execute(_FIND_BATCH, {"producer": producer, "batch": batch}).first()
    return None if row is None else BatchRow(*row)


def hold_batch(connection: sa.Connection, producer: str, batch: bytes) -> None:
    """Let the same batch of another transaction wait for this one; before it is looked up in it."""
    if connection.dialect.name == "postgresql":
        seed = int.from_bytes(batch[:8], "big", signed=True)
        connection.execute(_HOLD_BATCH, {"producer": producer, "batch": seed})


def add_batch(connection: sa.Connection, shelf: Shelf, batch: NewBatch) -> None:
    """Store a batch: a row of segments for each bucket, the index to it, and its remembered answer."""
    number = partition_rows.next_number(connection, BATCHES, shelf.partition)
    connection.execute(
        sa.insert(BATCHES),
        {
            "partition": shelf.partition,
            "number": number,
            "producer": batch.producer,
            "batch": batch.batch,
            "digest": batch.digest,
            "received": batch.received,
            "secret": batch.secret,
            "messages": batch.messages,
        },
    )
    data: dict[int, list[bytes]] = {}
    index = list(_placed(shelf.partition, number, batch.segments, data))
    connection.execute(
        sa.insert(PARTS),
        [
            {"partition": shelf.partition, "bucket": bucket, "batch": number, "data": b"".join(blocks)}
            for bucket, blocks in data.items()
        ],
    )
    copy_segments(connection, index)


def _placed(
    partition: int, batch: int, segments: Iterable[SealedSegment], data: dict[int, list[bytes]]
) -> Iterator[tuple[int | bytes, ...]]:
    """Yield a row of the index for each segment, in the columns' order, and gather the blocks by bucket."""
    ends: dict[int, int] = {}
    for one in segments:
        bucket, roster, _ = one.roster
        place, size = ends.get(bucket, 0), len(one.ciphertext)
        ends[bucket] = place + size
        data.setdefault(bucket, []).append(one.ciphertext)
        span = one.sent_last - one.sent_first
        yield (
            partition,
            bucket,
            one.kind,
            roster,
            batch,
            place,
            size,
            one.sent_first,
            span,
            one.messages,
            one.segment,
        )
