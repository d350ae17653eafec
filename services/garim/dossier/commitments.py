"""What the receipt's two Merkle roots cover, and proofs against them (RFC 6962 hashing)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from garim.statements.labels import Purpose, bind, lp
from garim.translog.memory import MemoryTree
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import hash_leaf

SALT_BYTES = 32
OPENING_BYTES = 32
SENDER = "sender"
"""The place of a message's sender, beside those of its masks."""


def content_digest(salt: bytes, line: bytes) -> bytes:
    """Return SHA-256(salt, line): what a message's leaf says of its content.

    Args:
        salt: 32 random bytes of this message.
        line: Its exact bytes in `messages.jsonl`, without the line end.
    """
    return hashlib.sha256(salt + line).digest()


def original_commitment(opening: bytes, mesh: str, number: str, place: int | str, original: str) -> bytes:
    """Return SHA-256(salt, original): what a line says of the characters that stood behind one mask.

    The salt is HMAC-SHA256(opening, label of mesh, number and place), so that one secret for each pseudonym,
    sealed with its identity, opens each of its masks alone, and nothing else opens any.

    Args:
        opening: 32 random bytes of this pseudonym.
        mesh: Name of the mesh.
        number: The message's citable number.
        place: Position of the mask among the message's masks, from 0, or `SENDER`.
        original: The characters as they were written; for a sender the account id.
    """
    label = bind(Purpose.MASKED_ORIGINAL, mesh, number.encode(), f"{place}".encode())
    salt = hmac.digest(opening, label, "sha256")
    return hashlib.sha256(salt + original.encode("utf-8", "surrogatepass")).digest()


def message_leaf(number: str, pseudonyms: Sequence[str], content: bytes) -> bytes:
    """Return a message's leaf: lp(number), lp(lp(each pseudonym, sorted)), content digest.

    Args:
        number: Its citable number.
        pseudonyms: All pseudonyms in it, sorted.
        content: From `content_digest`.
    """
    names = b"".join([lp(one.encode()) for one in pseudonyms])
    return lp(number.encode()) + lp(names) + content


def identity_leaf(pseudonym: str, sealed: bytes) -> bytes:
    """Return an identity's leaf: lp(pseudonym), lp(sealed identity)."""
    return lp(pseudonym.encode()) + lp(sealed)


def tree_of(leaves: Iterable[bytes]) -> MemoryTree:
    """Return the tree over leaves in order."""
    tree = MemoryTree()
    tree.append(leaves)
    return tree


def verify_leaf(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Demand that a message's or identity's leaf stands in the dossier with this root.

    Args:
        leaf: From `message_leaf`, which shows no text, or `identity_leaf`.
        index: Its position.
        size: Number of leaves.
        path: Inclusion path.
        root: The root that the receipt states.

    Raises:
        RefusedError: `LOG_INCLUSION`.
    """
    verify_inclusion(hash_leaf(leaf), index, size, path, root)
