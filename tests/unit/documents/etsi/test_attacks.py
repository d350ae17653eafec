"""Attacks on signed messages: wrapping, references, keys, algorithms, entities. None is accepted."""

from __future__ import annotations

import base64
import copy
import hmac
import re
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.xades.xades import XAdESSigner

import etsi_support as etsi
from garim.documents.etsi import names, parsing, sign, signature, trees, write
from garim.documents.etsi.parsing import read_message
from garim.testing import documents
from garim.testing.pki import AUTHORITY, DocumentPki, Identity, issue_person

Reasons = Callable[..., list[str]]
Bend = Callable[[etree._Element], None]
DS = {"ds": names.DSIG}


@pytest.fixture(scope="module")
def agency(pki: DocumentPki) -> Identity:
    return etsi.agency(pki)


@pytest.fixture(scope="module")
def valid(pki: DocumentPki, agency: Identity) -> bytes:
    return etsi.signed(agency, etsi.asked(pki, documents.disclosure(pki)))


def bent(data: bytes, bend: Bend) -> bytes:
    root = etree.fromstring(data)
    bend(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def part(root: etree._Element, path: str) -> etree._Element:
    found = root.find(f".//{path}", namespaces=DS)
    assert found is not None, path
    return found


def move_original_into(root: etree._Element, holder: str, identifier: str = "") -> None:
    """The classic: the signed message is moved aside, another one takes its place."""
    original = copy.deepcopy(root)
    signed = part(original, "ds:Signature")
    original.remove(signed)
    value = root.find(".//{*}Value")
    assert value is not None
    for element in root.iter("{*}RequestValue"):
        part_value = element.find("{*}Value")
        assert part_value is not None
        part_value.text = "somebody-else"
    if identifier:
        original.set("Id", identifier)
        part(root, "ds:Reference").set("URI", f"#{identifier}")
    if holder == "object":
        etree.SubElement(part(root, "ds:Signature"), f"{{{names.DSIG}}}Object").append(original)
    elif holder == "header":
        part(root, f"{{{names.CORE}}}Header").append(original)
    else:
        root.insert(0, original)


def two_signatures(root: etree._Element) -> None:
    root.append(copy.deepcopy(part(root, "ds:Signature")))


def nested_signature(root: etree._Element) -> None:
    part(root, f"{{{names.CORE}}}Payload").append(part(root, "ds:Signature"))


def swapped_header(root: etree._Element) -> None:
    root.append(copy.deepcopy(part(root, f"{{{names.CORE}}}Header")))


def signature_first(root: etree._Element) -> None:
    root.insert(0, part(root, "ds:Signature"))


def untyped_signature(root: etree._Element) -> None:
    found = part(root, "ds:Signature")
    found.tag = names.core("Signature")


def extra_reference(root: etree._Element) -> None:
    reference = part(root, "ds:Reference")
    reference.addnext(copy.deepcopy(reference))


def reference_to(uri: str) -> Bend:
    return lambda root: part(root, "ds:Reference").set("URI", uri)


def reference_without_uri(root: etree._Element) -> None:
    del part(root, "ds:Reference").attrib["URI"]


def transform(algorithm: str) -> Bend:
    def bend(root: etree._Element) -> None:
        transforms = part(root, "ds:Transforms")
        etree.SubElement(transforms, f"{{{names.DSIG}}}Transform", Algorithm=algorithm)

    return bend


def xpath_transform(root: etree._Element) -> None:
    first = part(root, "ds:Transform")
    first.set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    etree.SubElement(first, f"{{{names.DSIG}}}XPath").text = "not(ancestor-or-self::*[local-name()='Value'])"


def other_canonical(path: str, algorithm: str) -> Bend:
    return lambda root: part(root, path).set("Algorithm", algorithm)


def inclusive_prefixes(root: etree._Element) -> None:
    last = root.findall(".//ds:Transform", namespaces=DS)[-1]
    last.set("Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")
    space = "http://www.w3.org/2001/10/xml-exc-c14n#"
    etree.SubElement(last, f"{{{space}}}InclusiveNamespaces", PrefixList="auth")


def method(algorithm: str) -> Bend:
    return lambda root: part(root, "ds:SignatureMethod").set("Algorithm", algorithm)


def digest(algorithm: str) -> Bend:
    return lambda root: part(root, "ds:DigestMethod").set("Algorithm", algorithm)


def truncated(root: etree._Element) -> None:
    etree.SubElement(part(root, "ds:SignatureMethod"), f"{{{names.DSIG}}}HMACOutputLength").text = "0"


def key_value(root: etree._Element) -> None:
    etree.SubElement(part(root, "ds:KeyInfo"), f"{{{names.DSIG}}}KeyName").text = "chief"


def key_value_only(root: etree._Element) -> None:
    info = part(root, "ds:KeyInfo")
    for one in list(info):
        info.remove(one)
    etree.SubElement(info, f"{{{names.DSIG}}}KeyValue")


def retrieval(root: etree._Element) -> None:
    info = part(root, "ds:KeyInfo")
    etree.SubElement(info, f"{{{names.DSIG}}}RetrievalMethod", URI="http://localhost:1/key")


def no_key(root: etree._Element) -> None:
    part(root, "ds:Signature").remove(part(root, "ds:KeyInfo"))


def long_chain(root: etree._Element) -> None:
    data = part(root, "ds:X509Data")
    for _ in range(4):
        data.append(copy.deepcopy(data[0]))


def duplicate_id(root: etree._Element) -> None:
    part(root, f"{{{names.CORE}}}Header").set("Id", "x")


def xml_id(root: etree._Element) -> None:
    root.set("{http://www.w3.org/XML/1998/namespace}id", "x")


def comment_in_text(root: etree._Element) -> None:
    value = next(one for one in root.iter("{*}Value") if one.text == "subject-1")
    value.text = "subject-"
    comment = etree.Comment("x")
    comment.tail = "1"
    value.append(comment)


def another_subject(root: etree._Element) -> None:
    value = next(one for one in root.iter("{*}Value") if one.text == "subject-1")
    value.text = "subject-2"


def another_type(root: etree._Element) -> None:
    found = next(root.iter(names.core("HI1Object")))
    found.set(f"{{{names.XSI}}}type", "doc:AuthorisationObject")


def object_in_signature(root: etree._Element) -> None:
    holder = etree.SubElement(part(root, "ds:Signature"), f"{{{names.DSIG}}}Object")
    etree.SubElement(holder, f"{{{names.DSIG}}}Manifest")


SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
ATTACKS: dict[str, tuple[Bend, str]] = {
    "wrapped in the header": (lambda root: move_original_into(root, "header"), "SIGNATURE_WRONG"),
    "wrapped in the header, by id": (
        lambda root: move_original_into(root, "header", "original"),
        "SIGNATURE_LAYOUT",
    ),
    "wrapped in an object": (lambda root: move_original_into(root, "object", "original"), "SIGNATURE_LAYOUT"),
    "wrapped beside": (lambda root: move_original_into(root, "root"), "SIGNATURE_LAYOUT"),
    "two signatures": (two_signatures, "SIGNATURE_LAYOUT"),
    "signature elsewhere": (nested_signature, "SIGNATURE_LAYOUT"),
    "signature first": (signature_first, "SIGNATURE_LAYOUT"),
    "untyped signature": (untyped_signature, "SIGNATURE_LAYOUT"),
    "header twice": (swapped_header, "SIGNATURE_LAYOUT"),
    "reference twice": (extra_reference, "REFERENCE_REFUSED"),
    "reference to a file": (reference_to("file:///etc/hostname"), "REFERENCE_REFUSED"),
    "reference to a part": (reference_to("#x"), "REFERENCE_REFUSED"),
    "reference by xpointer": (reference_to("#xpointer(/)"), "REFERENCE_REFUSED"),
    "reference to nothing": (reference_without_uri, "REFERENCE_REFUSED"),
    "XSLT": (transform("http://www.w3.org/TR/1999/REC-xslt-19991116"), "TRANSFORM_REFUSED"),
    "base64": (transform("http://www.w3.org/2000/09/xmldsig#base64"), "TRANSFORM_REFUSED"),
    "enveloped twice": (transform(signature.ENVELOPED), "TRANSFORM_REFUSED"),
    "XPath": (xpath_transform, "TRANSFORM_REFUSED"),
    "comments are signed": (
        other_canonical("ds:CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11#WithComments"),
        "TRANSFORM_REFUSED",
    ),
    "another canonical form": (
        other_canonical("ds:CanonicalizationMethod", "http://www.w3.org/2001/10/xml-exc-c14n#"),
        "SIGNATURE_WRONG",
    ),
    "inclusive prefixes": (inclusive_prefixes, "TRANSFORM_REFUSED"),
    "HMAC": (method("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), "ALGORITHM_REFUSED"),
    "no method": (method("none"), "ALGORITHM_REFUSED"),
    "RSA with SHA-1": (method("http://www.w3.org/2000/09/xmldsig#rsa-sha1"), "ALGORITHM_REFUSED"),
    "ECDSA with SHA-1": (
        method("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"),
        "ALGORITHM_REFUSED",
    ),
    "DSA": (method("http://www.w3.org/2009/xmldsig11#dsa-sha256"), "ALGORITHM_REFUSED"),
    "digest of SHA-1": (digest(SHA1), "ALGORITHM_REFUSED"),
    "digest of MD5": (digest("http://www.w3.org/2001/04/xmldsig-more#md5"), "ALGORITHM_REFUSED"),
    "another method": (method("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), "SIGNATURE_WRONG"),
    "truncated": (truncated, "ALGORITHM_REFUSED"),
    "another key beside": (key_value, "KEY_INFO_REFUSED"),
    "key without certificate": (key_value_only, "KEY_INFO_REFUSED"),
    "key elsewhere": (retrieval, "KEY_INFO_REFUSED"),
    "no key": (no_key, "SIGNATURE_LAYOUT"),
    "long chain": (long_chain, "CHAIN_LENGTH"),
    "an id outside": (duplicate_id, "SIGNATURE_LAYOUT"),
    "xml:id": (xml_id, "SIGNATURE_LAYOUT"),
    "comment in a value": (comment_in_text, "XML_FORBIDDEN"),
    "another subject": (another_subject, "SIGNATURE_WRONG"),
    "another type": (another_type, "SIGNATURE_WRONG"),
    "something in the signature": (object_in_signature, "SIGNATURE_LAYOUT"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_tree_is_refused(
    pki: DocumentPki, valid: bytes, reasons: Reasons, name: str
) -> None:
    bend, reason = ATTACKS[name]
    assert etsi.opened(pki, bent(valid, lambda _root: None)).payload
    assert reasons(etsi.opened, pki, bent(valid, bend)) == [reason]


DOCTYPE = b"<!DOCTYPE HI1Message [<!ENTITY x 'y'>]>"
BYTES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "document type": (lambda data: data.replace(b"?>\n", b"?>\n" + DOCTYPE, 1), "XML_FORBIDDEN"),
    "external entity": (
        lambda data: data.replace(
            b"?>\n", b"?>\n<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>", 1
        ).replace(b"subject-1", b"&x;"),
        "XML_FORBIDDEN",
    ),
    "processing instruction": (
        lambda data: data.replace(b"?>\n", b"?>\n<?xml-stylesheet x?>", 1),
        "XML_FORBIDDEN",
    ),
    "another encoding": (lambda data: data.decode().encode("utf-16"), "XML_SYNTAX"),
    "another encoding named": (
        lambda data: re.sub(b'encoding="UTF-8"', b'encoding="UTF-7"', data),
        "XML_SYNTAX",
    ),
    "XML 1.1": (lambda data: data.replace(b'version="1.0"', b'version="1.1"', 1), "XML_SYNTAX"),
    "undeclared entity": (lambda data: data.replace(b"subject-1", b"&x;"), "XML_SYNTAX"),
    "two roots": (lambda data: data + data.partition(b"?>")[2], "XML_SYNTAX"),
    "deep": (lambda data: data.replace(b"subject-1", b"<a>" * 40 + b"</a>" * 40), "XML_LIMIT"),
    "very deep": (lambda data: data.replace(b"subject-1", b"<a>" * 9999 + b"</a>" * 9999), "XML_SYNTAX"),
    "many elements": (lambda data: data.replace(b"subject-1", b"<a/>" * 50_000), "XML_LIMIT"),
    "many attributes": (
        lambda data: data.replace(b"<Header>", b'<Header a="1" a="2">'),
        "XML_SYNTAX",
    ),
    "large": (lambda data: data + b" " * trees.MAX_BYTES, "XML_LIMIT"),
    "namespace moved": (
        lambda data: data.replace(names.AUTHORISATION.encode(), names.DOCUMENT.encode()),
        "SIGNATURE_WRONG",
    ),
    "a space in a value": (lambda data: data.replace(b"subject-1", b"subject-1 "), "SIGNATURE_WRONG"),
    "no signature": (
        lambda data: re.sub(b"<ds:Signature .*</ds:Signature>", b"", data, flags=re.DOTALL),
        "SIGNATURE_MISSING",
    ),
}


@pytest.mark.parametrize("name", BYTES)
def test_an_attack_on_the_bytes_is_refused(
    pki: DocumentPki, valid: bytes, reasons: Reasons, name: str
) -> None:
    bend, reason = BYTES[name]
    assert bend(valid) != valid
    assert reasons(etsi.opened, pki, bend(valid)) == [reason]


def test_a_keyed_signature_with_the_public_key_is_refused(
    pki: DocumentPki, agency: Identity, valid: bytes, reasons: Reasons
) -> None:
    """HMAC keyed with what everybody knows: the certificate's key."""
    public = agency.certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def bend(root: etree._Element) -> None:
        another_subject(root)
        method("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")(root)
        info = etree.tostring(part(root, "ds:SignedInfo"), method="c14n")
        value = hmac.new(public, info, "sha256").digest()
        part(root, "ds:SignatureValue").text = base64.b64encode(value).decode()

    assert reasons(etsi.opened, pki, bent(valid, bend)) == ["ALGORITHM_REFUSED"]


def test_a_certificate_put_in_place_of_the_signers_is_refused(
    pki: DocumentPki, valid: bytes, reasons: Reasons
) -> None:
    other = pki.judge.certificate.public_bytes(serialization.Encoding.DER)

    def bend(root: etree._Element) -> None:
        part(root, "ds:X509Certificate").text = base64.b64encode(other).decode()

    assert reasons(etsi.opened, pki, bent(valid, bend)) == ["SIGNATURE_WRONG"]


@pytest.mark.parametrize("which", ["P-384", "RSA 2048"])
def test_a_key_of_another_strength_is_refused(pki: DocumentPki, reasons: Reasons, which: str) -> None:
    key = (
        ec.generate_private_key(ec.SECP384R1())
        if which == "P-384"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    weak = issue_person(
        pki.agency_ca,
        "TEST 무른돌",
        "TEST-0009",
        AUTHORITY,
        pki.now,
        policies=[],
        key=key,  # type: ignore[arg-type]
    )
    data = etsi.asked(pki, documents.disclosure(pki))
    if which == "P-384":
        signer = sign.XMLSigner(signature_algorithm=sign.SignatureMethod.ECDSA_SHA256)
        root = signer.sign(parsing.parse(data), key=key, cert=list(weak.chain))  # type: ignore[arg-type]
        signed = etree.tostring(root, encoding="utf-8")
    else:
        signed = etsi.signed(weak, data)
    assert reasons(signature.verify_signature, signed) == ["KEY_ALGORITHM_MISMATCH"]


def test_a_type_whose_prefix_is_not_signed_is_refused(
    pki: DocumentPki, agency: Identity, reasons: Reasons
) -> None:
    """Exclusive canonical form leaves out a prefix that only a value uses: what it means is not signed."""
    data = write.query(etsi.writing(pki), [etsi.new_uuids()()])
    typed = data.replace(
        b"<GET><Identifier>00000000-0000-0000-0000-000000000001</Identifier></GET>",
        b'<CREATE><HI1Object xsi:type="auth:AuthorisationObject">'
        b"<ObjectIdentifier>00000000-0000-0000-0000-000000000001</ObjectIdentifier></HI1Object></CREATE>",
    )
    assert typed != data
    signer = sign.XMLSigner(
        signature_algorithm=sign.SignatureMethod.ECDSA_SHA256,
        c14n_algorithm=sign.CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    root = signer.sign(parsing.parse(typed), key=agency.key, cert=list(agency.chain))  # type: ignore[arg-type]
    content = signature.verify_signature(etree.tostring(root, encoding="utf-8")).content
    assert reasons(read_message, content) == ["XML_CONTENT"]


def test_a_qualified_signature_is_accepted_and_covers_the_message(
    pki: DocumentPki, agency: Identity, reasons: Reasons
) -> None:
    """XAdES: its second reference leads to the properties beside it, and nowhere else."""
    data = etsi.asked(pki, documents.disclosure(pki))
    signer = XAdESSigner(
        signature_algorithm=sign.SignatureMethod.ECDSA_SHA256,
        c14n_algorithm=sign.CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    root = signer.sign(
        parsing.parse(data),
        key=agency.key,
        cert=list(agency.chain),
        always_add_key_value=False,  # type: ignore[arg-type]
    )
    signed = etree.tostring(root, encoding="utf-8")
    plain = etsi.opened(pki, etsi.signed(agency, data))
    assert etsi.opened(pki, signed) == plain

    def elsewhere(changed: etree._Element) -> None:
        changed.findall(".//ds:Reference", namespaces=DS)[1].set("URI", "#other")

    def altered(changed: etree._Element) -> None:
        time = changed.find(".//{*}SigningTime")
        assert time is not None
        time.text = "2020-01-01T00:00:00Z"

    assert reasons(etsi.opened, pki, bent(signed, elsewhere)) == ["REFERENCE_REFUSED"]
    assert reasons(etsi.opened, pki, bent(signed, altered)) == ["SIGNATURE_WRONG"]
    assert reasons(etsi.opened, pki, bent(signed, another_subject)) == ["SIGNATURE_WRONG"]


@pytest.mark.shared
@pytest.mark.skipif(not etsi.SHARED.is_dir(), reason="the outside test data is absent")
def test_no_file_of_wrapped_and_malformed_signatures_is_accepted(pki: DocumentPki, reasons: Reasons) -> None:
    files = sorted((etsi.SHARED / "xml-wrapping").glob("*.base64"))
    assert len(files) > 30
    for path in files:
        text = path.read_bytes()
        data = text if text.lstrip().startswith(b"<") else base64.b64decode(text)
        assert len(reasons(etsi.opened, pki, data)) == 1, path.name
        root = re.sub(rb"^\s*<\?xml[^>]*>", b"", data)
        inside = (
            b'<HI1Message xmlns="' + names.CORE.encode() + b'"><Header/><Payload/>' + root + b"</HI1Message>"
        )
        assert len(reasons(etsi.opened, pki, inside)) == 1, path.name
