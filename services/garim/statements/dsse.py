"""DSSE envelopes (secure-systems-lab/dsse, protocol 1.0) signed with Ed25519 (RFC 8032).

What is signed is PAE(payloadType, payload); the payload's bytes are carried and never rebuilt. The key is
chosen by the payloadType's rule, never by the envelope's key id.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from garim.statements import strict_json
from garim.statements.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature over the envelope's payload.

    Args:
        keyid: A hint for people; it selects nothing.
        sig: The 64 bytes of an Ed25519 signature.
    """

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its type and signatures, as it travels.

    Args:
        payload_type: Names the kind of statement, and so whose key may sign it.
        payload: The exact signed bytes.
        signatures: One or more signatures.
    """

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding of a payload (DSSE protocol, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, signer: Callable[[bytes], bytes], keyid: str = "") -> Envelope:
    """Wrap `payload` into an envelope with one signature.

    Args:
        payload_type: Kind of statement.
        payload: Bytes to sign; they travel as they are.
        signer: Signs bytes with an Ed25519 key.
        keyid: Hint for people.
    """
    return Envelope(payload_type, payload, (Signature(keyid, signer(pae(payload_type, payload))),))


def verify(envelope: Envelope, payload_type: str, keys: Iterable[bytes]) -> bytes:
    """Return the payload if the envelope is of this type and one of the pinned keys signed it.

    Args:
        envelope: What was received.
        payload_type: The only type accepted here.
        keys: Raw 32-byte Ed25519 public keys pinned for this type's issuer.

    Raises:
        RefusedError: `STATEMENT_TYPE`, `STATEMENT_SIGNATURES` (not exactly one) or `STATEMENT_SIGNATURE`.
    """
    if envelope.payload_type != payload_type:
        raise RefusedError(
            "STATEMENT_TYPE", f"expected a statement of type {payload_type}", field="payloadType"
        )
    if len(envelope.signatures) != 1:
        raise RefusedError("STATEMENT_SIGNATURES", "exactly one signature is expected", field="signatures")
    signed = pae(payload_type, envelope.payload)
    for key in keys:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(envelope.signatures[0].sig, signed)
        except InvalidSignature:
            continue
        return envelope.payload
    raise RefusedError(
        "STATEMENT_SIGNATURE", "no key pinned for this statement's issuer verifies it", field="signatures[0]"
    )


def to_json(envelope: Envelope) -> dict[str, object]:
    """Return the envelope as the JSON object of the DSSE specification, for files."""
    return {
        "payloadType": envelope.payload_type,
        "payload": base64.b64encode(envelope.payload).decode(),
        "signatures": [
            {"keyid": one.keyid, "sig": base64.b64encode(one.sig).decode()} for one in envelope.signatures
        ],
    }


def to_bytes(envelope: Envelope) -> bytes:
    """Return the envelope as compact JSON bytes."""
    return strict_json.dump(to_json(envelope))


def _base64(value: object, field: str) -> bytes:
    if not isinstance(value, str):
        raise RefusedError("STATEMENT_ENVELOPE", "must be a base64 string", field=field)
    try:
        data = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise RefusedError("STATEMENT_ENVELOPE", "is not standard base64", field=field) from error
    if base64.b64encode(data).decode() != value:
        raise RefusedError("STATEMENT_ENVELOPE", "is not canonical base64", field=field)
    return data


def from_json(value: object) -> Envelope:
    """Read an envelope from its JSON object; closed: nothing may be missing or added.

    Raises:
        RefusedError: `STATEMENT_ENVELOPE`, with the field.
    """
    if not isinstance(value, dict) or value.keys() != {"payloadType", "payload", "signatures"}:
        raise RefusedError(
            "STATEMENT_ENVELOPE", "must hold payloadType, payload and signatures, nothing else"
        )
    if not isinstance(value["payloadType"], str):
        raise RefusedError("STATEMENT_ENVELOPE", "must be a string", field="payloadType")
    if not isinstance(value["signatures"], list) or not value["signatures"]:
        raise RefusedError("STATEMENT_ENVELOPE", "must be a list of signatures", field="signatures")
    signatures = []
    for position, one in enumerate(value["signatures"]):
        if not isinstance(one, dict) or one.keys() != {"keyid", "sig"} or not isinstance(one["keyid"], str):
            raise RefusedError(
                "STATEMENT_ENVELOPE", "must hold keyid and sig", field=f"signatures[{position}]"
            )
        signatures.append(Signature(one["keyid"], _base64(one["sig"], f"signatures[{position}].sig")))
    return Envelope(value["payloadType"], _base64(value["payload"], "payload"), tuple(signatures))


def from_bytes(data: bytes) -> Envelope:
    """Read an envelope from JSON bytes.

    Raises:
        RefusedError: As `from_json` and `strict_json.parse_object`.
    """
    return from_json(strict_json.parse_object(data))
