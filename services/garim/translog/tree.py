"""The Merkle tree of RFC 6962, section 2.1 (RFC 9162, section 2.1): hashing, appending, proving.

Only complete subtrees are stored: node (level, position) is the hash over the leaves from
position * 2**level up to (position + 1) * 2**level. Such a node never changes once written, so storage is
append-only like the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from garim.statements.refusal import Kind, RefusedError
from garim.translog.encoding import HASH_BYTES

MAX_SIZE = 2**63 - 1
EMPTY_ROOT = hashlib.sha256().digest()


class Node(NamedTuple):
    """Place of one complete subtree."""

    level: int
    position: int


class Run(NamedTuple):
    """Hashes of neighbouring new nodes of one level: what an append gives to storage."""

    level: int
    first: int
    hashes: list[bytes]


HashReader = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the stored hashes of the nodes asked for, in their order; called once per proof or root."""


def hash_leaf(leaf: bytes) -> bytes:
    """Return the hash of one leaf's bytes (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above `left` and `right` (RFC 9162, section 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees that a tree of `size` leaves consists of, the largest first.

    All that appending needs: one hash for each 1 in the size's binary form. A value, so that an append whose
    storing fails leaves no trace.

    Attributes:
        size: Number of leaves.
        hashes: Hashes of the subtrees, 32 bytes each.

    Raises:
        RefusedError: `LOG_STORED`: the hashes do not fit the size.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        fits = 0 <= self.size <= MAX_SIZE and len(self.hashes) == self.size.bit_count()
        if not fits or any(len(item) != HASH_BYTES for item in self.hashes):
            raise RefusedError(
                "LOG_STORED", "the stored frontier does not fit its size: rebuild it", kind=Kind.DATA_LOSS
            )

    def root(self) -> bytes:
        """Return the root hash, that of the empty string for an empty tree."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT

    def extend(self, leaf_hashes: Sequence[bytes]) -> tuple[Frontier, list[Run]]:
        """Append leaves and return the new frontier with every new complete node.

        Args:
            leaf_hashes: Results of `hash_leaf`, in the order of the log.

        Raises:
            RefusedError: `LOG_STORED`: more leaves than a tree can hold, or one that is no hash.
        """
        if any(len(item) != HASH_BYTES for item in leaf_hashes):
            raise RefusedError(
                "LOG_STORED", f"a leaf hash is not {HASH_BYTES} bytes long", kind=Kind.DATA_LOSS
            )
        kept = dict(zip(_levels(self.size), self.hashes, strict=True))
        size = self.size + len(leaf_hashes)
        runs: list[Run] = []
        hashes = list(leaf_hashes)
        level = 0
        while hashes:
            first = (size >> level) - len(hashes)
            runs.append(Run(level, first, hashes))
            # An odd start means that the left neighbour of the first new node has waited for it.
            pairs = [kept.pop(level), *hashes] if first % 2 else hashes
            if len(pairs) % 2:
                kept[level] = pairs[-1]
            hashes = [
                hash_children(left, right) for left, right in zip(pairs[::2], pairs[1::2], strict=False)
            ]
            level += 1
        return Frontier(size, tuple(kept[at] for at in sorted(kept, reverse=True))), runs


def read_frontier(size: int, read: HashReader) -> Frontier:
    """Return the frontier of the first `size` leaves from stored nodes.

    Args:
        size: Number of leaves.
        read: Access to the stored nodes.

    Raises:
        RefusedError: `LOG_SIZE` or `LOG_STORED`.
    """
    if not 0 <= size <= MAX_SIZE:
        raise RefusedError("LOG_SIZE", "no such tree size", field="size")
    return Frontier(size, tuple(_read(read, _cover(0, size))))


def prove_inclusion(index: int, size: int, read: HashReader) -> list[bytes]:
    """Return the path that proves leaf `index` inside the first `size` leaves (RFC 9162, section 2.1.3.1).

    Args:
        index: Place of the leaf, from 0.
        size: Number of leaves of the tree that the proof is for.
        read: Access to the stored nodes.

    Raises:
        RefusedError: `LOG_SIZE`: the leaf lies outside the tree. `LOG_STORED`: bad stored nodes.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise RefusedError("LOG_SIZE", "the leaf lies outside the tree: ask for a later size", field="index")
    siblings: list[tuple[int, int]] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            siblings.append((middle, high))
            high = middle
        else:
            siblings.append((low, middle))
            low = middle
    return _read_ranges(read, siblings[::-1])


def prove_consistency(old_size: int, new_size: int, read: HashReader) -> list[bytes]:
    """Return the path that proves the first `old_size` leaves a prefix (RFC 9162, section 2.1.4.1).

    Args:
        old_size: Leaves of the smaller tree, at least 1: that an empty tree is a prefix proves nothing.
        new_size: Leaves of the larger tree; for equal sizes the path is empty.
        read: Access to the stored nodes.

    Raises:
        RefusedError: `LOG_SIZE`: no such sizes. `LOG_STORED`: bad stored nodes.
    """
    if not 0 < old_size <= new_size <= MAX_SIZE:
        raise RefusedError("LOG_SIZE", "the sizes are not 0 < old <= new", field="old_size")
    ranges: list[tuple[int, int]] = []
    low, high = 0, new_size
    while high != old_size:
        middle = low + _split(high - low)
        if old_size <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low:
        # The verifier has the old root itself unless the old tree ends inside a larger complete subtree.
        ranges.append((low, high))
    return _read_ranges(read, ranges[::-1])


def _levels(size: int) -> list[int]:
    return [level for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _cover(low: int, high: int) -> list[Node]:
    """Complete subtrees of the leaves from `low` (aligned to the largest of them) up to `high`."""
    nodes = []
    for level in _levels(high - low):
        nodes.append(Node(level, low >> level))
        low += 1 << level
    return nodes


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Root over complete subtrees, the largest first."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = hash_children(left, root)
    return root


def _read(read: HashReader, nodes: Sequence[Node]) -> list[bytes]:
    hashes = list(read(nodes)) if nodes else []
    if len(hashes) != len(nodes) or any(len(item) != HASH_BYTES for item in hashes):
        raise RefusedError(
            "LOG_STORED", "stored nodes of the log are missing or damaged", kind=Kind.DATA_LOSS
        )
    return hashes


def _read_ranges(read: HashReader, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    covers = [_cover(low, high) for low, high in ranges]
    hashes = iter(_read(read, [node for cover in covers for node in cover]))
    return [_fold([next(hashes) for _ in cover]) for cover in covers]
