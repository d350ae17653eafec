"""What is accepted: the profile leaves courts and agencies their keys, their order and their tools."""

from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec

from garim.documents.pdf import open_pdf
from garim.documents.pdf.writing import draft_pdf, sign_pdf
from garim.documents.x509 import ROLE_POLICIES, Role
from garim.testing import documents
from garim.testing.pki import COURT, YEAR, DocumentPki, Identity, issue_person
from pdf_support import AT, Reasons, Signing, Stages, bodies, build, rsa_key, sign


def _ders(identity: Identity) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(serialization.Encoding.DER) for one in identity.chain)


def _judge(pki: DocumentPki, **changes: object) -> Identity:
    arguments = {"policies": [ROLE_POLICIES[Role.COURT]]} | changes
    return issue_person(pki.court_ca, "TEST 판사", "TEST-0009", COURT, pki.now, **arguments)


def test_both_signatures_yield_the_claims_and_both_chains(stages: Stages, pki: DocumentPki) -> None:
    envelope = open_pdf(stages.full)
    assert envelope.payload == stages.payload
    assert envelope.chains == (_ders(pki.judge), _ders(pki.chief))


def test_the_chief_investigator_may_sign_first(stages: Stages, pki: DocumentPki) -> None:
    data = sign_pdf(sign_pdf(stages.draft, *pki.chief.signer, AT), *pki.judge.signer, AT)
    assert open_pdf(data).chains == (_ders(pki.chief), _ders(pki.judge))


def test_inside_a_message_the_courts_signature_is_enough_and_no_other(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    assert open_pdf(stages.half, signers=1).chains == (_ders(pki.judge),)
    assert reasons(open_pdf, stages.half) == ["ENVELOPE_SIGNATURES"]
    assert reasons(open_pdf, stages.full, signers=1) == ["ENVELOPE_SIGNATURES"]
    assert reasons(open_pdf, stages.draft) == ["ENVELOPE_SIGNATURES"]


@pytest.mark.parametrize("bits", [3072, 4096])
@pytest.mark.parametrize("pss", [True, False])
def test_rsa_keys_sign_and_their_chains_are_trusted(
    stages: Stages, pki: DocumentPki, bits: int, pss: bool
) -> None:
    from garim.documents.paths import verify_path
    from garim.documents.x509 import read_chain

    judge = _judge(pki, key=rsa_key(bits))
    half = sign(stages.draft, judge, how=Signing(signer={"prefer_pss": pss}))
    envelope = open_pdf(sign_pdf(half, *pki.chief.signer, AT))
    chain = read_chain(envelope.chains[0], field="x5c")
    assert verify_path(chain, pki.trust, documents.millis(pki), field="x5c").signer.role == Role.COURT


def test_intermediates_travel_in_order_whatever_their_order_in_the_file(
    stages: Stages, pki: DocumentPki
) -> None:
    policies = [ROLE_POLICIES[Role.COURT]]
    valid = (pki.now - YEAR, pki.now + YEAR)
    upper = pki.court_ca.subordinate("TEST upper", valid=valid, policies=policies)
    lower = upper.subordinate("TEST lower", valid=valid, policies=policies)
    judge = issue_person(lower, "TEST 판사", "TEST-0009", COURT, pki.now, policies=policies)
    assert len(judge.chain) == 3
    data = sign_pdf(sign_pdf(stages.draft, *judge.signer, AT), *pki.chief.signer, AT)
    assert open_pdf(data).chains[0] == _ders(judge)


def test_a_signature_need_not_certify(stages: Stages, pki: DocumentPki) -> None:
    assert open_pdf(sign(sign(stages.draft, pki.judge), pki.chief)).payload == stages.payload


def test_the_first_save_may_bring_metadata_and_an_appearance(stages: Stages, pki: DocumentPki) -> None:
    spec = SigFieldSpec("Court", box=(100, 100, 300, 200))
    how = Signing(field="Court", spec=spec, writer=IncrementalPdfFileWriter, certify=MDPPerm.FILL_FORMS)
    assert open_pdf(sign(sign(stages.draft, pki.judge, how=how), pki.chief)).payload == stages.payload


def test_a_court_alone_may_bring_information_about_the_file(stages: Stages, pki: DocumentPki) -> None:
    half = sign(build(bodies(stages.draft)), pki.judge, how=Signing(writer=IncrementalPdfFileWriter))
    assert open_pdf(half, signers=1).payload == stages.payload
    assert open_pdf(sign(half, pki.chief)).payload == stages.payload


def test_fields_may_be_placed_before_anybody_signs(stages: Stages, pki: DocumentPki) -> None:
    objects = bodies(stages.draft)
    page = next(number for number, body in objects.items() if b"/Type /Page\n" in body)
    objects[page] = objects[page].removesuffix(b">>") + b"/Annots [31 0 R 32 0 R] >>"
    objects[1] = objects[1].removesuffix(b">>") + b"/AcroForm << /Fields [31 0 R 32 0 R] /SigFlags 3 >> >>"
    for number, name in ((31, b"A"), (32, b"B")):
        objects[number] = (
            b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /F 132 /Rect [0 0 0 0] /P %d 0 R >>"
            % (name, page)
        )
    half = sign(build(objects), pki.judge, how=Signing(field="A"))
    assert open_pdf(sign(half, pki.chief, how=Signing(field="B"))).payload == stages.payload


def test_the_embedded_file_may_be_stored_without_compression(stages: Stages, pki: DocumentPki) -> None:
    objects = bodies(stages.draft)
    number = next(number for number, body in objects.items() if b"/EmbeddedFile\n" in body)
    members = b"/Type /EmbeddedFile /Subtype /application#2Fjson /Length %d" % len(stages.payload)
    objects[number] = b"<< %s >>\nstream\r\n%s\r\nendstream" % (members, stages.payload)
    assert open_pdf(sign(sign(build(objects), pki.judge), pki.chief)).payload == stages.payload


@pytest.mark.parametrize("kind", ["disclosure", "supplementary", "preservation", "revocation"])
def test_every_kind_of_document_can_be_drafted_signed_and_opened(pki: DocumentPki, kind: str) -> None:
    members = documents.revocation(pki, b"first") if kind == "revocation" else getattr(documents, kind)(pki)
    payload = documents.payload(members)
    data = draft_pdf(payload)
    assert data == draft_pdf(payload)
    assert open_pdf(sign_pdf(sign_pdf(data, *pki.judge.signer, AT), *pki.chief.signer, AT)).payload == payload


def test_the_draft_shows_its_claims_in_both_languages_and_says_that_it_is_a_test(
    pki: DocumentPki, stages: Stages
) -> None:
    from garim.documents.pdf.drawing import draw_pages

    many = documents.disclosure(
        pki, subjects=[{"kind": "account", "value": f"subject-{n}"} for n in range(100)]
    )
    for members, pages in ((documents.disclosure(pki), 1), (many, 3)):
        drawn = draw_pages(stages.payload, members)
        assert len(drawn) == pages
        for page in drawn:
            assert "시험용".encode("utf-16-be").hex().encode() in page
            assert b"NOT A REAL WARRANT".hex().encode() in page
        everything = b"".join(drawn)
        assert "한빛지방법원".encode("utf-16-be").hex().encode() in everything
        assert b"Court".hex().encode() in everything


def test_a_third_signature_and_a_foreign_key_are_not_made(
    stages: Stages, pki: DocumentPki, reasons: Reasons
) -> None:
    assert reasons(sign_pdf, stages.full, *pki.judge.signer, AT) == ["ENVELOPE_SIGNATURES"]
    wrong = dataclasses.replace(pki.judge, chain=pki.chief.chain)
    assert reasons(sign_pdf, stages.draft, *wrong.signer, AT) == ["KEY_ALGORITHM_MISMATCH"]
