"""Pins: the largest checkpoint a verifier has accepted; so every verifier is a witness of the others."""

from __future__ import annotations

from collections.abc import Sequence

from garim.statements.refusal import Kind, RefusedError
from garim.translog.checkpoint import Checkpoint
from garim.translog.leaf import ZERO_SALT, Leaf, commitment_to_digest, parse_leaf
from garim.translog.proofs import verify_consistency, verify_inclusion
from garim.translog.tree import hash_leaf


def advance_pin(pin: Checkpoint | None, new: Checkpoint, consistency_path: Sequence[bytes]) -> Checkpoint:
    """Return the larger of two checkpoints after proving the smaller one its prefix.

    Args:
        pin: The stored pin; None only where `verify_genesis` has just accepted `new`.
        new: A checkpoint that `checkpoint.verify_checkpoint` has accepted; it may be older than the pin.
        consistency_path: Proof between the two, from the smaller to the larger; empty for equal sizes and
            where there is no pin.

    Returns:
        What the caller stores as its pin, durably, before it acts on `new`.

    Raises:
        RefusedError: `LOG_FORK` (data loss): the log has not shown that both are of one history.
            `LOG_ORIGIN`: another log. `LOG_EMPTY`: an empty tree, from which nothing can be proven.
    """
    if new.size == 0:
        raise RefusedError("LOG_EMPTY", "an empty log cannot be pinned: wait for its leaf 0", field="size")
    if pin is None:
        return new
    if pin.origin != new.origin:
        raise RefusedError(
            "LOG_ORIGIN", "the checkpoint is of another log than the pinned one", field="origin"
        )
    old, large = (pin, new) if pin.size <= new.size else (new, pin)
    try:
        verify_consistency(old.size, old.root, large.size, large.root, consistency_path)
    except RefusedError as error:
        raise RefusedError(
            "LOG_FORK",
            "the checkpoint is not proven consistent with the pinned one: keep both, stop using this log",
            kind=Kind.DATA_LOSS,
        ) from error
    return large


def verify_genesis(
    leaf0: bytes,
    governance_digest: bytes,
    path: Sequence[bytes],
    checkpoint: Checkpoint,
    *,
    expect_type: str,
    expect_actor: str,
) -> Leaf:
    """Demand that leaf 0 of a log commits, with zero salt, to the governance document the settings name.

    Args:
        leaf0: Exact bytes of leaf 0.
        governance_digest: SHA-256 of the governance document's payload, from the settings.
        path: Inclusion path of leaf 0.
        checkpoint: A verified checkpoint, the candidate for the first pin.
        expect_type: Type of a governance leaf.
        expect_actor: SPIFFE id of custody, which appends it.

    Returns:
        Leaf 0; `checkpoint` may now be pinned.

    Raises:
        RefusedError: `LOG_GENESIS`: the log begins with another leaf. `LOG_INCLUSION`, `LOG_LEAF`.
    """
    verify_inclusion(hash_leaf(leaf0), 0, checkpoint.size, path, checkpoint.root)
    leaf = parse_leaf(leaf0)
    if (
        leaf.commitment != commitment_to_digest(ZERO_SALT, governance_digest)
        or leaf.type != expect_type
        or leaf.actor != expect_actor
    ):
        raise RefusedError(
            "LOG_GENESIS", "the log does not begin with the governance document of the settings"
        )
    return leaf
