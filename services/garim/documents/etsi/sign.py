"""Signing a message as its sender: for rehearsals and tests; agencies use their own tools."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from garim.documents.etsi import names
from garim.documents.etsi.parsing import parse
from garim.statements.refusal import RefusedError


def sign_message(
    data: bytes, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, chain: Sequence[x509.Certificate]
) -> bytes:
    """Return a message with its sender's signature (XMLDSig, enveloped).

    Args:
        data: As `write.request` returned it.
        key: P-256, or RSA of 3,072 bits or more.
        chain: Its certificate, then intermediates, without the anchor.

    Raises:
        RefusedError: `KEY_ALGORITHM_MISMATCH`, `ENVELOPE_SIGNATURES`, and those of `parsing.parse`.
    """
    root = parse(data)
    if root.find(names.SIGNATURE) is not None:
        raise RefusedError("ENVELOPE_SIGNATURES", "the message is signed already")
    if not chain or chain[0].public_key() != key.public_key():
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "the certificate belongs to another key")
    method = SignatureMethod.ECDSA_SHA256
    if isinstance(key, rsa.RSAPrivateKey):
        method = SignatureMethod.RSA_SHA256
    elif not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RefusedError("KEY_ALGORITHM_MISMATCH", "sign a message with a P-256 or RSA key")
    signer = XMLSigner(
        signature_algorithm=method,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    signed = signer.sign(root, key=key, cert=list(chain), always_add_key_value=False)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(signed, encoding="utf-8") + b"\n"
