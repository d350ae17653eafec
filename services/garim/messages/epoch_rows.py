"""What the end of an epoch reads and writes: its account, and at retention its rows.

Every function takes an open transaction of `garim.kit.db.Database`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from garim.messages.tables import (
    ACCOUNT_NODES,
    BATCH_IDS,
    BATCHES,
    CONVERSATIONS,
    MEMBER_TAGS,
    ROSTERS,
    WRITE_SECRETS,
)
from garim.translog.tree import Node, Run

_KEPT = sa.text("temp.kept")


class EndingEpoch(NamedTuple):
    """An epoch on its way to being closed.

    Attributes:
        number: Its number.
        epoch: Its random id.
        not_before: Its first millisecond.
        not_after: The first millisecond behind it.
        payload: Its account's payload, once it is made.
    """

    number: int
    epoch: bytes
    not_before: int
    not_after: int
    payload: bytes | None


class Summary(NamedTuple):
    """Numbers of an epoch's account.

    Attributes:
        head: The last write-secret record; None where there is none.
        write_secrets: How many there are.
        segments: How many segments were stored.
    """

    head: bytes | None
    write_secrets: int
    segments: int


class Kept(NamedTuple):
    """A segment that stays when its epoch is dropped."""

    conversation: int
    batch: int
    place: int
    size: int
    roster: int


def unclosed(connection: sa.Connection, until_ms: int) -> list[EndingEpoch]:
    """Return epochs that ended before a time and are not closed yet, the oldest first."""
    result = connection.exec_driver_sql(
        "SELECT number, epoch, not_before, not_after, payload FROM epochs"
        " WHERE envelope IS NULL AND not_after <= ? ORDER BY number",
        (until_ms,),
    )
    return [EndingEpoch(*row) for row in result]


def end(connection: sa.Connection, epoch: int) -> None:
    """Take no more rows into an epoch."""
    connection.exec_driver_sql("UPDATE epochs SET ended = 1 WHERE number = ?", (epoch,))


def summary(connection: sa.Connection, epoch: int) -> Summary:
    """Return the numbers of an epoch's account."""
    head = connection.exec_driver_sql(
        "SELECT record FROM write_secrets WHERE epoch = ? ORDER BY number DESC LIMIT 1", (epoch,)
    ).scalar_one_or_none()
    secrets = connection.exec_driver_sql(
        "SELECT count(*) FROM write_secrets WHERE epoch = ?", (epoch,)
    ).scalar_one()
    segments = connection.exec_driver_sql(
        "SELECT coalesce(sum(segments), 0) FROM conversations WHERE epoch = ?", (epoch,)
    ).scalar_one()
    return Summary(head, secrets, segments)


def conversation_span(connection: sa.Connection, epoch: int) -> tuple[int, int]:
    """Return the smallest and the largest number of an epoch's conversations; (1, 0) where there is none."""
    low, high = connection.exec_driver_sql(
        "SELECT min(number), max(number) FROM conversations WHERE epoch = ?", (epoch,)
    ).one()
    return (1, 0) if low is None else (low, high)


def headers_by_batch(
    connection: sa.Connection, epoch: int, span: tuple[int, int], header_bytes: int
) -> Iterator[tuple[int, bytes]]:
    """Yield conversation number and header of every segment of these conversations, batch by batch."""
    places = connection.exec_driver_sql(
        "SELECT s.conversation, s.batch, s.place FROM segments s"
        " JOIN conversations c ON c.number = s.conversation"
        " WHERE s.conversation BETWEEN ? AND ? AND c.epoch = ? ORDER BY s.batch, s.place",
        (*span, epoch),
    )
    held, data = 0, b""
    for row in places:
        if row.batch != held:
            held = row.batch
            data = connection.exec_driver_sql(
                "SELECT data FROM batches WHERE number = ?", (held,)
            ).scalar_one()
        yield row.conversation, data[row.place : row.place + header_bytes]


def keep_accounts(connection: sa.Connection, accounts: Iterable[tuple[int, bytes, int]]) -> None:
    """Keep for each conversation its number of segments and their digest."""
    values = list(accounts)
    if values:
        connection.exec_driver_sql(
            "UPDATE conversations SET segments = ?, account = ? WHERE number = ?", values
        )


def accounts_page(
    connection: sa.Connection, epoch: int, behind: bytes, size: int
) -> list[tuple[int, bytes, int, bytes]]:
    """Return the next accounted conversations in order of tag: number, tag, segments, account."""
    result = connection.exec_driver_sql(
        "SELECT number, tag, segments, account FROM conversations"
        " WHERE epoch = ? AND tag > ? AND segments > 0 ORDER BY tag LIMIT ?",
        (epoch, behind, size),
    )
    return [(row.number, row.tag, row.segments, row.account) for row in result]


def keep_places(connection: sa.Connection, places: Sequence[tuple[int, int]]) -> None:
    """Keep for each conversation (place, number) its place in the epoch's tree."""
    connection.exec_driver_sql("UPDATE conversations SET place = ? WHERE number = ?", list(places))


def keep_nodes(connection: sa.Connection, epoch: int, runs: Iterable[Run]) -> None:
    """Keep new nodes of an epoch's tree."""
    connection.exec_driver_sql(
        "INSERT INTO account_nodes (epoch, level, position, hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(epoch, run.level, run.first + at, value) for run in runs for at, value in enumerate(run.hashes)],
    )


def read_nodes(connection: sa.Connection, epoch: int, nodes: Sequence[Node]) -> list[bytes]:
    """Return stored nodes of an epoch's tree."""
    return [
        bytes(
            connection.exec_driver_sql(
                "SELECT hash FROM account_nodes WHERE epoch = ? AND level = ? AND position = ?",
                (epoch, node.level, node.position),
            ).scalar_one()
        )
        for node in nodes
    ]


def keep_payload(connection: sa.Connection, epoch: int, leaves: int, payload: bytes) -> None:
    """Keep an epoch's account before it is logged; the first one stays."""
    connection.exec_driver_sql(
        "UPDATE epochs SET leaves = ?, payload = ? WHERE number = ? AND payload IS NULL",
        (leaves, payload, epoch),
    )


def close(connection: sa.Connection, epoch: int, envelope: bytes, proof: bytes) -> None:
    """Keep an epoch's signed account with its log proof."""
    connection.exec_driver_sql(
        "UPDATE epochs SET envelope = ?, proof = ? WHERE number = ?", (envelope, proof, epoch)
    )


def closed(connection: sa.Connection) -> list[tuple[int, bytes, bytes]]:
    """Return the closed epochs that still have rows: number, signed account, log proof."""
    result = connection.exec_driver_sql(
        "SELECT number, envelope, proof FROM epochs e WHERE envelope IS NOT NULL AND (dropped = 0"
        " OR EXISTS (SELECT 1 FROM preserved p WHERE p.epoch = e.number)) ORDER BY number"
    )
    return [(row.number, row.envelope, row.proof) for row in result]


def forget_batch_ids(connection: sa.Connection, before_ms: int) -> None:
    """Forget the batch ids of epochs that ended before a time."""
    connection.exec_driver_sql(
        "DELETE FROM batch_ids WHERE epoch IN (SELECT number FROM epochs WHERE not_after <= ? AND ended = 1)",
        (before_ms,),
    )


def droppable(connection: sa.Connection, until_ms: int) -> list[int]:
    """Return the closed epochs that ended before a time and still have rows."""
    result = connection.exec_driver_sql(
        "SELECT number FROM epochs WHERE dropped = 0 AND envelope IS NOT NULL AND not_after <= ?"
        " ORDER BY number",
        (until_ms,),
    )
    return list(result.scalars())


def lapsed(connection: sa.Connection, now_ms: int) -> list[tuple[int, int]]:
    """Return dropped epochs of which something is preserved under an order that has ended, and that end."""
    result = connection.exec_driver_sql(
        "SELECT DISTINCT p.epoch, p.until FROM preserved p JOIN epochs e ON e.number = p.epoch"
        " WHERE e.dropped = 1 AND p.until <= ? ORDER BY p.epoch, p.until",
        (now_ms,),
    )
    return [(row.epoch, row.until) for row in result]


def forget_lapsed(connection: sa.Connection, epoch: int, ended_ms: int) -> None:
    """Forget the orders that end by a time."""
    connection.exec_driver_sql("DELETE FROM preserved WHERE epoch = ? AND until <= ?", (epoch, ended_ms))


def whole_conversations(connection: sa.Connection, epoch: int, ended_ms: int) -> list[int]:
    """Return conversations kept by orders that end after a time, whose headers are not kept apart yet."""
    result = connection.exec_driver_sql(
        "SELECT DISTINCT p.conversation FROM preserved p JOIN conversations c ON c.number = p.conversation"
        " WHERE p.epoch = ? AND p.until > ? AND c.headers IS NULL ORDER BY p.conversation",
        (epoch, ended_ms),
    )
    return list(result.scalars())


def preserved_segments(connection: sa.Connection, epoch: int, ended_ms: int) -> list[Kept]:
    """Return segments in the windows of orders that end after a time, by batch and place."""
    result = connection.exec_driver_sql(
        "SELECT DISTINCT s.conversation, s.batch, s.place, s.size, s.roster FROM preserved p"
        " JOIN segments s ON s.conversation = p.conversation JOIN batches b ON b.number = s.batch"
        " WHERE p.epoch = ? AND p.until > ? AND s.sent_first < p.sent_end AND s.sent_last >= p.sent_start"
        " AND b.received <= p.received_until ORDER BY s.batch, s.place",
        (epoch, ended_ms),
    )
    return [Kept(*row) for row in result]


def narrow_batch(connection: sa.Connection, batch: int, kept: Sequence[Kept]) -> None:
    """Leave only these segments in a batch and its index."""
    data = connection.exec_driver_sql("SELECT data FROM batches WHERE number = ?", (batch,)).scalar_one()
    connection.exec_driver_sql(
        "UPDATE batches SET data = ? WHERE number = ?",
        (b"".join(data[one.place : one.place + one.size] for one in kept), batch),
    )
    place = 0
    for one in kept:
        # Places only shrink and are worked on in ascending order: no two segments meet at one place.
        connection.exec_driver_sql(
            "UPDATE segments SET place = ? WHERE conversation = ? AND batch = ? AND place = ?",
            (place, one.conversation, one.batch, one.place),
        )
        place += one.size


def keep_headers(connection: sa.Connection, conversation: int, headers: bytes) -> None:
    """Keep all headers of a conversation of which only a part of the segments stays."""
    connection.exec_driver_sql(
        "UPDATE conversations SET headers = ? WHERE number = ? AND headers IS NULL",
        (headers, conversation),
    )


def mark_dropped(connection: sa.Connection, epoch: int) -> None:
    """Remember that an epoch's rows are gone, but those preserved."""
    connection.exec_driver_sql("UPDATE epochs SET dropped = 1 WHERE number = ?", (epoch,))


def drop_all_but(connection: sa.Connection, epoch: int, kept: Sequence[Kept]) -> None:
    """Delete an epoch's rows except what belongs to the kept segments."""
    connection.exec_driver_sql("CREATE TEMP TABLE IF NOT EXISTS kept (conversation, batch, place, roster)")
    connection.exec_driver_sql("DELETE FROM temp.kept")
    if kept:
        connection.exec_driver_sql(
            "INSERT INTO temp.kept (conversation, batch, place, roster) VALUES (?, ?, ?, ?)",
            [(one.conversation, one.batch, one.place, one.roster) for one in kept],
        )
    connection.exec_driver_sql(
        "DELETE FROM segments WHERE conversation IN (SELECT number FROM conversations WHERE epoch = ?)"
        " AND (conversation, batch, place) NOT IN (SELECT conversation, batch, place FROM temp.kept)",
        (epoch,),
    )
    for table, column, kind in (
        (BATCHES, BATCHES.c.number, "batch"),
        (ROSTERS, ROSTERS.c.number, "roster"),
        (CONVERSATIONS, CONVERSATIONS.c.number, "conversation"),
        (MEMBER_TAGS, MEMBER_TAGS.c.roster, "roster"),
    ):
        connection.execute(
            sa.delete(table).where(
                table.c.epoch == epoch, column.not_in(sa.select(sa.column(kind)).select_from(_KEPT))
            )
        )
    if not kept:
        for table in (ACCOUNT_NODES, WRITE_SECRETS, BATCH_IDS):
            connection.execute(sa.delete(table).where(table.c.epoch == epoch))
        connection.exec_driver_sql("DELETE FROM preserved WHERE epoch = ?", (epoch,))
