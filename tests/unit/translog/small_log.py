"""One small log with fixed keys: every byte of it is the same in every run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from garim.translog.checkpoint import Checkpoint, sign_checkpoint
from garim.translog.cosignature import cosign
from garim.translog.keys import SignatureType, Signer
from garim.translog.leaf import Leaf, commitment
from garim.translog.memory import MemoryTree
from garim.translog.note import parse_note
from garim.translog.proven import LogProof

ORIGIN = "log.example/garim"
ACTOR = "spiffe://mesh.example/service/warrants"


def signer(name: str, seed: int, kind: SignatureType = SignatureType.ED25519) -> Signer:
    return Signer.of_private_key(name, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), kind)


@dataclass(frozen=True)
class SmallLog:
    """A log of six entries; the body at index 3 is proven."""

    log: Signer
    witness: Signer
    tree: MemoryTree
    body: bytes
    salt: bytes
    leaf: bytes

    def note(self, size: int = 6) -> bytes:
        signed = sign_checkpoint(self.checkpoint(size), self.log)
        return cosign(parse_note(signed), self.witness, 1_700_000_000).encode()

    def checkpoint(self, size: int = 6) -> Checkpoint:
        return Checkpoint(ORIGIN, size, self.tree.root(size))

    def proof(self) -> LogProof:
        return LogProof(self.leaf, self.salt, 3, tuple(self.tree.inclusion(3, 6)), self.note())


def make_small_log() -> SmallLog:
    body, salt = b'{"grant":"invented"}', hashlib.sha256(b"salt").digest()
    leaf = Leaf(
        type="grant-issued",
        time_ms=1_700_000_000_123,
        actor=ACTOR,
        commitment=commitment(salt, body),
        magnitudes={"subjects": 2},
    ).encode()
    tree = MemoryTree()
    tree.append([b"leaf %d" % number for number in range(3)])
    tree.append([leaf])
    tree.append([b"leaf 4", b"leaf 5"])
    witness = signer("witness.example/w1", 2, SignatureType.COSIGNATURE_V1)
    return SmallLog(signer(ORIGIN, 1), witness, tree, body, salt, leaf)
