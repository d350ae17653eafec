"""Verify inclusion and consistency proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

The number of hashes a path must have follows from the sizes alone and is checked first, so each proof has one
form. Reading a leaf's index from its lowest bit: below the level where its way to the root parts from that of
the last leaf (the inner part) the bit says on which side the sibling stands; above it (the border) siblings
exist only on the left, one for each 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from garim.statements.refusal import RefusedError
from garim.translog.encoding import HASH_BYTES
from garim.translog.tree import MAX_SIZE, hash_children


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Demand that the leaf stands at `index` in the tree of `size` leaves with `root`.

    Args:
        leaf_hash: Result of `tree.hash_leaf` over the leaf's exact bytes.
        index: Place of the leaf, from 0.
        size: Number of leaves.
        path: Sibling hashes from the leaf upwards.
        root: Root hash of a checkpoint that has been verified.

    Raises:
        RefusedError: `LOG_INCLUSION`.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise RefusedError("LOG_INCLUSION", "the index lies outside the tree", field="index")
    inner = (index ^ (size - 1)).bit_length()
    _demand_hashes("LOG_INCLUSION", [leaf_hash, root, *path])
    if len(path) != inner + (index >> inner).bit_count():
        raise RefusedError("LOG_INCLUSION", "the path has a wrong number of hashes", field="path")
    top = _climb_border(_climb_inner(leaf_hash, path[:inner], index), path[inner:])
    if top != root:
        raise RefusedError("LOG_INCLUSION", "the path does not lead from the leaf to the root", field="path")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Demand that the tree of `old_size` leaves is a prefix of the tree of `new_size` leaves.

    Args:
        old_size: Leaves of the smaller tree, at least 1: from an empty tree nothing can be proven.
        old_root: Its root hash.
        new_size: Leaves of the larger tree.
        new_root: Its root hash.
        path: The proof; empty exactly where the sizes are equal.

    Raises:
        RefusedError: `LOG_CONSISTENCY`.
    """
    if not 0 < old_size <= new_size <= MAX_SIZE:
        raise RefusedError("LOG_CONSISTENCY", "the sizes are not 0 < old <= new", field="old_size")
    _demand_hashes("LOG_CONSISTENCY", [old_root, new_root, *path])
    if old_size == new_size:
        if path or old_root != new_root:
            raise RefusedError("LOG_CONSISTENCY", "trees of one size with different roots or a path")
        return
    last = old_size - 1
    # The proof climbs from the largest complete subtree that ends where the old tree ends.
    level = (old_size & -old_size).bit_length() - 1
    inner = (last ^ (new_size - 1)).bit_length() - level
    border = (last >> (level + inner)).bit_count()
    seeded = (old_size & last) == 0
    if len(path) != inner + border + (0 if seeded else 1):
        raise RefusedError("LOG_CONSISTENCY", "the path has a wrong number of hashes", field="path")
    seed, rest = (old_root, path) if seeded else (path[0], path[1:])
    place = last >> level
    lefts = [sibling for height, sibling in enumerate(rest[:inner]) if place >> height & 1]
    if _climb_border(seed, [*lefts, *rest[inner:]]) != old_root:
        raise RefusedError("LOG_CONSISTENCY", "the path does not lead to the old root", field="path")
    if _climb_border(_climb_inner(seed, rest[:inner], place), rest[inner:]) != new_root:
        raise RefusedError("LOG_CONSISTENCY", "the path does not lead to the new root", field="path")


def _demand_hashes(reason: str, hashes: Sequence[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        raise RefusedError(reason, f"a hash is not {HASH_BYTES} bytes long")


def _climb_inner(start: bytes, siblings: Sequence[bytes], place: int) -> bytes:
    top = start
    for height, sibling in enumerate(siblings):
        top = hash_children(sibling, top) if place >> height & 1 else hash_children(top, sibling)
    return top


def _climb_border(start: bytes, siblings: Sequence[bytes]) -> bytes:
    top = start
    for sibling in siblings:
        top = hash_children(sibling, top)
    return top
