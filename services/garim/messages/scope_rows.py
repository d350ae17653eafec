"""What reading and forecasting look up: matched rosters, the segment index, slices of batches.

Every function takes an open reading transaction, short: a stream is a row of such transactions, each bounded
by the number of the newest batch at its beginning, so that it sees nothing that was stored later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

PAGE = 500


class Window(NamedTuple):
    """What a ticket covers, and up to where the store stood when the call began.

    Attributes:
        start: First millisecond of sent-at.
        end: First millisecond behind.
        received_until: Nothing received later.
        newest: Number of the newest batch.
    """

    start: int
    end: int
    received_until: int
    newest: int


class EpochRow(NamedTuple):
    """A known epoch.

    Attributes:
        number: Its number.
        epoch: Its random id.
        leaves: Leaves of its tree, where it is closed.
        payload: Its account's payload.
        envelope: The signed account as JSON; None until it is logged.
        proof: Its log proof as JSON.
    """

    number: int
    epoch: bytes
    leaves: int | None
    payload: bytes | None
    envelope: bytes | None
    proof: bytes | None


class IndexRow(NamedTuple):
    """A segment as the index knows it.

    Attributes:
        batch: Number of the batch that holds it.
        place: Its first byte there.
        size: Its bytes.
        roster: Number of its roster.
        messages: How many messages it holds.
        kind: 1 messages, 2 opaque.
    """

    batch: int
    place: int
    size: int
    roster: int
    messages: int
    kind: int


class SecretRow(NamedTuple):
    """A sealed write secret."""

    secret: bytes
    record: bytes
    signature: bytes
    sealed: bytes


class ConversationRow(NamedTuple):
    """A conversation with its place in its epoch's account."""

    number: int
    tag: bytes
    segments: int | None
    place: int | None
    headers: bytes | None


def newest_batch(connection: sa.Connection) -> int:
    """Return the number of the newest batch there ever was; 0 where there was none."""
    row = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'batches'").one_or_none()
    return 0 if row is None else int(row.seq)


def newest_closed(connection: sa.Connection) -> int:
    """Return the number of the newest epoch whose account is logged; 0 where there is none."""
    row = connection.exec_driver_sql("SELECT max(number) FROM epochs WHERE envelope IS NOT NULL").scalar_one()
    return row or 0


def find_epochs(connection: sa.Connection, epochs: Sequence[bytes]) -> list[EpochRow]:
    """Return the known ones of these epochs in order of time."""
    found = []
    for epoch in epochs:
        row = connection.exec_driver_sql(
            "SELECT number, epoch, leaves, payload, envelope, proof FROM epochs WHERE epoch = ?", (epoch,)
        ).one_or_none()
        if row is not None:
            found.append(EpochRow(*row))
    return sorted(found)


def matched_rosters(
    connection: sa.Connection, epoch: int, tags: Sequence[bytes]
) -> dict[int, frozenset[int]]:
    """Return, by conversation number, the rosters of an epoch that hold one of the tags."""
    matched: dict[int, set[int]] = {}
    for tag in tags:
        for row in connection.exec_driver_sql(
            "SELECT r.conversation, r.number FROM member_tags m JOIN rosters r ON r.number = m.roster"
            " WHERE m.epoch = ? AND m.tag = ?",
            (epoch, tag),
        ):
            matched.setdefault(row.conversation, set()).add(row.number)
    return {conversation: frozenset(rosters) for conversation, rosters in sorted(matched.items())}


def index_page(
    connection: sa.Connection, conversation: int, window: Window, behind: tuple[int, int]
) -> list[IndexRow]:
    """Return the next segments of a conversation that lie in the window, in stored order.

    Args:
        connection: An open transaction.
        conversation: Its number.
        window: What is covered.
        behind: Batch and place from which on to read.
    """
    result = connection.exec_driver_sql(
        "SELECT s.batch, s.place, s.size, s.roster, s.messages, s.kind"
        " FROM segments s JOIN batches b ON b.number = s.batch"
        " WHERE s.conversation = ? AND (s.batch, s.place) >= (?, ?) AND s.batch <= ?"
        " AND s.sent_first < ? AND s.sent_last >= ? AND b.received <= ?"
        " ORDER BY s.batch, s.place LIMIT ?",
        (
            conversation,
            *behind,
            window.newest,
            window.end,
            window.start,
            window.received_until,
            PAGE,
        ),
    )
    return [IndexRow(*row) for row in result]


def slice_of(connection: sa.Connection, batch: int, place: int, size: int) -> bytes | None:
    """Return the bytes of one segment; None where its batch was dropped."""
    row = connection.exec_driver_sql(
        "SELECT substr(data, ?, ?) FROM batches WHERE number = ?", (place + 1, size, batch)
    ).one_or_none()
    return None if row is None else bytes(row[0])


def all_headers(connection: sa.Connection, conversation: int, header_bytes: int) -> Iterator[bytes]:
    """Yield the headers of all segments of a conversation in stored order."""
    for row in connection.exec_driver_sql(
        "SELECT substr(b.data, s.place + 1, ?) FROM segments s JOIN batches b ON b.number = s.batch"
        " WHERE s.conversation = ? ORDER BY s.batch, s.place",
        (header_bytes, conversation),
    ):
        yield bytes(row[0])


def roster_record(connection: sa.Connection, roster: int) -> bytes | None:
    """Return a roster record; None where it was dropped."""
    row = connection.exec_driver_sql("SELECT record FROM rosters WHERE number = ?", (roster,)).one_or_none()
    return None if row is None else bytes(row.record)


def write_secret(connection: sa.Connection, secret: bytes) -> SecretRow | None:
    """Return a sealed write secret by its id."""
    row = connection.exec_driver_sql(
        "SELECT secret, record, signature, sealed FROM write_secrets WHERE secret = ?", (secret,)
    ).one_or_none()
    return None if row is None else SecretRow(*row)


def records(connection: sa.Connection, epoch: int) -> list[bytes]:
    """Return an epoch's write-secret records in chain order."""
    result = connection.exec_driver_sql(
        "SELECT record FROM write_secrets WHERE epoch = ? ORDER BY number", (epoch,)
    )
    return [bytes(row.record) for row in result]


def conversation(connection: sa.Connection, number: int) -> ConversationRow | None:
    """Return a conversation."""
    row = connection.exec_driver_sql(
        "SELECT number, tag, segments, place, headers FROM conversations WHERE number = ?", (number,)
    ).one_or_none()
    return None if row is None else ConversationRow(*row)


def find_forecast(connection: sa.Connection, document: bytes) -> tuple[bytes, bytes | None] | None:
    """Return the payload of a document's forecast, and the signed statement once it is logged."""
    row = connection.exec_driver_sql(
        "SELECT payload, envelope FROM forecasts WHERE document = ?", (document,)
    ).one_or_none()
    return None if row is None else (row.payload, row.envelope)


def keep_forecast(connection: sa.Connection, document: bytes, payload: bytes) -> bytes:
    """Keep a document's forecast; the first one stays. Returns the payload that is kept."""
    connection.exec_driver_sql(
        "INSERT INTO forecasts (document, payload) VALUES (?, ?) ON CONFLICT DO NOTHING", (document, payload)
    )
    row = connection.exec_driver_sql("SELECT payload FROM forecasts WHERE document = ?", (document,)).one()
    return bytes(row.payload)


def sign_forecast(connection: sa.Connection, document: bytes, envelope: bytes) -> None:
    """Keep the signed statement of a logged forecast."""
    connection.exec_driver_sql(
        "UPDATE forecasts SET envelope = ? WHERE document = ? AND envelope IS NULL", (envelope, document)
    )


def preserve(
    connection: sa.Connection,
    document: bytes,
    epoch: int,
    conversations: Sequence[int],
    window: Window,
    until: int,
) -> None:
    """Note that a preservation order keeps these conversations within its window until a time."""
    connection.exec_driver_sql(
        "INSERT INTO preserved (document, conversation, epoch, until, sent_start, sent_end, received_until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (document, conversation) DO UPDATE SET until = max(until, excluded.until)",
        [
            (document, one, epoch, until, window.start, window.end, window.received_until)
            for one in conversations
        ],
    )
