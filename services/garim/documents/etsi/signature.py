"""The signature over a message: XMLDSig or XAdES, in the one shape that leaves no room (TS 103 120, 9.2.3).

`signxml` checks digests and the value; here it is settled before that what may be signed, where the signature
stands and with what. Only the bytes that come back from the check are ever read.
"""

from __future__ import annotations

import binascii
import dataclasses
import re
from base64 import b64decode

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier
from signxml.xades.xades import XAdESSignatureConfiguration, XAdESVerifier

from garim.documents.bare import ECDSA, BareSignature, der_of, rsa_scheme
from garim.documents.envelope import MAX_CHAIN
from garim.documents.etsi.names import CORE, DSIG, HI1, SIGNATURE, XADES
from garim.documents.etsi.parsing import elements_of, parse
from garim.documents.keys import MIN_RSA_BITS
from garim.documents.x509 import UNREADABLE, whole_signature
from garim.statements.refusal import RefusedError

ENVELOPED = f"{DSIG}enveloped-signature"
CANONICAL = frozenset(
    {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        "http://www.w3.org/2006/12/xml-c14n11",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    }
)
"""Canonical forms: each without comments, so that what is signed is what is read."""
SIGNED_PROPERTIES = "http://uri.etsi.org/01903#SignedProperties"

_METHODS = frozenset(
    {
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_METHOD_NAMES = frozenset(str(one.value) for one in _METHODS)
_DIGEST_NAMES = frozenset(str(one.value) for one in _DIGESTS)


@dataclasses.dataclass(frozen=True)
class Signed:
    """What one signature covers, found right; its signer is not yet trusted.

    Attributes:
        content: The exact bytes that were signed: the message in canonical form, without the signature.
        chain: The signer's certificates, DER, leaf first.
        bare: What the key signed: SignedInfo in its canonical form.
    """

    content: bytes
    chain: tuple[bytes, ...]
    bare: BareSignature


def is_signed(root: etree._Element) -> bool:
    """Tell whether a signature stands anywhere in a message."""
    return any(True for _ in root.iter(SIGNATURE, f"{{{CORE}}}Signature", f"{{{CORE}}}Signatures"))


def verify_signature(data: bytes, *, min_rsa_bits: int = MIN_RSA_BITS) -> Signed:
    """Verify a message's signature with the key of the certificate in it.

    Args:
        data: The message as received.
        min_rsa_bits: Shorter RSA keys are refused.

    Raises:
        RefusedError: Those of `parsing.parse`; `SIGNATURE_MISSING`, `SIGNATURE_LAYOUT`, `REFERENCE_REFUSED`,
            `TRANSFORM_REFUSED`, `ALGORITHM_REFUSED`, `KEY_INFO_REFUSED`, `CHAIN_LENGTH`,
            `CERTIFICATE_UNREADABLE`, `KEY_ALGORITHM_MISMATCH`, `SIGNATURE_WRONG`.
    """
    root = parse(data)
    signature = _only_signature(root)
    info, key_info, qualified = _parts(signature)
    _check_ids(root, signature)
    _check_algorithms(info)
    references = _check_references(info, signature, qualified=qualified)
    chain = _chain(key_info)
    content, bare = _verified(root, chain[0], references if qualified else 0)
    _check_key(chain[0], min_rsa_bits)
    return Signed(content, tuple(one.public_bytes(serialization.Encoding.DER) for one in chain), bare)


def _only_signature(root: etree._Element) -> etree._Element:
    if root.tag != HI1:
        raise RefusedError("HI1_UNKNOWN", "the root is not an HI1Message")
    if any(True for _ in root.iter(etree.Comment)):
        raise RefusedError("XML_FORBIDDEN", "a comment stands in a signed message; send none")
    children = list(elements_of(root))
    found = list(root.iter(SIGNATURE))
    if not is_signed(root):
        raise RefusedError("SIGNATURE_MISSING", "nobody has signed the message")
    if len(found) != 1 or children[-1] is not found[0] or [_name(one) for one in children[:-1]] != _FRAME:
        raise RefusedError(
            "SIGNATURE_LAYOUT", "exactly one ds:Signature must stand last in the message, and none elsewhere"
        )
    return found[0]


_FRAME = [f"{{{CORE}}}Header", f"{{{CORE}}}Payload"]


def _name(element: etree._Element) -> str:
    return str(element.tag)


def _parts(signature: etree._Element) -> tuple[etree._Element, etree._Element, bool]:
    parts = list(elements_of(signature))
    names = [etree.QName(one).localname for one in parts]
    same = all(etree.QName(one).namespace == DSIG for one in parts)
    if not same or names not in (
        ["SignedInfo", "SignatureValue", "KeyInfo"],
        ["SignedInfo", "SignatureValue", "KeyInfo", "Object"],
    ):
        raise RefusedError("SIGNATURE_LAYOUT", "a signature holds SignedInfo, SignatureValue and KeyInfo")
    qualified = len(parts) == 4
    if qualified:
        inside = [_name(one) for one in elements_of(parts[3])]
        if inside != [f"{{{XADES}}}QualifyingProperties"]:
            raise RefusedError("SIGNATURE_LAYOUT", "the signature's Object holds XAdES properties only")
    return parts[0], parts[2], qualified


def _check_ids(root: etree._Element, signature: etree._Element) -> None:
    """Refuse an identifier outside of the signature, and one that occurs twice."""
    inside = set(signature.iter())
    seen: set[str] = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            if etree.QName(str(name)).localname.lower() != "id":
                continue
            if element not in inside or str(value) in seen:
                raise RefusedError("SIGNATURE_LAYOUT", "an Id stands outside the signature, or twice")
            seen.add(str(value))


def _algorithm(element: etree._Element, allowed: frozenset[str], reason: str) -> None:
    if element.get("Algorithm") not in allowed or len(element) or set(element.attrib) != {"Algorithm"}:
        raise RefusedError(reason, "an algorithm or its parameters are refused; see the profile")


def _check_algorithms(info: etree._Element) -> None:
    parts = list(elements_of(info))
    names = [etree.QName(one).localname for one in parts]
    if names[:2] != ["CanonicalizationMethod", "SignatureMethod"] or set(names[2:]) != {"Reference"}:
        raise RefusedError("SIGNATURE_LAYOUT", "SignedInfo names two methods, then references")
    _algorithm(parts[0], CANONICAL, "TRANSFORM_REFUSED")
    _algorithm(parts[1], _METHOD_NAMES, "ALGORITHM_REFUSED")


def _check_references(info: etree._Element, signature: etree._Element, *, qualified: bool) -> int:
    """Check what is covered, and return how many references say so."""
    references = list(elements_of(info))[2:]
    message = references[0]
    if message.get("URI") != "" or "Type" in message.attrib:
        raise RefusedError("REFERENCE_REFUSED", 'the first reference is to the whole message: URI=""')
    _check_reference(message, [frozenset({ENVELOPED}), CANONICAL])
    beside = _beside(signature) if qualified else []
    found = [(one.get("URI"), one.get("Type")) for one in references[1:]]
    if found not in ([], beside[:1], beside) or qualified is not bool(found):
        raise RefusedError(
            "REFERENCE_REFUSED",
            "beside the message a signature covers its XAdES properties and its KeyInfo, and nothing else",
        )
    for one in references[1:]:
        _check_reference(one, [CANONICAL] if len(list(elements_of(one))) == 3 else [])
    return len(references)


def _beside(signature: etree._Element) -> list[tuple[str | None, str | None]]:
    """Return what a XAdES signature may cover beside the message: its properties, then its key."""
    properties = list(signature.iter(f"{{{XADES}}}SignedProperties"))
    if len(properties) != 1:
        raise RefusedError("SIGNATURE_LAYOUT", "a XAdES signature has one set of signed properties")
    key_info = list(elements_of(signature))[2]
    return [(f"#{properties[0].get('Id')}", SIGNED_PROPERTIES), (f"#{key_info.get('Id')}", None)]


def _check_reference(reference: etree._Element, transforms: list[frozenset[str]]) -> None:
    parts = list(elements_of(reference))
    wanted = [*(["Transforms"] if transforms else []), "DigestMethod", "DigestValue"]
    if [_name(one) for one in parts] != [f"{{{DSIG}}}{name}" for name in wanted]:
        raise RefusedError("REFERENCE_REFUSED", "a reference holds Transforms, DigestMethod and DigestValue")
    named = list(elements_of(parts[0])) if transforms else []
    if len(named) != len(transforms):
        raise RefusedError(
            "TRANSFORM_REFUSED", "only enveloped-signature and a canonical form may stand here"
        )
    for one, allowed in zip(named, transforms, strict=True):
        _algorithm(one, allowed, "TRANSFORM_REFUSED")
    _algorithm(parts[-2], _DIGEST_NAMES, "ALGORITHM_REFUSED")


def _chain(key_info: etree._Element) -> tuple[x509.Certificate, ...]:
    parts = list(elements_of(key_info))
    if [_name(one) for one in parts] != [f"{{{DSIG}}}X509Data"]:
        raise RefusedError("KEY_INFO_REFUSED", "KeyInfo holds one X509Data and nothing else")
    certificates = list(elements_of(parts[0]))
    if any(_name(one) != f"{{{DSIG}}}X509Certificate" for one in certificates):
        raise RefusedError("KEY_INFO_REFUSED", "X509Data holds certificates only")
    if not 1 <= len(certificates) <= MAX_CHAIN:
        raise RefusedError("CHAIN_LENGTH", f"send the leaf and its intermediates, 1 to {MAX_CHAIN} in all")
    return tuple(_certificate(one.text or "") for one in certificates)


def _certificate(text: str) -> x509.Certificate:
    try:
        der = b64decode("".join(text.split()), validate=True)
        certificate = x509.load_der_x509_certificate(der)
        readable = whole_signature(der, certificate.signature)
    except (*UNREADABLE, binascii.Error):
        readable = False
    if not readable:
        raise RefusedError("CERTIFICATE_UNREADABLE", "a certificate in KeyInfo is not DER in base64")
    return certificate


def _check_key(leaf: x509.Certificate, min_rsa_bits: int) -> None:
    try:
        key = leaf.public_key()
    except UNREADABLE:
        raise RefusedError("CERTIFICATE_UNREADABLE", "the signer's key is not readable") from None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= min_rsa_bits:
        return
    raise RefusedError(
        "KEY_ALGORITHM_MISMATCH", f"sign with a P-256 key, or RSA of {min_rsa_bits} bits or more"
    )


def _verified(root: etree._Element, leaf: x509.Certificate, qualified: int) -> tuple[bytes, BareSignature]:
    """Return what the signature covers, and itself; `qualified` counts a XAdES signature's references."""
    data = etree.tostring(root)
    # When the certificate is valid is for those who judge trust.
    within = leaf.not_valid_before_utc
    results: list[VerifyResult] = []
    try:
        if qualified:
            xades = XAdESSignatureConfiguration(
                location="./",
                expect_references=qualified,
                signature_methods=_METHODS,
                digest_algorithms=_DIGESTS,
                verification_time=within,
            )
            results += XAdESVerifier().verify(
                data, x509_cert=leaf, validate_schema=False, expect_config=xades
            )
        else:
            plain = SignatureConfiguration(
                location="./",
                expect_references=1,
                signature_methods=_METHODS,
                digest_algorithms=_DIGESTS,
                verification_time=within,
            )
            one = XMLVerifier().verify(data, x509_cert=leaf, validate_schema=False, expect_config=plain)
            results += one if isinstance(one, list) else [one]
    except (SignXMLException, *UNREADABLE, etree.LxmlError, KeyError, AttributeError):
        raise RefusedError("SIGNATURE_WRONG", "the signature does not fit message and certificate") from None
    covered = [one.signed_data for one in results if one.signed_xml is not None and one.signed_xml.tag == HI1]
    if len(covered) != 1:
        raise RefusedError("SIGNATURE_WRONG", "the signature does not cover the message")
    return covered[0], _bare(results[0].signature_xml)


_SHA = re.compile("sha(?:256|384|512)")


def _bare(signature: etree._Element) -> BareSignature:
    """Return what was signed as the check had it; both it and SignedInfo's canonical form stand alone."""
    info, stated = list(elements_of(signature))[:2]
    canonical, method = (str(one.get("Algorithm")) for one in list(elements_of(info))[:2])
    signed = etree.tostring(info, method="c14n", exclusive="exc-c14n" in canonical, with_comments=False)
    value = b64decode("".join((stated.text or "").split()))
    if "ecdsa" in method:
        return BareSignature(ECDSA, signed, der_of(value))
    digest = _SHA.findall(method)
    return BareSignature(rsa_scheme(digest[0] if digest else "", pss="MGF1" in method), signed, value)
