"""Attacks on the signature itself: what it covers, how it is written, whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization
from pyhanko.sign.fields import SigSeedSubFilter

from garim.documents.pdf import open_pdf
from garim.documents.pdf.der import element_length
from garim.documents.x509 import ROLE_POLICIES, Role
from garim.testing.pki import COURT, DocumentPki, Identity, issue_person
from pdf_support import Reasons, Signing, Stages, bodies, build, p384_key, rsa_key, sign

Bend = Callable[[cms.ContentInfo], cms.ContentInfo | bytes]


def _judge(pki: DocumentPki, **changes: object) -> Identity:
    arguments = {"policies": [ROLE_POLICIES[Role.COURT]]} | changes
    return issue_person(pki.court_ca, "TEST 판사", "TEST-0009", COURT, pki.now, **arguments)


def _reloaded(content: cms.ContentInfo) -> cms.ContentInfo:
    return cms.ContentInfo.load(content.dump())


def _signer(content: cms.ContentInfo) -> cms.SignerInfo:
    return content["content"]["signer_infos"][0]


def _unsigned_attribute(content: cms.ContentInfo) -> cms.ContentInfo:
    attribute = cms.CMSAttribute({"type": "content_type", "values": ["data"]})
    _signer(content)["unsigned_attrs"] = cms.CMSAttributes([attribute])
    return content


def _indefinite(content: cms.ContentInfo) -> bytes:
    der = content.dump()
    return b"\x30\x80" + der[4:] + b"\0\0"


def _longer_length(content: cms.ContentInfo) -> bytes:
    der = content.dump()
    return b"\x30\x83\x00" + der[2:]


def _followed(content: cms.ContentInfo) -> bytes:
    return content.dump() + b"\x01"


def _with_content(content: cms.ContentInfo) -> cms.ContentInfo:
    content["content"]["encap_content_info"]["content"] = core.OctetString(b"{}")
    return content


def _two_signers(content: cms.ContentInfo) -> cms.ContentInfo:
    one = _signer(content)
    content["content"]["signer_infos"] = cms.SignerInfos([one, one.copy()])
    return content


def _another_digest(content: cms.ContentInfo) -> cms.ContentInfo:
    _signer(content)["digest_algorithm"] = {"algorithm": "sha256"}
    return content


def _flipped(content: cms.ContentInfo) -> cms.ContentInfo:
    value = bytearray(_signer(content)["signature"].native)
    value[-1] ^= 1
    _signer(content)["signature"] = bytes(value)
    return content


def _another_version(content: cms.ContentInfo) -> cms.ContentInfo:
    content["content"]["version"] = "v3"
    return content


def _key_identifier(content: cms.ContentInfo) -> cms.ContentInfo:
    _signer(content)["sid"] = cms.SignerIdentifier({"subject_key_identifier": b"\x01" * 20})
    return content


BENT: dict[str, tuple[Bend, str]] = {
    "unsigned attribute": (_unsigned_attribute, "CMS_ATTRIBUTES"),
    "indefinite length": (_indefinite, "CMS_MALFORMED"),
    "length written longer": (_longer_length, "CMS_MALFORMED"),
    "followed by a byte": (_followed, "PDF_COVERAGE"),
    "with its content": (_with_content, "CMS_MALFORMED"),
    "two signers": (_two_signers, "CMS_MALFORMED"),
    "another digest": (_another_digest, "CMS_MALFORMED"),
    "another signature": (_flipped, "SIGNATURE_WRONG"),
    "another version": (_another_version, "CMS_MALFORMED"),
    "signer by key identifier": (_key_identifier, "CMS_MALFORMED"),
}


@pytest.mark.parametrize("name", BENT)
def test_a_bent_structure_is_refused(name: str, stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    bend, expected = BENT[name]
    data = sign(stages.half, pki.chief, how=Signing(bend=lambda content: bend(_reloaded(content))))
    assert reasons(open_pdf, data) == [expected]


def _certificates(content: cms.ContentInfo, *identities: Identity) -> cms.ContentInfo:
    ders = [one.public_bytes(serialization.Encoding.DER) for identity in identities for one in identity.chain]
    choices = [cms.CertificateChoices("certificate", asn1_x509.Certificate.load(der)) for der in ders]
    content["content"]["certificates"] = cms.CertificateSet(choices)
    return content


def test_the_embedded_certificates_are_the_signers_chain(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    def opened(*identities: Identity) -> list[str]:
        how = Signing(bend=lambda content: _certificates(_reloaded(content), *identities))
        return reasons(open_pdf, sign(stages.half, pki.chief, how=how))

    anchor = Identity(pki.agency_ca.key, (pki.agency_ca.certificate,))
    assert opened(pki.chief, pki.clerk) == ["CHAIN_ORDER"]
    assert opened(pki.chief, anchor) == ["CHAIN_ORDER"]
    assert opened(pki.clerk) == ["CMS_ATTRIBUTES"]
    assert opened() == ["CHAIN_LENGTH"]
    assert opened(pki.chief, pki.clerk, pki.judge, pki.expired, pki.revoked) == ["CHAIN_LENGTH"]


def test_another_certificate_of_the_same_key_is_refused(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    """The signed attribute names the certificate: one of the other role over the same key does not count."""
    twin = issue_person(pki.agency_ca, "TEST", "TEST-0010", COURT, pki.now, policies=[], key=pki.chief.key)
    how = Signing(bend=lambda content: _certificates(_reloaded(content), twin))
    assert reasons(open_pdf, sign(stages.half, pki.chief, how=how)) == ["CMS_ATTRIBUTES"]


def test_a_signature_names_its_certificate_and_states_no_time(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    data = sign(stages.half, pki.chief, how=Signing(signing_time=True))
    assert reasons(open_pdf, data) == ["CMS_ATTRIBUTES"]


@pytest.mark.parametrize("subfilter", [SigSeedSubFilter.ADOBE_PKCS7_DETACHED, SigSeedSubFilter.ETSI_RFC3161])
def test_only_pades_counts(
    stages: Stages, pki: DocumentPki, reasons: Reasons, subfilter: SigSeedSubFilter
) -> None:
    data = sign(stages.half, pki.chief, how=Signing(subfilter=subfilter))
    assert reasons(open_pdf, data) == ["PDF_SIGNATURE"]


def test_weak_and_unusual_keys_are_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    for key in (rsa_key(2048), p384_key()):
        data = sign(stages.draft, _judge(pki, key=key))
        assert reasons(open_pdf, data, signers=1) == ["KEY_ALGORITHM_MISMATCH"]


@pytest.mark.parametrize("digest", ["sha1", "sha384"])
def test_weak_and_unusual_digests_are_refused(
    stages: Stages, pki: DocumentPki, reasons: Reasons, digest: str
) -> None:
    data = sign(stages.draft, pki.judge, how=Signing(digest=digest))
    assert reasons(open_pdf, data, signers=1) == ["ALGORITHM_REFUSED"]
    data = sign(stages.draft, _judge(pki, key=rsa_key(3072)), how=Signing(digest=digest))
    if digest == "sha1":
        assert reasons(open_pdf, data, signers=1) == ["ALGORITHM_REFUSED"]
    else:
        assert open_pdf(data, signers=1).payload == stages.payload


def _range(data: bytes) -> list[int]:
    return [int(one) for one in re.findall(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]", data)[-1]]


def _with_range(data: bytes, text: bytes) -> bytes:
    start = data.rindex(b"/ByteRange [")
    end = data.index(b"\n", start)
    return data[:start] + (b"/ByteRange " + text).ljust(end - start) + data[end:]


RANGES: dict[str, Callable[[int, int, int], str]] = {
    "gap longer at the front": lambda a, b, c: f"[0 {a - 1} {b} {c}]",
    "gap longer at the end": lambda a, b, c: f"[0 {a} {b + 1} {c - 1}]",
    "gap shorter": lambda a, b, c: f"[0 {a + 1} {b} {c}]",
    "start elsewhere": lambda a, b, c: f"[1 {a} {b} {c}]",
    "start uncovered": lambda a, b, c: f"[1 {a - 1} {b} {c}]",
    "end uncovered": lambda a, b, c: f"[0 {a} {b} {c - 1}]",
    "end behind the file": lambda a, b, c: f"[0 {a} {b} {c + 1}]",
    "one range": lambda a, b, c: f"[0 {b + c}]",
    "three ranges": lambda a, b, c: f"[0 {a} {b} {c - 9} {b + c - 9} 9]",
    "backwards": lambda a, b, c: f"[0 {b} {a} {c}]",
    "negative": lambda a, b, c: f"[0 {a} {b} -{c}]",
    "not whole": lambda a, b, c: f"[0 {a}.0 {b} {c}]",
    "no array": lambda a, b, c: f"({a} {b} {c})",
}


@pytest.mark.parametrize("name", RANGES)
def test_a_signature_covers_all_but_its_own_value(
    name: str, stages: Stages, reasons: Reasons, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, a, b, c = _range(stages.full)
    data = _with_range(stages.full, RANGES[name](a, b, c).encode())
    assert len(data) == len(stages.full)
    assert reasons(open_pdf, data)[0] in {"PDF_COVERAGE", "PDF_UNREADABLE"}
    monkeypatch.setattr("garim.documents.pdf.second_opinion.check", lambda *_: None)
    assert reasons(open_pdf, data) == ["PDF_COVERAGE"]


def _gap(data: bytes) -> tuple[int, int]:
    _, a, b, _ = _range(data)
    return a, b


@pytest.mark.parametrize("filler", [b"1", b"f", b" ", b"\n", b"z", b">"])
@pytest.mark.parametrize("back", [2, 3, 200])
def test_only_zeros_fill_the_gap(stages: Stages, reasons: Reasons, filler: bytes, back: int) -> None:
    _, end = _gap(stages.full)
    data = bytearray(stages.full)
    data[end - back : end - back + 1] = filler
    assert reasons(open_pdf, bytes(data))[0] in {"PDF_COVERAGE", "PDF_STRUCTURE", "PDF_UNREADABLE"}


def test_the_value_is_written_in_one_case(stages: Stages, reasons: Reasons) -> None:
    start, end = _gap(stages.full)
    gap = stages.full[start:end]
    other = gap.upper() if gap.islower() else gap.lower()
    assert open_pdf(stages.full[:start] + other + stages.full[end:]).payload == stages.payload
    half = len(gap) // 8
    mixed = stages.full[:start] + other[:half] + gap[half:] + stages.full[end:]
    assert reasons(open_pdf, mixed) == ["PDF_COVERAGE"]


def test_swapped_values_are_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    """Each signature's value in the other's place."""
    data = sign(sign(stages.draft, pki.judge), pki.chief)
    (a, b), (c, d) = (match.span(1) for match in re.finditer(rb"/Contents (<[0-9a-fA-F]+>)", data))
    assert b - a == d - c
    swapped = data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]
    assert reasons(open_pdf, swapped)[0] in {"SIGNATURE_WRONG", "CMS_MALFORMED"}


def test_both_signatures_by_one_hand_are_told_by_their_chains(stages: Stages, pki: DocumentPki) -> None:
    data = sign(sign(stages.draft, pki.judge), pki.judge)
    chains = open_pdf(data).chains
    assert chains[0] == chains[1], "verify_document refuses it: SAME_CERTIFICATE"


STRUCTURES: dict[str, Callable[[bytes], bytes]] = {
    "bytes before the header": lambda data: b"x" + data,
    "no header": lambda data: data[9:],
    "another version": lambda data: data.replace(b"%PDF-1.7", b"%PDF-9.7"),
    "bytes between objects": lambda data: data.replace(b"endobj\n2 0 obj", b"endobj\n% hidden\n2 0 obj"),
    "cut short": lambda data: data[:-3],
    "no end marker": lambda data: data.replace(b"%%EOF", b"%%EOX"),
    "table elsewhere": lambda data: re.sub(rb"startxref\n\d+", b"startxref\n99", data),
    "generation": lambda data: data.replace(b" 00000 n", b" 00001 n", 1),
    "listed twice": lambda data: data.replace(b"2 1\n", b"1 1\n", 1),
    "encrypted": lambda data: data.replace(b"/Root", b"/Encrypt 1 0 R /Root"),
    "empty": lambda data: b"",
    "text": lambda data: b"%PDF-1.7\n" + b"x" * 100,
}


def test_a_deleted_object_is_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    data = build(bodies(stages.draft), free=50)
    assert reasons(open_pdf, sign(data, pki.judge), signers=1) == ["PDF_STRUCTURE"]


def test_bytes_that_no_table_lists_are_refused(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    """Between objects and before the table, though both sign them: a reader that repairs would find them."""
    objects = bodies(stages.draft)
    hidden = b"99 0 obj\n<< /Type /Page >>\nendobj\n"
    last = max(objects)
    for where in (1, last):
        draft = build(objects | {where: objects[where] + b"\nendobj\n" + hidden.removesuffix(b"\nendobj\n")})
        data = sign(sign(draft, pki.judge), pki.chief)
        assert reasons(open_pdf, data) == ["PDF_STRUCTURE"]


def test_a_stream_is_as_long_as_it_says(stages: Stages, pki: DocumentPki, reasons: Reasons) -> None:
    """pyHanko bears one byte too much; here nothing is repaired."""
    objects = bodies(stages.draft)
    number = next(number for number, body in objects.items() if b"/EmbeddedFile\n" in body)
    members = b"/Type /EmbeddedFile /Subtype /application#2Fjson /Length %d" % (len(stages.payload) + 1)
    objects[number] = b"<< %s >>\nstream\n%sendstream" % (members, stages.payload)
    data = sign(sign(build(objects), pki.judge), pki.chief)
    assert reasons(open_pdf, data)[0] in {"PDF_STRUCTURE", "PDF_UNREADABLE"}


def test_lengths_are_written_in_their_shortest_form(reasons: Reasons) -> None:
    assert element_length(b"\x04\x01x") == 3
    assert element_length(b"\x30\x06\x02\x01\x05\x01\x01\xff") == 8
    wrong = (
        b"\x04\x81\x01x",
        b"\x04\x82\x00\x01x",
        b"\x30\x80\x00\x00",
        b"\x24\x03\x04\x01x",
        b"\x02\x02\x00\x05",
        b"\x02\x00",
        b"\x01\x01\x01",
        b"\x30\x03\x04\x05x",
        b"\x1f\x81\x01\x00",
        b"\x30",
        b"",
        b"\x30\x02" * 70,
    )
    for data in wrong:
        assert reasons(element_length, data) == ["CMS_MALFORMED"]


def test_a_file_ends_with_its_end_marker(stages: Stages, reasons: Reasons) -> None:
    assert reasons(open_pdf, build(bodies(stages.draft)) + b"% more\n") == ["PDF_STRUCTURE"]


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_that_needs_repair_is_refused(name: str, stages: Stages, reasons: Reasons) -> None:
    data = build(bodies(stages.draft))
    bent = STRUCTURES[name](data)
    assert bent != data
    assert reasons(open_pdf, bent)[0] in {"PDF_STRUCTURE", "PDF_UNREADABLE"}
