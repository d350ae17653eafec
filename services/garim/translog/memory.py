"""A tree held in memory: for tools that check a whole log, and to test stored trees against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from garim.statements.refusal import Kind, RefusedError
from garim.translog.tree import Frontier, Node, hash_leaf, prove_consistency, prove_inclusion, read_frontier


class MemoryTree:
    """An append-only Merkle tree whose complete nodes are held in memory."""

    def __init__(self) -> None:
        self._frontier = Frontier()
        self._levels: list[list[bytes]] = []

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._frontier.size

    def append(self, leaves: Iterable[bytes]) -> None:
        """Append leaves, given as their exact bytes."""
        self.append_hashes([hash_leaf(leaf) for leaf in leaves])

    def append_hashes(self, leaf_hashes: Sequence[bytes]) -> None:
        """Append leaves of which only the hashes are known."""
        self._frontier, runs = self._frontier.extend(leaf_hashes)
        for run in runs:
            if run.level == len(self._levels):
                self._levels.append([])
            self._levels[run.level].extend(run.hashes)

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return stored hashes: the `HashReader` of this tree.

        Raises:
            RefusedError: `LOG_STORED`: a node is not complete yet.
        """
        try:
            return [self._levels[level][position] for level, position in nodes]
        except IndexError:
            raise RefusedError("LOG_STORED", "the tree holds no such node", kind=Kind.DATA_LOSS) from None

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` leaves, of all where `size` is None.

        Raises:
            RefusedError: `LOG_SIZE`: the tree has fewer leaves.
        """
        return (self._frontier if size is None else read_frontier(self._within(size), self.read)).root()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the path from leaf `index` to the root of the first `size` leaves.

        Raises:
            RefusedError: `LOG_SIZE`: the tree has fewer leaves.
        """
        return prove_inclusion(index, self._within(size), self.read)

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Return the path that proves the first `old_size` leaves a prefix of the first `new_size`.

        Raises:
            RefusedError: `LOG_SIZE`: the tree has fewer leaves, or the sizes are not 0 < old <= new.
        """
        return prove_consistency(old_size, self._within(new_size), self.read)

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise RefusedError("LOG_SIZE", "the tree has fewer leaves", field="size")
        return size
