"""What the end of an epoch reads and writes: its account, and at retention its rows.

Every function takes an open transaction of `garim.kit.db.Database`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from garim.messages import partition_rows
from garim.messages.epochs import Shelf
from garim.messages.index_rows import Roster
from garim.messages.tables import ACCOUNT_NODES, CONVERSATIONS, EPOCHS, ROSTERS, WRITE_SECRETS
from garim.sealing.write_secret import head_of
from garim.translog.tree import Node, Run


class EndingEpoch(NamedTuple):
    """An epoch on its way to being closed.

    Attributes:
        shelf: Where its rows lie.
        epoch: Its random id.
        not_before: Its first millisecond.
        not_after: The first millisecond behind it.
        payload: Its account's payload, once it is made.
    """

    shelf: Shelf
    epoch: bytes
    not_before: int
    not_after: int
    payload: bytes | None


class Summary(NamedTuple):
    """Numbers of an epoch's account.

    Attributes:
        head: Digest of the heads of its chains of write secrets; None where there is none.
        write_secrets: How many there are.
        segments: How many segments were stored.
    """

    head: bytes | None
    write_secrets: int
    segments: int


class Account(NamedTuple):
    """A conversation's account.

    Attributes:
        tag: Its tag.
        segments: How many segments were stored.
        account: SHA-256 over the digests of their headers, in stored order.
    """

    tag: bytes
    segments: int
    account: bytes


def unclosed(connection: sa.Connection, until_ms: int) -> list[EndingEpoch]:
    """Return epochs that ended before a time and are not closed yet, the oldest first."""
    result = connection.execute(
        sa.select(EPOCHS)
        .where(EPOCHS.c.envelope.is_(None), EPOCHS.c.not_after <= until_ms)
        .order_by(EPOCHS.c.number)
    )
    return [
        EndingEpoch(
            Shelf(row.number, row.partition, row.buckets),
            row.epoch,
            row.not_before,
            row.not_after,
            row.payload,
        )
        for row in result
    ]


def end(connection: sa.Connection, epoch: int) -> None:
    """Take no more rows into an epoch; in a transaction that is alone."""
    connection.execute(sa.update(EPOCHS).where(EPOCHS.c.number == epoch).values(ended=1))


def summary(connection: sa.Connection, shelf: Shelf) -> Summary:
    """Return the numbers of an epoch's account."""
    columns = WRITE_SECRETS.c
    last = (
        sa.select(columns.writer, sa.func.max(columns.number).label("number"), sa.func.count().label("chain"))
        .where(columns.partition == shelf.partition)
        .group_by(columns.writer)
        .subquery()
    )
    chains = connection.execute(
        sa.select(columns.record, last.c.chain)
        .join(last, (columns.writer == last.c.writer) & (columns.number == last.c.number))
        .where(columns.partition == shelf.partition)
    ).all()
    segments = connection.execute(
        sa.select(sa.func.coalesce(sa.func.sum(CONVERSATIONS.c.segments), 0)).where(
            CONVERSATIONS.c.partition == shelf.partition
        )
    ).scalar_one()
    heads = [hashlib.sha256(row.record).digest() for row in chains]
    return Summary(head_of(heads), sum(row.chain for row in chains), int(segments))


def conversations_page(
    connection: sa.Connection, shelf: Shelf, behind: bytes, size: int
) -> dict[bytes, list[Roster]]:
    """Return the rosters of the next conversations in order of tag.

    Args:
        connection: An open transaction.
        shelf: Where the epoch's rows lie.
        behind: Tag behind which to read.
        size: How many conversations at most.
    """
    columns = ROSTERS.c
    tags = (
        sa.select(columns.tag)
        .where(columns.partition == shelf.partition, columns.tag > behind)
        .distinct()
        .order_by(columns.tag)
        .limit(size)
    )
    wanted = list(connection.execute(tags).scalars())
    if not wanted:
        return {}
    result = connection.execute(
        sa.select(columns.tag, columns.bucket, columns.number, columns.digest)
        .where(columns.partition == shelf.partition, columns.tag > behind, columns.tag <= wanted[-1])
        .order_by(columns.tag, columns.number)
    )
    found: dict[bytes, list[Roster]] = {}
    for row in result:
        found.setdefault(row.tag, []).append(Roster(*row))
    return found


def keep_accounts(
    connection: sa.Connection, shelf: Shelf, first: int, accounts: Sequence[Account], runs: Iterable[Run]
) -> None:
    """Keep conversations' accounts and the new nodes of the epoch's tree; those that are kept already stay.

    Args:
        connection: An open writing transaction.
        shelf: Where the epoch's rows lie.
        first: Place of the first of them in the tree.
        accounts: In order of tag.
        runs: The nodes that they add.
    """
    rows = [
        {
            "partition": shelf.partition,
            "bucket": shelf.bucket(one.tag),
            "tag": one.tag,
            "segments": one.segments,
            "account": one.account,
            "place": first + at,
        }
        for at, one in enumerate(accounts)
    ]
    nodes = [
        {"partition": shelf.partition, "level": run.level, "position": run.first + at, "hash": value}
        for run in runs
        for at, value in enumerate(run.hashes)
    ]
    partition_rows.insert_missing(connection, CONVERSATIONS, rows)
    partition_rows.insert_missing(connection, ACCOUNT_NODES, nodes)


def read_nodes(connection: sa.Connection, shelf: Shelf, nodes: Sequence[Node]) -> list[bytes]:
    """Return stored nodes of an epoch's tree."""
    columns = ACCOUNT_NODES.c
    return [
        connection.execute(
            sa.select(columns.hash).where(
                columns.partition == shelf.partition,
                columns.level == node.level,
                columns.position == node.position,
            )
        ).scalar_one()
        for node in nodes
    ]


def keep_payload(connection: sa.Connection, epoch: int, leaves: int, payload: bytes) -> bytes:
    """Keep an epoch's account before it is logged; the first one stays. Returns the payload that is kept."""
    connection.execute(
        sa.update(EPOCHS)
        .where(EPOCHS.c.number == epoch, EPOCHS.c.payload.is_(None))
        .values(leaves=leaves, payload=payload)
    )
    kept = connection.execute(sa.select(EPOCHS.c.payload).where(EPOCHS.c.number == epoch)).scalar_one()
    return bytes(kept)


def close(connection: sa.Connection, epoch: int, envelope: bytes, proof: bytes) -> None:
    """Keep an epoch's signed account with its log proof."""
    connection.execute(
        sa.update(EPOCHS).where(EPOCHS.c.number == epoch).values(envelope=envelope, proof=proof)
    )


def closed(connection: sa.Connection) -> list[tuple[int, bytes, bytes]]:
    """Return the closed epochs that still have rows: number, signed account, log proof."""
    result = connection.execute(
        sa.select(EPOCHS.c.number, EPOCHS.c.envelope, EPOCHS.c.proof)
        .where(EPOCHS.c.envelope.is_not(None), EPOCHS.c.partition.is_not(None))
        .order_by(EPOCHS.c.number)
    )
    return [(row.number, row.envelope, row.proof) for row in result]
