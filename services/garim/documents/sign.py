"""Adding a signature to a document: for rehearsals and tests; agencies and courts use their own tools."""

from __future__ import annotations

import json
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc.jwa import EdDSAAlgorithm, ESAlgorithm
from joserfc.jwk import ECKey, OKPKey

from garim.documents import base64url, jws
from garim.documents.envelope import SIGNATURES
from garim.statements import strict_json
from garim.statements.refusal import RefusedError

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def start_envelope(payload: bytes) -> bytes:
    """Return an envelope around a payload that nobody has signed yet."""
    return _write({"payload": base64url.encode(payload), "signatures": []})


def add_signature(envelope: bytes, key: PrivateKey, chain: Sequence[x509.Certificate]) -> bytes:
    """Return the envelope with one signature more.

    Args:
        envelope: As `start_envelope` or this function returned it.
        key: P-256 or Ed25519.
        chain: Its certificate, then intermediates, without the anchor.

    Raises:
        RefusedError: `ENVELOPE_MEMBERS`, `ENVELOPE_SIGNATURES` (both have signed already) or
            `KEY_ALGORITHM_MISMATCH`.
    """
    members = strict_json.parse_object(envelope, max_bytes=jws.MAX_ENVELOPE_BYTES)
    if members.keys() != {"payload", "signatures"} or not isinstance(members["signatures"], list):
        raise RefusedError("ENVELOPE_MEMBERS", "not an envelope: start one from the payload first")
    if len(members["signatures"]) >= SIGNATURES:
        raise RefusedError("ENVELOPE_SIGNATURES", "both signatures are there already", field="signatures")
    members["signatures"].append(_sign(members["payload"], key, chain))
    return _write(members)


def sign_document(payload: bytes, *signers: tuple[PrivateKey, Sequence[x509.Certificate]]) -> bytes:
    """Return the finished envelope of a payload.

    Args:
        payload: As `garim.documents.draft` made it.
        signers: Key and chain of each signer, in order.
    """
    envelope = start_envelope(payload)
    for key, chain in signers:
        envelope = add_signature(envelope, key, chain)
    return envelope


def _sign(payload: str, key: PrivateKey, chain: Sequence[x509.Certificate]) -> dict[str, str]:
    if not chain or chain[0].public_key() != key.public_key():
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "the certificate belongs to another key", field="x5c")
    ders = [certificate.public_bytes(serialization.Encoding.DER) for certificate in chain]
    header = {
        "alg": "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else "ES256",
        "typ": jws.TYP,
        "x5c": [base64url.encode_standard(der) for der in ders],
    }
    protected = base64url.encode(_write(header))
    signing_input = f"{protected}.{payload}".encode("ascii")
    if isinstance(key, ed25519.Ed25519PrivateKey):
        value = EdDSAAlgorithm().sign(signing_input, OKPKey.import_key(key))
    elif isinstance(key.curve, ec.SECP256R1):
        value = ESAlgorithm("ES256", "P-256", 256).sign(signing_input, ECKey.import_key(key))
    else:
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "sign with a P-256 or an Ed25519 key", field="alg")
    return {"protected": protected, "signature": base64url.encode(value)}


def _write(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")
