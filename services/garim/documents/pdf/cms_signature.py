"""One signature's CMS (RFC 5652) in the baseline that PAdES calls B-B (ETSI EN 319 142-1 clause 6).

Exactly the signer's certificate and its intermediates, one signer, the signed attributes that bind content
and certificate, and nothing that the signature does not cover: no unsigned attributes, no revocation lists.
"""

from __future__ import annotations

import hashlib

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from garim.documents.bare import ECDSA, ED25519, BareSignature, rsa_scheme
from garim.documents.envelope import MAX_CHAIN
from garim.documents.keys import MIN_RSA_BITS
from garim.documents.x509 import UNREADABLE, read_certificate
from garim.statements.refusal import RefusedError

_REQUIRED = {"content_type", "message_digest", "signing_certificate_v2"}
_OPTIONAL = {"cms_algorithm_protection"}
_RSA_DIGESTS = ("sha256", "sha384", "sha512")


def check_cms(der: bytes, digest_input: bytes, *, field: str) -> tuple[tuple[bytes, ...], BareSignature]:
    """Check one signature over some bytes; return its chain in DER, leaf first, and what the key signed.

    Trust is judged elsewhere.

    Args:
        der: ContentInfo in DER, without padding.
        digest_input: The bytes that it signs.
        field: Path of the signature, for refusals.

    Raises:
        RefusedError: `CMS_MALFORMED`, `CMS_ATTRIBUTES`, `ALGORITHM_REFUSED`, `KEY_ALGORITHM_MISMATCH`,
            `CHAIN_LENGTH`, `CHAIN_ORDER`, `CERTIFICATE_UNREADABLE`, `SIGNATURE_WRONG`.
    """
    content = cms.ContentInfo.load(der, strict=True)
    if content["content_type"].native != "signed_data":
        raise _malformed("no SignedData", field)
    signed: cms.SignedData = content["content"]
    signer = _only_signer(signed, field)
    attributes = _attributes(signer, field)
    chain = _chain(signed, signer, attributes, field)
    leaf = read_certificate(chain[0], field=field)
    digest = _check_algorithms(signed, signer, leaf, field)
    try:
        intact, valid = validate_sig_integrity(
            signer,
            asn1_x509.Certificate.load(chain[0]),
            expected_content_type="data",
            actual_digest=hashlib.new(digest, digest_input).digest(),
        )
    except ValueError:
        intact = valid = False
    if not (intact and valid):
        raise RefusedError("SIGNATURE_WRONG", "the signature does not fit file and certificate", field=field)
    signed_attributes = signer["signed_attrs"].untag().dump()
    return chain, BareSignature(_scheme(signer, leaf, digest), signed_attributes, signer["signature"].native)


def _malformed(message: str, field: str) -> RefusedError:
    return RefusedError("CMS_MALFORMED", f"the signature's structure is refused: {message}", field=field)


def _present(value: object) -> bool:
    return not isinstance(value, core.Void)


def _only_signer(signed: cms.SignedData, field: str) -> cms.SignerInfo:
    encapsulated = signed["encap_content_info"]
    if signed["version"].native != "v1" or len(signed["signer_infos"]) != 1:
        raise _malformed("one signer of version 1 is expected", field)
    if encapsulated["content_type"].native != "data" or _present(encapsulated["content"]):
        raise _malformed("it must be detached from its content", field)
    signer: cms.SignerInfo = signed["signer_infos"][0]
    if _present(signed["crls"]) or _present(signer["unsigned_attrs"]):
        raise RefusedError(
            "CMS_ATTRIBUTES",
            "no unsigned attributes, time stamps or revocation lists",
            field=field,
        )
    if signer["version"].native != "v1" or signer["sid"].name != "issuer_and_serial_number":
        raise _malformed("name the signer by issuer and serial number", field)
    return signer


def _attributes(signer: cms.SignerInfo, field: str) -> dict[str, object]:
    """Return the one value of each signed attribute, in DER order, by name."""
    attributes = list(signer["signed_attrs"])
    names = [attribute["type"].native for attribute in attributes]
    encoded = [attribute.dump() for attribute in attributes]
    single = all(len(attribute["values"]) == 1 for attribute in attributes)
    known = _REQUIRED <= set(names) <= _REQUIRED | _OPTIONAL
    if not known or not single or len(set(names)) != len(names) or encoded != sorted(encoded):
        raise RefusedError(
            "CMS_ATTRIBUTES",
            "sign content type, message digest, signing certificate (v2), once each, and no other attribute",
            field=field,
        )
    return {name: attribute["values"][0] for name, attribute in zip(names, attributes, strict=True)}


def _chain(
    signed: cms.SignedData, signer: cms.SignerInfo, attributes: dict[str, object], field: str
) -> tuple[bytes, ...]:
    choices = list(signed["certificates"])
    if not 1 <= len(choices) <= MAX_CHAIN or any(choice.name != "certificate" for choice in choices):
        raise RefusedError(
            "CHAIN_LENGTH", f"embed the leaf and its intermediates, 1 to {MAX_CHAIN} in all", field=field
        )
    unused = [choice.chosen.dump() for choice in choices]
    certificates = {der: read_certificate(der, field=field) for der in unused}
    leaf = _leaf(signer, attributes, unused, field)
    unused.remove(leaf)
    chain = [leaf]
    while unused:
        above = [der for der in unused if _issued(certificates[chain[-1]], certificates[der])]
        if len(above) != 1:
            raise RefusedError(
                "CHAIN_ORDER",
                "the embedded certificates are no single chain from the signer up; leave out all others",
                field=field,
            )
        chain += above
        unused.remove(above[0])
    if certificates[chain[-1]].subject == certificates[chain[-1]].issuer:
        raise RefusedError("CHAIN_ORDER", "leave the anchor out of the embedded certificates", field=field)
    return tuple(chain)


def _issued(subject: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        subject.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _leaf(
    signer: cms.SignerInfo, attributes: dict[str, object], certificates: list[bytes], field: str
) -> bytes:
    """Return the certificate that both the signer's name and the signed attribute (RFC 5035) lead to."""
    identifiers = attributes["signing_certificate_v2"]
    if not isinstance(identifiers, tsp.SigningCertificateV2) or len(identifiers["certs"]) != 1:
        raise RefusedError("CMS_ATTRIBUTES", "name one signing certificate", field=field)
    identifier = identifiers["certs"][0]
    if identifier["hash_algorithm"]["algorithm"].native not in _RSA_DIGESTS:
        raise RefusedError("ALGORITHM_REFUSED", "name the signing certificate by SHA-2", field=field)
    algorithm = identifier["hash_algorithm"]["algorithm"].native
    sid = signer["sid"].chosen
    for der in certificates:
        parsed = asn1_x509.Certificate.load(der)
        named = (
            sid["issuer"].dump() == parsed.issuer.dump()
            and sid["serial_number"].native == parsed.serial_number
        )
        if named and hashlib.new(algorithm, der).digest() == identifier["cert_hash"].native:
            return der
    raise RefusedError("CMS_ATTRIBUTES", "the signed attribute names another certificate", field=field)


def _check_algorithms(
    signed: cms.SignedData, signer: cms.SignerInfo, leaf: x509.Certificate, field: str
) -> str:
    """Return the digest's name after checking that key, digest and signature algorithm belong together."""
    digests = signed["digest_algorithms"]
    digest: str = signer["digest_algorithm"]["algorithm"].native
    if len(digests) != 1 or digests[0].dump() != signer["digest_algorithm"].dump():
        raise _malformed("one digest algorithm is expected", field)
    key = leaf.public_key()
    stated = signer["signature_algorithm"]["algorithm"].native
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        fits = (stated, digest) == ("sha256_ecdsa", "sha256")
    elif isinstance(key, ed25519.Ed25519PublicKey):
        fits = (stated, digest) == ("ed25519", "sha512")
    elif isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        fits = digest in _RSA_DIGESTS and _rsa_fits(signer, stated, digest)
    else:
        raise RefusedError(
            "KEY_ALGORITHM_MISMATCH", f"sign with P-256, Ed25519 or RSA from {MIN_RSA_BITS} bits", field=field
        )
    if not fits:
        raise RefusedError(
            "ALGORITHM_REFUSED", "sign with ECDSA, Ed25519, RSA or RSA-PSS over SHA-2", field=field
        )
    return digest


def _scheme(signer: cms.SignerInfo, leaf: x509.Certificate, digest: str) -> str:
    key = leaf.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return rsa_scheme(digest, pss=signer["signature_algorithm"]["algorithm"].native == "rsassa_pss")
    return ECDSA if isinstance(key, ec.EllipticCurvePublicKey) else ED25519


def _rsa_fits(signer: cms.SignerInfo, stated: str, digest: str) -> bool:
    if stated != "rsassa_pss":
        return stated in {"rsassa_pkcs1v15", f"{digest}_rsa"}
    parameters = signer["signature_algorithm"]["parameters"]
    mask = parameters["mask_gen_algorithm"]
    return bool(
        parameters["hash_algorithm"]["algorithm"].native == digest
        and mask["algorithm"].native == "mgf1"
        and mask["parameters"]["algorithm"].native == digest
        and parameters["salt_length"].native >= hashlib.new(digest).digest_size
    )
