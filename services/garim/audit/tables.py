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


def find_all(
    connection: sa.Connection, keys: Sequence[tuple[str, str, bytes]]
) -> dict[tuple[str, str, bytes], StoredLeaf]:
    """Return the leaves of these actors, types and commitments, as far as there are any."""
    columns = (leaves.c.position, leaves.c.leaf, leaves.c.actor, leaves.c.kind, leaves.c.commitment)
    wanted = {commitment for _, _, commitment in keys}
    rows = connection.execute(sa.select(*columns).where(leaves.c.commitment.in_(wanted)))
    found = {(row.actor, row.kind, row.commitment): StoredLeaf(row.position, row.leaf) for row in rows}
    return {key: found[key] for key in keys if key in found}


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


def add_leaves(
    connection: sa.Connection, first: int, added: Sequence[tuple[Leaf, bytes]], runs: Sequence[Run]
) -> None:
    """Store leaves with the nodes that they complete.

    Args:
        connection: An open writing transaction.
        first: Place of the first, the size of the tree before it.
        added: Values and exact bytes of each.
        runs: The new nodes.
    """
    connection.execute(
        sa.insert(leaves),
        [
            {
                "position": first + offset,
                "leaf": data,
                "actor": leaf.actor,
                "kind": leaf.type,
                "commitment": leaf.commitment,
            }
            for offset, (leaf, data) in enumerate(added)
        ],
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
