"""The envelope: JWS in general JSON serialisation with one signature or two (RFC 7515 section 7.2.1).

Stricter than the RFC: the protected header holds exactly `alg`, `typ` and `x5c`; there is no unprotected
header, no `crit`, no `b64`; only ES256 and EdDSA over Ed25519 count. What no signature covers does not exist.
How many must have signed depends on the kind of document, which `verify` judges.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from garim.documents import base64url
from garim.documents.bare import ECDSA, ED25519, BareSignature, der_of, is_right
from garim.documents.envelope import MAX_CHAIN, SIGNATURES, Envelope
from garim.documents.x509 import UNREADABLE, read_certificate
from garim.statements import strict_json
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

TYP = "garim-document+jws"
MAX_ENVELOPE_BYTES = 8 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class _Signature:
    alg: str
    chain: tuple[bytes, ...]
    leaf: x509.Certificate
    signing_input: bytes
    value: bytes


def open_envelope(data: bytes) -> Envelope:
    """Parse an envelope and check both signatures with the keys of their leaf certificates.

    Says nothing about trust: who the certificates belong to is for `garim.documents.x509`.

    Args:
        data: The envelope as received.

    Raises:
        RefusedWithReasonsError: every reason found, of `JSON_*`, `ENVELOPE_MEMBERS`, `ENVELOPE_SIGNATURES`,
            `HEADER_MEMBERS`, `ALGORITHM_REFUSED`, `TYPE_REFUSED`, `BASE64_NOT_CANONICAL`, `CHAIN_LENGTH`,
            `CERTIFICATE_UNREADABLE`, `KEY_ALGORITHM_MISMATCH`, `SIGNATURE_WRONG`.
    """
    members = strict_json.parse_object(data, max_bytes=MAX_ENVELOPE_BYTES)
    _exactly(members, {"payload", "signatures"}, "ENVELOPE_MEMBERS", "")
    entries = members["signatures"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= SIGNATURES:
        raise RefusedError(
            "ENVELOPE_SIGNATURES",
            "a document carries two signatures, an emergency request one",
            field="signatures",
        )
    payload = base64url.decode(members["payload"], field="payload")
    reasons: list[RefusedError] = []
    chains: list[tuple[bytes, ...]] = []
    for index, entry in enumerate(entries):
        path = f"signatures[{index}]"
        try:
            signature = _read_signature(entry, members["payload"], path)
            _check_signature(signature, path)
        except RefusedError as error:
            reasons.append(error)
        else:
            chains.append(signature.chain)
    if reasons:
        raise RefusedWithReasonsError(reasons)
    return Envelope(payload, tuple(chains))


def _exactly(members: dict[str, Any], wanted: set[str], reason: str, path: str) -> None:
    prefix = f"{path}." if path else ""
    for name in sorted(members.keys() - wanted):
        raise RefusedError(reason, "an unknown member stands here; remove it", field=prefix + name[:64])
    for name in sorted(wanted - members.keys()):
        raise RefusedError(reason, "a member is missing", field=prefix + name)


def _read_signature(entry: object, payload: str, path: str) -> _Signature:
    if not isinstance(entry, dict):
        raise RefusedError("ENVELOPE_MEMBERS", "a signature is an object", field=path)
    _exactly(entry, {"protected", "signature"}, "ENVELOPE_MEMBERS", path)
    header = strict_json.parse_object(base64url.decode(entry["protected"], field=f"{path}.protected"))
    _exactly(header, {"alg", "typ", "x5c"}, "HEADER_MEMBERS", f"{path}.protected")
    if header["alg"] not in ("ES256", "EdDSA"):
        raise RefusedError(
            "ALGORITHM_REFUSED", "sign with ES256 or with EdDSA over Ed25519", field=f"{path}.protected.alg"
        )
    if header["typ"] != TYP:
        raise RefusedError("TYPE_REFUSED", f"typ must be {TYP}", field=f"{path}.protected.typ")
    chain = _read_chain(header["x5c"], f"{path}.protected.x5c")
    return _Signature(
        alg=header["alg"],
        chain=tuple(der for der, _ in chain),
        leaf=chain[0][1],
        signing_input=f"{entry['protected']}.{payload}".encode("ascii"),
        value=base64url.decode(entry["signature"], field=f"{path}.signature"),
    )


def _read_chain(value: object, path: str) -> list[tuple[bytes, x509.Certificate]]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CHAIN:
        raise RefusedError(
            "CHAIN_LENGTH", f"x5c holds the leaf and its intermediates, 1 to {MAX_CHAIN} in all", field=path
        )
    chain = []
    for index, item in enumerate(value):
        where = f"{path}[{index}]"
        der = base64url.decode_standard(item, field=where)
        chain.append((der, read_certificate(der, field=where)))
    return chain


def _check_signature(signature: _Signature, path: str) -> None:
    try:
        key = signature.leaf.public_key()
    except UNREADABLE:
        raise RefusedError("CERTIFICATE_UNREADABLE", "its key is not readable", field=path) from None
    if signature.alg == "ES256" and isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1):
            raise _wrong_key(path)
        bare = BareSignature(ECDSA, signature.signing_input, der_of(signature.value))
    elif signature.alg == "EdDSA" and isinstance(key, ed25519.Ed25519PublicKey):
        bare = BareSignature(ED25519, signature.signing_input, signature.value)
    else:
        raise _wrong_key(path)
    if not is_right(bare, signature.leaf):
        raise RefusedError(
            "SIGNATURE_WRONG", "the signature does not fit payload and certificate", field=path
        )


def _wrong_key(path: str) -> RefusedError:
    return RefusedError(
        "KEY_ALGORITHM_MISMATCH",
        "alg does not fit the leaf's key (P-256 or Ed25519)",
        field=f"{path}.protected.alg",
    )
