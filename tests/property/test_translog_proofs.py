"""Over random trees: every proof verifies, and no proof survives the change of a single bit."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garim.statements.refusal import RefusedError
from garim.translog.memory import MemoryTree
from garim.translog.proofs import verify_consistency, verify_inclusion
from garim.translog.tree import hash_leaf

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=80)


def tree_of(leaves: list[bytes]) -> MemoryTree:
    tree = MemoryTree()
    tree.append(leaves)
    return tree


def flip(hashes: list[bytes], bit: int) -> list[bytes]:
    """Flip one bit, counted over all the hashes."""
    place, within = divmod(bit, 256)
    changed = bytearray(hashes[place])
    changed[within // 8] ^= 1 << within % 8
    return [*hashes[:place], bytes(changed), *hashes[place + 1 :]]


@given(data=st.data(), leaves=LEAVES)
def test_inclusion_verifies_and_no_bit_of_it_may_change(data: st.DataObject, leaves: list[bytes]) -> None:
    tree = tree_of(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    whole = [hash_leaf(leaves[index]), tree.root(size), *tree.inclusion(index, size)]
    verify_inclusion(whole[0], index, size, whole[2:], whole[1])
    changed = flip(whole, data.draw(st.integers(0, 256 * len(whole) - 1)))
    with pytest.raises(RefusedError, match="LOG_INCLUSION"):
        verify_inclusion(changed[0], index, size, changed[2:], changed[1])


@given(data=st.data(), leaves=LEAVES)
def test_consistency_verifies_and_no_bit_of_it_may_change(data: st.DataObject, leaves: list[bytes]) -> None:
    tree = tree_of(leaves)
    new = data.draw(st.integers(1, len(leaves)))
    old = data.draw(st.integers(1, new))
    whole = [tree.root(old), tree.root(new), *tree.consistency(old, new)]
    verify_consistency(old, whole[0], new, whole[1], whole[2:])
    changed = flip(whole, data.draw(st.integers(0, 256 * len(whole) - 1)))
    with pytest.raises(RefusedError, match="LOG_CONSISTENCY"):
        verify_consistency(old, changed[0], new, changed[1], changed[2:])


@given(data=st.data(), count=st.integers(2, 80))
def test_a_leaf_is_proven_at_its_own_place_only(data: st.DataObject, count: int) -> None:
    leaves = [b"%d" % number for number in range(count)]
    tree = tree_of(leaves)
    index = data.draw(st.integers(0, count - 1))
    claimed = data.draw(st.integers(0, count - 1).filter(lambda place: place != index))
    with pytest.raises(RefusedError, match="LOG_INCLUSION"):
        verify_inclusion(hash_leaf(leaves[index]), claimed, count, tree.inclusion(index, count), tree.root())


@given(data=st.data(), leaves=LEAVES)
def test_a_changed_history_is_no_prefix(data: st.DataObject, leaves: list[bytes]) -> None:
    new = len(leaves)
    old = data.draw(st.integers(1, new))
    place = data.draw(st.integers(0, old - 1))
    rewritten = tree_of([*leaves[:place], leaves[place] + b"!", *leaves[place + 1 :]])
    for path in (tree_of(leaves).consistency(old, new), rewritten.consistency(old, new)):
        with pytest.raises(RefusedError, match="LOG_CONSISTENCY"):
            verify_consistency(old, tree_of(leaves[:old]).root(), new, rewritten.root(), path)


@given(leaves=LEAVES, cuts=st.lists(st.integers(0, 80), max_size=6))
def test_any_batches_give_the_same_tree(leaves: list[bytes], cuts: list[int]) -> None:
    tree = MemoryTree()
    bounds = sorted({0, len(leaves), *(cut for cut in cuts if cut < len(leaves))})
    for start, end in itertools.pairwise(bounds):
        tree.append(leaves[start:end])
    assert (tree.size, tree.root()) == (len(leaves), tree_of(leaves).root())
