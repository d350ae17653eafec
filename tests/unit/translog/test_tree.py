"""The tree's hashes are RFC 6962's, appending in any batches gives one tree, and bad storage shows."""

from __future__ import annotations

import hashlib

import pytest

from garim.statements.refusal import Kind, RefusedError
from garim.translog.memory import MemoryTree
from garim.translog.tree import (
    EMPTY_ROOT,
    Frontier,
    Node,
    hash_children,
    hash_leaf,
    prove_consistency,
    prove_inclusion,
    read_frontier,
)


def leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


def tree_of(count: int) -> MemoryTree:
    tree = MemoryTree()
    tree.append(leaves(count))
    return tree


def root_by_definition(items: list[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1, written down literally."""
    if not items:
        return hashlib.sha256(b"").digest()
    if len(items) == 1:
        return hashlib.sha256(b"\x00" + items[0]).digest()
    split = 1
    while split * 2 < len(items):
        split *= 2
    left, right = root_by_definition(items[:split]), root_by_definition(items[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_the_hashes_are_those_of_the_rfc() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hash_leaf(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert (
        hash_children(bytes(32), bytes(32)).hex()
        == "ae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577"
    )


def test_a_leaf_cannot_pass_for_a_node() -> None:
    left, right = bytes(32), bytes(range(32))
    assert hash_leaf(left + right) != hash_children(left, right)


@pytest.mark.parametrize("count", range(34))
def test_the_root_is_the_one_the_rfc_defines(count: int) -> None:
    assert tree_of(count).root() == root_by_definition(leaves(count))


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 7, 8, 64])
def test_batches_of_any_size_give_the_same_tree_and_nodes(batch: int) -> None:
    whole, parts = tree_of(64), MemoryTree()
    items = leaves(64)
    for start in range(0, 64, batch):
        parts.append(items[start : start + batch])
    assert parts.root() == whole.root()
    assert parts._levels == whole._levels


def test_an_empty_append_changes_nothing() -> None:
    frontier, _ = Frontier().extend([hash_leaf(item) for item in leaves(5)])
    assert frontier.extend([]) == (frontier, [])


def test_new_nodes_carry_their_places() -> None:
    frontier, _ = Frontier().extend([hash_leaf(item) for item in leaves(3)])
    _, runs = frontier.extend([hash_leaf(b"leaf 3")])
    assert [(run.level, run.first, len(run.hashes)) for run in runs] == [(0, 3, 1), (1, 1, 1), (2, 0, 1)]
    assert runs[-1].hashes == [tree_of(4).root()]


def test_an_append_leaves_the_old_frontier_as_it_was() -> None:
    frontier, _ = Frontier().extend([hash_leaf(item) for item in leaves(3)])
    root = frontier.root()
    frontier.extend([hash_leaf(b"more")])
    assert (frontier.size, frontier.root()) == (3, root)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 6, 7, 21])
def test_earlier_roots_and_frontiers_come_back_from_stored_nodes(size: int) -> None:
    tree = tree_of(21)
    assert tree.root(size) == tree_of(size).root()
    assert read_frontier(size, tree.read).extend([])[0].size == size


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (-1, ()),
        (1, ()),
        (2, (bytes(32), bytes(32))),
        (1, (bytes(31),)),
        (2**63, (bytes(32),)),
    ],
)
def test_a_stored_frontier_that_does_not_fit_is_data_loss(size: int, hashes: tuple[bytes, ...]) -> None:
    with pytest.raises(RefusedError, match="LOG_STORED") as refused:
        Frontier(size, hashes)
    assert refused.value.kind is Kind.DATA_LOSS


def test_what_is_no_hash_is_never_appended() -> None:
    with pytest.raises(RefusedError, match="LOG_STORED"):
        Frontier().extend([bytes(32), bytes(31)])


@pytest.mark.parametrize("answer", [[], [bytes(32)] * 9, [b"short"]])
def test_missing_or_damaged_stored_nodes_are_data_loss(answer: list[bytes]) -> None:
    for ask in (
        lambda: prove_inclusion(0, 2, lambda nodes: answer),
        lambda: prove_consistency(1, 2, lambda nodes: answer),
        lambda: read_frontier(1, lambda nodes: answer),
    ):
        with pytest.raises(RefusedError, match="LOG_STORED") as refused:
            ask()
        assert refused.value.kind is Kind.DATA_LOSS


def test_a_node_not_yet_complete_is_not_read() -> None:
    with pytest.raises(RefusedError, match="LOG_STORED"):
        tree_of(3).read([Node(1, 1)])


def test_a_proof_reads_storage_once() -> None:
    tree = tree_of(1000)
    calls = []

    def read(nodes: object) -> list[bytes]:
        calls.append(nodes)
        return tree.read(nodes)  # type: ignore[arg-type]

    prove_inclusion(500, 777, read)
    prove_consistency(333, 777, read)
    assert len(calls) == 2


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (0, 2**63)])
def test_no_inclusion_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(RefusedError, match="LOG_SIZE"):
        prove_inclusion(index, size, tree_of(3).read)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (-1, 3), (3, 2), (1, 2**63)])
def test_no_consistency_proof_for_impossible_sizes(old: int, new: int) -> None:
    with pytest.raises(RefusedError, match="LOG_SIZE"):
        prove_consistency(old, new, tree_of(3).read)


def test_a_tree_proves_nothing_about_leaves_it_does_not_have() -> None:
    tree = tree_of(3)
    for ask in (
        lambda: tree.root(4),
        lambda: tree.root(-1),
        lambda: tree.inclusion(0, 4),
        lambda: tree.consistency(1, 4),
        lambda: read_frontier(-1, tree.read),
    ):
        with pytest.raises(RefusedError, match="LOG_SIZE"):
            ask()
