"""Leaves and nodes of the tree: the only SQL of the service. Rows are added, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from garim.kit.db.columns import WIDE
from garim.translog.leaf import Leaf
from garim.translog.tree import HashReader, Node, Run

metadata = sa.MetaData()

leaves = sa.Table(
    "log_leaves",
    metadata,
    sa.Column("position", WIDE, primary_key=True, autoincrement=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("commitment", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("commitment", "actor", "kind"),
)

nodes = sa.Table(
    "log_nodes",
    metadata,
    # Level and position in one number, so that the nodes of a proof are found by one look into one index.
    sa.Column("place", WIDE, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
_POSITION_BITS = 56

# Bodies and salts of the entries that this service makes itself: refused calls.
own_entries = sa.Table(
    "own_entries",
    metadata,
    sa.Column("commitment", sa.LargeBinary, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf and its place."""

    position: int
    leaf: bytes


def read_size(connection: sa.Connection) -> int:
    """Return the number of leaves."""
    last = connection.execute(sa.select(sa.func.max(leaves.c.position))).scalar()
    return 0 if last is None else last + 1


def find(connection: sa.Connection, actor: str, kind: str, commitment: bytes) -> StoredLeaf | None:
    """Return the leaf of that actor, type and commitment."""
    row = connection.execute(
        sa.select(leaves.c.position, leaves.c.leaf).where(
            leaves.c.commitment == commitment, leaves.c.actor == actor, leaves.c.kind == kind
        )
    ).first()
    return None if row is None else StoredLeaf(row.position, row.leaf)


def read_leaves(connection: sa.Connection, start: int, count: int) -> list[bytes]:
    """Return at most `count` leaves from `start` on."""
    query = sa.select(leaves.c.leaf).where(leaves.c.position >= start, leaves.c.position < start + count)
    return list(connection.execute(query.order_by(leaves.c.position)).scalars())


def all_leaves(connection: sa.Connection, page: int = 10_000) -> Iterator[list[bytes]]:
    """Yield all leaves in order, in pages."""
    for start in range(0, read_size(connection), page):
        yield read_leaves(connection, start, page)


_NODES_AT = sa.select(nodes).where(nodes.c.place.in_(sa.bindparam("places", expanding=True)))


def node_reader(connection: sa.Connection) -> HashReader:
    """Return access to the stored nodes; a missing one is left out, which the tree refuses."""

    def read(wanted: Sequence[Node]) -> list[bytes]:
        places = [_place(*node) for node in wanted]
        rows = connection.execute(_NODES_AT, {"places": places})
        hashes: dict[int, bytes] = {row.place: row.hash for row in rows}
        return [hashes[place] for place in places if place in hashes]

    return read


def read_run(connection: sa.Connection, run: Run) -> list[bytes]:
    """Return the stored hashes at the places of `run`."""
    first = _place(run.level, run.first)
    query = sa.select(nodes.c.hash).where(nodes.c.place >= first, nodes.c.place < first + len(run.hashes))
    return list(connection.execute(query.order_by(nodes.c.place)).scalars())


def add_leaf(connection: sa.Connection, position: int, leaf: Leaf, data: bytes, runs: Sequence[Run]) -> None:
    """Store a leaf with the nodes that it completes.

    Args:
        connection: An open writing transaction.
        position: Its place, the size of the tree before it.
        leaf: Its values.
        data: Its exact bytes.
        runs: The new nodes.
    """
    connection.execute(
        sa.insert(leaves).values(
            position=position, leaf=data, actor=leaf.actor, kind=leaf.type, commitment=leaf.commitment
        )
    )
    connection.execute(
        sa.insert(nodes),
        [
            {"place": _place(run.level, run.first + offset), "hash": one}
            for run in runs
            for offset, one in enumerate(run.hashes)
        ],
    )


def keep_own(connection: sa.Connection, commitment: bytes, body: bytes, salt: bytes) -> None:
    """Store what an entry of this service commits to."""
    connection.execute(sa.insert(own_entries).values(commitment=commitment, body=body, salt=salt))


def _place(level: int, position: int) -> int:
    return level << _POSITION_BITS | position
