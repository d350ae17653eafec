"""The index of segments: what lies under a roster, counted, listed, cut out of its batches.

Every function takes an open transaction. Each looks up by whole keys, in one partition and bucket, so that
what it costs does not grow with what else is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from garim.messages.epochs import Shelf
from garim.messages.tables import BATCHES, SEGMENTS
from garim.sealing.segment import encode_header

PAGE = 500
WHOLE = 2**31 - 1


class Window(NamedTuple):
    """What a ticket covers.

    Attributes:
        start: First millisecond of sent-at.
        end: First millisecond behind.
        received_until: Nothing received later.
    """

    start: int
    end: int
    received_until: int


class Roster(NamedTuple):
    """A roster of a conversation.

    Attributes:
        tag: The conversation's.
        bucket: The conversation's.
        number: Its number.
        digest: SHA-256 of its record.
    """

    tag: bytes
    bucket: int
    number: int
    digest: bytes


class IndexRow(NamedTuple):
    """A segment as the index knows it.

    Attributes:
        roster: Its roster.
        batch: Number of the batch that holds it.
        place: Its first byte there.
        size: Bytes of its ciphertext.
        messages: How many messages it holds.
        kind: 1 messages, 2 opaque.
        received: When it was received.
        header: Its encoded header.
    """

    roster: Roster
    batch: int
    place: int
    size: int
    messages: int
    kind: int
    received: int
    header: bytes


class RosterCount(NamedTuple):
    """How much lies in a window under one roster.

    Attributes:
        segments: How many segments.
        messages: How many messages they hold.
        opaque: Segments of secret chats among them.
    """

    segments: int
    messages: int
    opaque: int


_INDEX = sa.text(
    "SELECT batch, place, size, sent_first, sent_span, messages, kind, segment FROM segments"
    " WHERE partition = :partition AND bucket = :bucket AND roster = :roster"
    " AND batch BETWEEN :batch AND :newest AND (batch > :batch OR place >= :place)"
    " AND sent_first < :end AND sent_first + sent_span >= :start ORDER BY batch, place LIMIT :page"
)
# A look-up for each segment, never a join: the planner knows little of a partition that was just filled.
_COUNT = sa.text(
    "SELECT count(*), coalesce(sum(s.messages), 0), coalesce(sum(CASE WHEN s.kind = 2 THEN 1 ELSE 0 END), 0)"
    " FROM segments s"
    " WHERE s.partition = :partition AND s.bucket = :bucket AND s.roster = :roster AND s.batch <= :newest"
    " AND s.sent_first < :end AND s.sent_first + s.sent_span >= :start"
    " AND (SELECT b.received FROM batches b WHERE b.partition = :partition AND b.number = s.batch)"
    " <= :received_until"
)
_FACTS = sa.select(BATCHES.c.number, BATCHES.c.received, BATCHES.c.secret).where(
    BATCHES.c.partition == sa.bindparam("partition"),
    BATCHES.c.number.in_(sa.bindparam("numbers", expanding=True)),
)
_SLICES_OF_FILE = sa.text(
    "SELECT (SELECT substr(p.data, (v.value ->> 1) + 1, v.value ->> 2) FROM parts p"
    " WHERE p.partition = :partition AND p.bucket = :bucket AND p.batch = v.value ->> 0)"
    " FROM json_each(:wanted) v ORDER BY v.key"
)
_SLICES = sa.text(
    "SELECT (SELECT substring(p.data FROM v.place + 1 FOR v.size) FROM parts p"
    " WHERE p.partition = :partition AND p.bucket = :bucket AND p.batch = v.batch)"
    " FROM unnest(CAST(:batches AS integer[]), CAST(:places AS integer[]), CAST(:sizes AS integer[]))"
    " WITH ORDINALITY AS v (batch, place, size, at) ORDER BY v.at"
)
_EVERYTHING = Window(0, 2**63 - 1, 2**63 - 1)
_COMPACT = ("batch", "place", "size", "sent_first", "sent_span", "messages", "kind", "segment")


def index_page(
    connection: sa.Connection,
    shelf: Shelf,
    roster: Roster,
    window: Window | None,
    behind: tuple[int, int],
    *,
    newest: int = WHOLE,
    page: int = PAGE,
) -> tuple[list[IndexRow], tuple[int, int] | None]:
    """Return the next segments under a roster that lie in the window, in stored order, and where to go on.

    Args:
        connection: An open transaction.
        shelf: Where the epoch's rows lie.
        roster: The roster.
        window: What is covered; None for everything.
        behind: Batch and place from which on to read.
        newest: Number of the newest batch to be seen.
        page: How many to look at.

    Returns:
        The segments, and batch and place from which to go on; None at the end.
    """
    covered = window or _EVERYTHING
    rows = connection.execute(
        _INDEX,
        {
            "partition": shelf.partition,
            "bucket": roster.bucket,
            "roster": roster.number,
            "batch": behind[0],
            "place": behind[1],
            "newest": newest,
            "start": covered.start,
            "end": covered.end,
            "page": page,
        },
    ).all()
    facts = batch_facts(connection, shelf, {row.batch for row in rows})
    # What several servers hold counts only with the batch's own row, which is written last and on one.
    found = [_index_row(roster, row, *facts[row.batch]) for row in rows if row.batch in facts]
    following = (rows[-1].batch, rows[-1].place + 1) if len(rows) == page else None
    return [one for one in found if one.received <= covered.received_until], following


def segments_of(
    connection: sa.Connection,
    shelf: Shelf,
    rosters: Sequence[Roster],
    behind: tuple[int, int, int],
    page: int,
) -> tuple[list[IndexRow], tuple[int, int, int] | None]:
    """Return the next segments under several rosters of one bucket, by roster and then in stored order.

    Args:
        connection: An open transaction.
        shelf: Where the epoch's rows lie.
        rosters: The rosters.
        behind: Roster, batch and place behind which to read.
        page: How many to look at.

    Returns:
        The segments, and roster, batch and place behind which to go on; None at the end.
    """
    columns = SEGMENTS.c
    by_number = {one.number: one for one in rosters}
    key = (columns.roster, columns.batch, columns.place)
    rows = connection.execute(
        sa.select(columns.roster, *(columns[name] for name in _COMPACT))
        .where(
            columns.partition == shelf.partition,
            columns.bucket == rosters[0].bucket,
            columns.roster.in_([one for one in by_number if one >= behind[0]]),
            sa.tuple_(*key) > sa.tuple_(*behind),
        )
        .order_by(*key)
        .limit(page)
    ).all()
    facts = batch_facts(connection, shelf, {row.batch for row in rows})
    found = [_index_row(by_number[row.roster], row, *facts[row.batch]) for row in rows if row.batch in facts]
    last = rows[-1] if len(rows) == page else None
    return found, None if last is None else (last.roster, last.batch, last.place)


def count_roster(
    connection: sa.Connection, shelf: Shelf, roster: Roster, window: Window, newest: int
) -> RosterCount:
    """Return how much lies in a window under a roster."""
    place = {"partition": shelf.partition, "bucket": roster.bucket, "roster": roster.number}
    row = connection.execute(_COUNT, place | window._asdict() | {"newest": newest}).one()
    return RosterCount(*(int(one) for one in row))


def batch_facts(
    connection: sa.Connection, shelf: Shelf, numbers: Iterable[int]
) -> dict[int, tuple[int, bytes]]:
    """Return for each batch when it was received and the id of its write secret."""
    result = connection.execute(_FACTS, {"partition": shelf.partition, "numbers": sorted(numbers)})
    return {row.number: (row.received, row.secret) for row in result}


def slices(connection: sa.Connection, shelf: Shelf, rows: Sequence[IndexRow]) -> list[bytes | None]:
    """Return ciphertexts of segments in one bucket, cut out by the database; None where one was dropped."""
    if not rows:
        return []
    common = {"partition": shelf.partition, "bucket": rows[0].roster.bucket}
    if connection.dialect.name == "postgresql":
        wanted = {
            "batches": [one.batch for one in rows],
            "places": [one.place for one in rows],
            "sizes": [one.size for one in rows],
        }
        return list(connection.execute(_SLICES, common | wanted).scalars())
    listed = json.dumps([(one.batch, one.place, one.size) for one in rows])
    return list(connection.execute(_SLICES_OF_FILE, common | {"wanted": listed}).scalars())


def _index_row(roster: Roster, row: sa.Row[tuple[object, ...]], received: int, secret: bytes) -> IndexRow:
    header = encode_header(
        row.segment,
        secret,
        roster.tag,
        roster.digest,
        row.sent_first,
        row.sent_first + row.sent_span,
        received,
        received,
        row.messages,
        row.kind,
    )
    return IndexRow(roster, row.batch, row.place, row.size, row.messages, row.kind, received, header)
