"""Sealed identities: the encrypted real value behind one pseudonym of one dossier.

A sealed identity is a fresh id (16 bytes) and the ciphertext. Its key is derived from the dossier's sealing
secret S, the dossier, the pseudonym and the fresh id; the plaintext is padded to a multiple of 1,024 bytes so
that its length says nothing.
"""

from __future__ import annotations

from garim.sealing import hpke, keys
from garim.sealing.secret import Secret
from garim.statements.labels import Purpose, bind
from garim.statements.refusal import Kind, RefusedError

FRESH_BYTES = 16
PADDED_TO = 1024


def _label(purpose: Purpose, mesh: str, dossier: bytes, pseudonym: str, fresh: bytes) -> bytes:
    return bind(purpose, mesh, dossier, pseudonym.encode(), fresh)


def _pad(plaintext: bytes) -> bytes:
    size = len(plaintext).to_bytes(4, "big")
    return size + plaintext + bytes(-(len(plaintext) + 4) % PADDED_TO)


def _unpad(padded: bytes) -> bytes:
    size = int.from_bytes(padded[:4], "big")
    plaintext = padded[4 : 4 + size]
    if _pad(plaintext) != padded:
        raise RefusedError("SEALING_PADDING", "the sealed identity is padded wrongly", kind=Kind.DATA_LOSS)
    return plaintext


def seal_identity(
    secret: Secret, mesh: str, dossier: bytes, pseudonym: str, identity: bytes, fresh: bytes
) -> bytes:
    """Seal one identity.

    Args:
        secret: The dossier's sealing secret S.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
        pseudonym: What stands for it in the dossier.
        identity: The real value: JSON bytes.
        fresh: 16 random bytes, new for each sealing.
    """
    with keys.expand(secret, _label(Purpose.IDENTITY_KEY, mesh, dossier, pseudonym, fresh)) as key:
        associated = _label(Purpose.IDENTITY, mesh, dossier, pseudonym, fresh)
        return fresh + keys.encrypt_once(key, _pad(identity), associated)


def open_identity(secret: Secret, mesh: str, dossier: bytes, pseudonym: str, sealed: bytes) -> bytes:
    """Open one sealed identity.

    Raises:
        RefusedError: `SEALING_OPEN` or `SEALING_PADDING`.
    """
    fresh, ciphertext = sealed[:FRESH_BYTES], sealed[FRESH_BYTES:]
    with keys.expand(secret, _label(Purpose.IDENTITY_KEY, mesh, dossier, pseudonym, fresh)) as key:
        associated = _label(Purpose.IDENTITY, mesh, dossier, pseudonym, fresh)
        return _unpad(keys.decrypt_once(key, ciphertext, associated))


def seal_secret(secret: Secret, dossier_public: bytes, mesh: str, dossier: bytes, grant: bytes) -> bytes:
    """Seal S to the dossier's custody key, bound to the dossier and the grant.

    Args:
        secret: The sealing secret S.
        dossier_public: HPKE public key of the dossier.
        mesh: Name of the mesh.
        dossier: Id of the dossier, 16 bytes.
        grant: SHA-256 of the grant's payload.
    """
    return hpke.seal(secret.buffer, dossier_public, bind(Purpose.SEALING_SECRET, mesh, dossier, grant))


def open_secret(sealed: bytes, dossier_private: Secret, mesh: str, dossier: bytes, grant: bytes) -> Secret:
    """Open S with the dossier's private key.

    Raises:
        RefusedError: `SEALING_OPEN`.
    """
    return hpke.open_sealed(sealed, dossier_private, bind(Purpose.SEALING_SECRET, mesh, dossier, grant))
