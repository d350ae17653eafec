"""The stored tree within one writing transaction: read once, grown in memory, written at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from garim.audit import tables
from garim.translog.leaf import Leaf, parse_leaf
from garim.translog.tree import Frontier, Node, hash_leaf, read_frontier


class GrowingTree:
    """A tree to which a group of entries is added.

    Args:
        connection: An open writing transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._stored = tables.read_size(connection)
        self._read_stored = tables.node_reader(connection)
        self._known: dict[Node, bytes] = {}
        self._added: list[tuple[Leaf, bytes]] = []
        self._last_ms = 0
        if self._stored:
            self._last_ms = parse_leaf(tables.read_leaves(connection, self._stored - 1, 1)[0]).time_ms

    @property
    def size(self) -> int:
        """Number of leaves, added ones included."""
        return self._stored + len(self._added)

    @property
    def stored(self) -> int:
        """Number of leaves before this transaction."""
        return self._stored

    @property
    def last_ms(self) -> int:
        """Time of the last leaf; 0 where there is none."""
        return self._last_ms

    def find(self, keys: Iterable[tuple[str, str, bytes]]) -> dict[tuple[str, str, bytes], tables.StoredLeaf]:
        """Return the stored leaves of these actors, types and commitments."""
        return tables.find_all(self._connection, list(keys))

    def add(self, leaf: Leaf, data: bytes) -> tables.StoredLeaf:
        """Add a leaf.

        Args:
            leaf: Its values.
            data: Its exact bytes.
        """
        added = tables.StoredLeaf(self.size, data)
        self._added.append((leaf, data))
        self._last_ms = leaf.time_ms
        return added

    def store(self) -> None:
        """Write what was added, with the nodes that it completes."""
        if not self._added:
            return
        frontier: Frontier = read_frontier(self._stored, self.read)
        _, runs = frontier.extend([hash_leaf(data) for _, data in self._added])
        tables.add_leaves(self._connection, self._stored, self._added, runs)
        for run in runs:
            for offset, one in enumerate(run.hashes):
                self._known[Node(run.level, run.first + offset)] = one

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return stored hashes, each read once; a missing one is left out, which the tree refuses."""
        missing = [one for one in nodes if one not in self._known]
        if missing:
            found = self._read_stored(missing)
            if len(found) == len(missing):
                self._known.update(zip(missing, found, strict=True))
        return [self._known[one] for one in nodes if one in self._known]
