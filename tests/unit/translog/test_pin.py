"""A pin only grows, along one proven history that begins with the mesh's genesis."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint
from garim.translog.leaf import ZERO_SALT, Leaf, commitment
from garim.translog.memory import MemoryTree
from garim.translog.pin import advance_pin, verify_genesis
from garim.translog.tree import EMPTY_ROOT
from unit.translog.small_log import ACTOR, ORIGIN, SmallLog

GOVERNANCE = b'{"invented":"governance"}'
DIGEST = hashlib.sha256(GOVERNANCE).digest()
GENESIS = Leaf("governance", 0, "spiffe://mesh.example/service/custody", commitment(ZERO_SALT, GOVERNANCE))


def test_the_first_checkpoint_is_pinned(small_log: SmallLog) -> None:
    assert advance_pin(None, small_log.checkpoint(), []) == small_log.checkpoint()


def test_a_larger_consistent_checkpoint_becomes_the_pin(small_log: SmallLog) -> None:
    path = small_log.tree.consistency(3, 6)
    assert advance_pin(small_log.checkpoint(3), small_log.checkpoint(6), path) == small_log.checkpoint(6)


def test_an_older_checkpoint_leaves_the_larger_pin_and_must_be_its_prefix(small_log: SmallLog) -> None:
    path = small_log.tree.consistency(3, 6)
    assert advance_pin(small_log.checkpoint(6), small_log.checkpoint(3), path) == small_log.checkpoint(6)
    older = replace(small_log.checkpoint(3), root=bytes(32))
    with pytest.raises(RefusedError, match="LOG_FORK"):
        advance_pin(small_log.checkpoint(6), older, path)


def test_the_same_checkpoint_needs_no_path(small_log: SmallLog) -> None:
    assert advance_pin(small_log.checkpoint(), small_log.checkpoint(), []) == small_log.checkpoint()


def test_two_roots_of_one_size_are_a_fork(small_log: SmallLog) -> None:
    with pytest.raises(RefusedError, match="LOG_FORK") as refused:
        advance_pin(small_log.checkpoint(), replace(small_log.checkpoint(), root=bytes(32)), [])
    assert refused.value.kind is Kind.DATA_LOSS


def test_an_unproven_checkpoint_is_a_fork(small_log: SmallLog) -> None:
    forked = MemoryTree()
    forked.append(b"forked %d" % number for number in range(6))
    fork = Checkpoint(ORIGIN, 6, forked.root())
    for path in ([], small_log.tree.consistency(3, 6), forked.consistency(3, 6)):
        with pytest.raises(RefusedError, match="LOG_FORK") as refused:
            advance_pin(small_log.checkpoint(3), fork, path)
        assert refused.value.kind is Kind.DATA_LOSS


def test_a_pin_never_passes_to_another_log(small_log: SmallLog) -> None:
    other = replace(small_log.checkpoint(6), origin="other.example")
    with pytest.raises(RefusedError, match="LOG_ORIGIN"):
        advance_pin(small_log.checkpoint(3), other, small_log.tree.consistency(3, 6))


def test_an_empty_log_is_never_pinned(small_log: SmallLog) -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    for pin in (None, small_log.checkpoint()):
        with pytest.raises(RefusedError, match="LOG_EMPTY"):
            advance_pin(pin, empty, [])
    with pytest.raises(RefusedError, match="LOG_FORK"):
        advance_pin(empty, small_log.checkpoint(), [])


def genesis_log(leaf: Leaf, *more: bytes) -> tuple[list[bytes], Checkpoint]:
    tree = MemoryTree()
    tree.append([leaf.encode(), *more])
    return tree.inclusion(0, tree.size), Checkpoint(ORIGIN, tree.size, tree.root())


def check_genesis(leaf: Leaf, path: list[bytes], checkpoint: Checkpoint, digest: bytes = DIGEST) -> Leaf:
    return verify_genesis(
        leaf.encode(), digest, path, checkpoint, expect_type=GENESIS.type, expect_actor=GENESIS.actor
    )


@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_log_that_begins_with_the_governance_document_is_accepted(more: int) -> None:
    path, checkpoint = genesis_log(GENESIS, *[b"x"] * more)
    assert check_genesis(GENESIS, path, checkpoint) == GENESIS


def test_another_governance_document_is_refused() -> None:
    with pytest.raises(RefusedError, match="LOG_GENESIS"):
        check_genesis(GENESIS, *genesis_log(GENESIS), digest=hashlib.sha256(b"other").digest())


@pytest.mark.parametrize(
    "leaf",
    [
        replace(GENESIS, commitment=commitment(bytes([1]) * 32, GOVERNANCE)),
        replace(GENESIS, type="grant-issued"),
        replace(GENESIS, actor=ACTOR),
    ],
)
def test_a_salted_or_foreign_leaf_is_no_genesis(leaf: Leaf) -> None:
    with pytest.raises(RefusedError, match="LOG_GENESIS"):
        check_genesis(leaf, *genesis_log(leaf))


def test_the_genesis_at_a_later_place_is_refused() -> None:
    tree = MemoryTree()
    tree.append([b"earlier", GENESIS.encode()])
    with pytest.raises(RefusedError, match="LOG_INCLUSION"):
        check_genesis(GENESIS, tree.inclusion(1, 2), Checkpoint(ORIGIN, 2, tree.root()))


def test_a_log_without_leaves_has_no_genesis() -> None:
    with pytest.raises(RefusedError, match="LOG_INCLUSION"):
        check_genesis(GENESIS, [], Checkpoint(ORIGIN, 0, EMPTY_ROOT))
