"""Purposes and length-prefixed binding of what a key or ciphertext is for.

Every HPKE info, HKDF label and AAD is ``lp("garim/v1/" + purpose) + lp(mesh) + lp(each field)``, so
that no two uses share bytes: each purpose is one constant here.
"""

from __future__ import annotations

import enum
import functools


class Purpose(enum.StrEnum):
    """What a derived key, a sealing or a MAC is for; nothing else may use the same constant."""

    WRITE_SECRET = "write-secret"
    WRITE_SECRET_SIGNATURE = "write-secret-signature"
    SEGMENT_ROOT = "segment-root"
    ROSTER_ROOT = "roster-root"
    SEGMENT_KEY = "segment-key"
    ROSTER_KEY = "roster-key"
    TAG = "tag"
    ROSTER_ASKING = "roster-asking"
    SEALING_SECRET = "sealing-secret"
    IDENTITY_KEY = "identity-key"
    IDENTITY = "identity"
    QUORUM_SHARE = "quorum-share"
    QUORUM_APPROVAL = "quorum-approval"
    DOSSIER_PRIVATE_KEY = "dossier-private-key"
    RELEASED_KEYS = "released-keys"
    PROVIDER_OBJECT = "provider-object"
    LOG_RECOVERY = "log-recovery"
    SPOOL = "spool"
    PRESERVED_KEYS = "preserved-keys"
    MASKED_ORIGINAL = "masked-original"


def lp(data: bytes) -> bytes:
    """Return `data` behind its length as four big-endian bytes.

    Raises:
        OverflowError: `data` is longer than 2**32 - 1 bytes.
    """
    return len(data).to_bytes(4, "big") + data


def bind(purpose: Purpose, mesh: str, *fields: bytes) -> bytes:
    """Return the label that binds a key, sealing or MAC to its purpose, mesh and fields.

    Args:
        purpose: What the result is for.
        mesh: Name of the mesh.
        fields: Further bound values, in the order their format states.
    """
    head = _head(purpose, mesh)
    return head + b"".join([len(field).to_bytes(4, "big") + field for field in fields])


@functools.cache
def _head(purpose: Purpose, mesh: str) -> bytes:
    return lp(b"garim/v1/" + purpose.encode()) + lp(mesh.encode())
