"""Write secrets W: at most sixty seconds of storage under one secret (protocol, Storing 4).

Layout of a record: magic ``GRMW``, version 1, lp(mesh), lp(store), epoch id (16), not-before and not-after
(milliseconds, 8 each), SHA-256 of the previous record (32; zeros for the first).

The record is bound into the sealing as HPKE info; the store signs bind(write-secret-signature, mesh, record,
SHA-256 of the sealed secret), so that no other secret can be put behind a signed record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from garim.sealing import hpke
from garim.sealing.layout import Reader, head
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind, lp
from garim.statements.refusal import Kind, RefusedError

MAGIC = b"GRMW"
MAX_LIFE_MS = 60_000
FIRST_PREVIOUS = bytes(32)


@dataclass(frozen=True, slots=True)
class WriteSecretRecord:
    """What is public of a write secret.

    Args:
        mesh: Name of the mesh.
        store: Name of the message store.
        epoch: Id of the epoch it belongs to, 16 bytes.
        not_before: First millisecond it may be used in, since the Unix epoch.
        not_after: First millisecond it may not be used in; at most 60,000 later.
        previous: SHA-256 of the record before it in the chain of its process in this store and epoch.
    """

    mesh: str
    store: str
    epoch: bytes
    not_before: int
    not_after: int
    previous: bytes

    def encode(self) -> bytes:
        """Return the record's fixed layout."""
        return b"".join(
            (
                head(MAGIC),
                lp(self.mesh.encode()),
                lp(self.store.encode()),
                self.epoch,
                self.not_before.to_bytes(8, "big"),
                self.not_after.to_bytes(8, "big"),
                self.previous,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> WriteSecretRecord:
        """Read a record.

        Raises:
            RefusedError: `RECORD_LAYOUT`, or `WRITE_SECRET_LIFE` where it lives longer than sixty seconds.
        """
        reader = Reader(data, MAGIC)
        record = cls(
            reader.text(), reader.text(), reader.take(16), reader.number(8), reader.number(8), reader.take(32)
        )
        reader.end()
        if not 0 < record.not_after - record.not_before <= MAX_LIFE_MS:
            raise RefusedError("WRITE_SECRET_LIFE", "a write secret lives at most sixty seconds")
        return record


@dataclass(frozen=True, slots=True)
class SealedWriteSecret:
    """A write secret as it is kept.

    Args:
        record: Encoded `WriteSecretRecord`.
        signature: The store's Ed25519 signature over record and sealed secret.
        sealed: The secret, HPKE-sealed to the epoch's key.
    """

    record: bytes
    signature: bytes
    sealed: bytes

    @property
    def id(self) -> bytes:
        """SHA-256 of record and sealed secret: what headers and rosters name."""
        return hashlib.sha256(self.record + self.sealed).digest()


def head_of(heads: Iterable[bytes]) -> bytes | None:
    """Return what an epoch's account names as the head of its chains, one for each process that stored.

    Args:
        heads: SHA-256 of the last record of each chain.

    Returns:
        The head where there is one chain, SHA-256 over all in ascending order where there are several; None
        where there is none.
    """
    ordered = sorted(heads)
    if len(ordered) > 1:
        return hashlib.sha256(b"".join(ordered)).digest()
    return ordered[0] if ordered else None


def _info(mesh: str, record: bytes) -> bytes:
    return bind(Purpose.WRITE_SECRET, mesh, record)


def signed_bytes(mesh: str, record: bytes, sealed: bytes) -> bytes:
    """Return what the store signs of a write secret.

    Args:
        mesh: Name of the mesh.
        record: Encoded `WriteSecretRecord`.
        sealed: The HPKE-sealed secret.
    """
    return bind(Purpose.WRITE_SECRET_SIGNATURE, mesh, record, hashlib.sha256(sealed).digest())


def make(
    record: WriteSecretRecord, epoch_public: bytes, signer: Callable[[bytes], bytes]
) -> tuple[Secret, SealedWriteSecret]:
    """Make a write secret and its sealed record.

    Args:
        record: What it is bound to.
        epoch_public: HPKE public key of the epoch.
        signer: Signs with the store's Ed25519 key.

    Returns:
        The secret, to be wiped at `not_after`, and what must be durable before anything is acknowledged.
    """
    encoded = record.encode()
    secret = Secret.random()
    sealed = hpke.seal(secret.buffer, epoch_public, _info(record.mesh, encoded))
    signature = signer(signed_bytes(record.mesh, encoded, sealed))
    return secret, SealedWriteSecret(encoded, signature, sealed)


def verify(kept: SealedWriteSecret, mesh: str, store_keys: dict[str, bytes]) -> WriteSecretRecord:
    """Return the record if the store that it names signed it with this sealed secret.

    Args:
        kept: The sealed write secret.
        mesh: This mesh.
        store_keys: Pinned Ed25519 keys by store name.

    Raises:
        RefusedError: `RECORD_LAYOUT`, `WRITE_SECRET_LIFE`, `WRITE_SECRET_MESH` or `WRITE_SECRET_SIGNATURE`.
    """
    record = WriteSecretRecord.decode(kept.record)
    if record.mesh != mesh:
        raise RefusedError("WRITE_SECRET_MESH", "the write secret belongs to another mesh")
    key = store_keys.get(record.store)
    try:
        if key is None:
            raise InvalidSignature
        signed = signed_bytes(mesh, kept.record, kept.sealed)
        Ed25519PublicKey.from_public_bytes(key).verify(kept.signature, signed)
    except InvalidSignature:
        raise RefusedError(
            "WRITE_SECRET_SIGNATURE",
            "no key pinned for this store signed this record with this sealed secret",
            kind=Kind.FORBIDDEN,
        ) from None
    return record


def open_secret(kept: SealedWriteSecret, epoch_private: Secret) -> Secret:
    """Open a verified write secret with its epoch's private key.

    Raises:
        RefusedError: `SEALING_OPEN`.
    """
    record = WriteSecretRecord.decode(kept.record)
    return hpke.open_sealed(kept.sealed, epoch_private, _info(record.mesh, kept.record))
