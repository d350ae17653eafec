"""A log proof that travels beside a statement, and its whole verification."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from garim.statements.refusal import RefusedError
from garim.translog.checkpoint import Checkpoint, verify_checkpoint
from garim.translog.encoding import HASH_BYTES, decode_hash
from garim.translog.keys import VerifierKey
from garim.translog.leaf import Leaf, commitment, parse_leaf
from garim.translog.proofs import verify_inclusion
from garim.translog.tree import MAX_SIZE, hash_leaf

_KEYS = frozenset({"checkpoint", "index", "leaf", "path", "salt"})
_MAX_PATH = MAX_SIZE.bit_length()


@dataclass(frozen=True, slots=True)
class LogProof:
    """What shows that a body was logged: none of it is believed before `verify_logged`.

    Attributes:
        leaf: Exact bytes of the leaf.
        salt: 32 bytes that opened the commitment.
        index: Place of the leaf, from 0.
        path: Sibling hashes from the leaf upwards.
        checkpoint: Exact bytes of the signed and cosigned checkpoint note.
    """

    leaf: bytes
    salt: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def to_object(self) -> dict[str, Any]:
        """Return the proof as a JSON object: leaf and checkpoint as text, salt and path in hexadecimal.

        Raises:
            RefusedError: `LOG_PROOF`: the leaf or the checkpoint is not UTF-8, or the salt is not 32 bytes.
        """
        if any(len(item) != HASH_BYTES for item in (self.salt, *self.path)):
            raise RefusedError("LOG_PROOF", f"the salt or a hash of the path is not {HASH_BYTES} bytes long")
        try:
            leaf, checkpoint = self.leaf.decode(), self.checkpoint.decode()
        except UnicodeDecodeError:
            raise RefusedError("LOG_PROOF", "the leaf or the checkpoint is not UTF-8") from None
        return {
            "checkpoint": checkpoint,
            "index": self.index,
            "leaf": leaf,
            "path": [item.hex() for item in self.path],
            "salt": self.salt.hex(),
        }

    @classmethod
    def from_object(cls, members: Mapping[str, Any]) -> LogProof:
        """Return the proof of a parsed JSON object, as `to_object` writes it.

        Args:
            members: From `strict_json`; exactly the keys of `to_object`.

        Raises:
            RefusedError: `LOG_PROOF`.
        """
        if members.keys() != _KEYS:
            raise RefusedError("LOG_PROOF", "a log proof has unknown or missing keys")
        index, path = members["index"], members["path"]
        if type(index) is not int or not 0 <= index < MAX_SIZE:
            raise RefusedError("LOG_PROOF", "the index is not a whole number from 0", field="index")
        if not isinstance(path, list) or len(path) > _MAX_PATH:
            raise RefusedError("LOG_PROOF", "the path is not a list of hashes", field="path")
        return cls(
            leaf=_text(members["leaf"], "leaf").encode(),
            salt=decode_hash(_text(members["salt"], "salt"), reason="LOG_PROOF", field="salt"),
            index=index,
            path=tuple(decode_hash(_text(item, "path"), reason="LOG_PROOF", field="path") for item in path),
            checkpoint=_text(members["checkpoint"], "checkpoint").encode(),
        )


def verify_logged(
    body: bytes,
    proof: LogProof,
    *,
    log_key: VerifierKey,
    origin: str,
    witnesses: Sequence[VerifierKey],
    expect_type: str,
    expect_actor: str,
    required: Collection[str] | None = None,
) -> tuple[Leaf, Checkpoint]:
    """Demand that `expect_actor` has logged `body` as `expect_type`.

    The caller goes on with `pin.advance_pin`: without it, this proves inclusion in some tree of the log only.

    Args:
        body: The exact bytes that were committed to, without proof and salt.
        proof: The proof that travelled beside them.
        log_key: The log's key from governance.
        origin: The log's origin from governance.
        witnesses: The witnesses' keys from governance.
        expect_type: The leaf type that this body must have been logged under.
        expect_actor: SPIFFE id of the service that must have logged it.
        required: Names of witnesses that must have cosigned; None means all of them.

    Raises:
        RefusedError: A reason of `checkpoint.verify_checkpoint`, `LOG_INCLUSION`, `LOG_LEAF` (or one of
            `strict_json`), `LOG_TYPE`, `LOG_ACTOR`, `LOG_SALT` or `LOG_COMMITMENT`.
    """
    checkpoint = verify_checkpoint(proof.checkpoint, log_key, origin, witnesses=witnesses, required=required)
    verify_inclusion(hash_leaf(proof.leaf), proof.index, checkpoint.size, proof.path, checkpoint.root)
    leaf = parse_leaf(proof.leaf)
    if leaf.type != expect_type:
        raise RefusedError("LOG_TYPE", "the log entry is of another type than this statement's", field="type")
    if leaf.actor != expect_actor:
        raise RefusedError("LOG_ACTOR", "the log entry is by another service", field="actor")
    if leaf.commitment != commitment(proof.salt, body):
        raise RefusedError("LOG_COMMITMENT", "the log entry commits to another body", field="commitment")
    return leaf, checkpoint


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise RefusedError("LOG_PROOF", "not a string", field=name)
    return value
