"""What a parser shows is held against the document's bytes: each lie about them is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import SignatureMethod
from signxml.signer import XMLSigner
from signxml.xades.xades import XAdESSigner

import etsi_support
from document_support import SIGN, Signer
from garim.documents import formats
from garim.documents.bare import BareSignature
from garim.documents.envelope import Envelope, Shown
from garim.documents.etsi.signature import CANONICAL
from garim.documents.media_types import ETSI_MEDIA_TYPE, JWS_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.documents.recheck import recheck
from garim.statements.refusal import RefusedError
from garim.testing import documents
from garim.testing.pki import DocumentPki, make_pki

WIDER = [{"kind": "account", "value": f"subject-{one}"} for one in (1, 2)]
Lie = Callable[[Envelope, Shown, "Case"], Envelope]


@dataclasses.dataclass
class Case:
    """What a liar has: its own document, another true one of the same signers, and strangers' chains."""

    pki: DocumentPki
    media_type: str

    def hands(self) -> tuple[Signer, Signer]:
        return self.pki.judge.signer, etsi_support.agency(self.pki).signer

    def document(self, **changes: object) -> bytes:
        claims = documents.payload(documents.disclosure(self.pki, **changes))
        return SIGN[self.media_type](claims, *self.hands())

    def other(self) -> Envelope:
        return formats.open_document(self.media_type, self.document(subjects=WIDER))

    def strangers(self) -> Envelope:
        pki = make_pki(self.pki.now)
        return formats.open_document(self.media_type, Case(pki, self.media_type).document())


def _bare_at(shown: Shown, place: int, bare: BareSignature) -> Shown:
    changed = list(shown.bare)
    changed[place] = bare
    return dataclasses.replace(shown, bare=tuple(changed))


def strange_signer(place: int) -> Lie:
    def lie(true: Envelope, _shown: Shown, case: Case) -> Envelope:
        chains = list(true.chains)
        chains[place] = case.strangers().chains[place]
        return dataclasses.replace(true, chains=tuple(chains))

    return lie


def signed_elsewhere(place: int) -> Lie:
    def lie(true: Envelope, shown: Shown, case: Case) -> Envelope:
        other = case.other().shown
        assert other is not None
        return dataclasses.replace(true, shown=_bare_at(shown, place, other.bare[place]))

    return lie


def unknown_scheme(true: Envelope, shown: Shown, _case: Case) -> Envelope:
    return dataclasses.replace(
        true, shown=_bare_at(shown, 0, dataclasses.replace(shown.bare[0], scheme="none"))
    )


def claims_from_nowhere(true: Envelope, shown: Shown, case: Case) -> Envelope:
    payload = case.other().payload
    return Envelope(payload, true.chains, dataclasses.replace(shown, carried=payload, deflated=False))


def short_of_the_end(true: Envelope, shown: Shown, _case: Case) -> Envelope:
    spans, bare = shown.spans[:1], shown.bare[:1]
    return Envelope(true.payload, true.chains[:1], dataclasses.replace(shown, spans=spans, bare=bare))


def nothing_shown(true: Envelope, _shown: Shown, _case: Case) -> Envelope:
    return dataclasses.replace(true, shown=None)


def another_true_pdf(true: Envelope, shown: Shown, case: Case) -> Envelope:
    lied = a_message_of_its_own(true, shown, case)
    assert lied.shown is not None
    return dataclasses.replace(lied, shown=dataclasses.replace(lied.shown, message=shown.message))


def a_message_of_its_own(true: Envelope, shown: Shown, case: Case) -> Envelope:
    other = case.other()
    assert other.shown is not None
    bare = (other.shown.bare[0], shown.bare[1])
    return Envelope(other.payload, true.chains, dataclasses.replace(other.shown, bare=bare))


def wider(true: Envelope, _shown: Shown, case: Case) -> Envelope:
    return dataclasses.replace(true, payload=case.other().payload)


LIES = [
    (PDF_MEDIA_TYPE, strange_signer(0)),
    (PDF_MEDIA_TYPE, strange_signer(1)),
    (PDF_MEDIA_TYPE, signed_elsewhere(0)),
    (PDF_MEDIA_TYPE, signed_elsewhere(1)),
    (PDF_MEDIA_TYPE, unknown_scheme),
    (PDF_MEDIA_TYPE, claims_from_nowhere),
    (PDF_MEDIA_TYPE, short_of_the_end),
    (PDF_MEDIA_TYPE, nothing_shown),
    (PDF_MEDIA_TYPE, wider),
    (ETSI_MEDIA_TYPE, strange_signer(0)),
    (ETSI_MEDIA_TYPE, strange_signer(1)),
    (ETSI_MEDIA_TYPE, signed_elsewhere(0)),
    (ETSI_MEDIA_TYPE, signed_elsewhere(1)),
    (ETSI_MEDIA_TYPE, claims_from_nowhere),
    (ETSI_MEDIA_TYPE, another_true_pdf),
    (ETSI_MEDIA_TYPE, a_message_of_its_own),
    (ETSI_MEDIA_TYPE, nothing_shown),
]


def name_of(value: object) -> str:
    return value.rpartition("/")[2] if isinstance(value, str) else str(getattr(value, "__qualname__", value))


@pytest.mark.parametrize(("media_type", "lie"), LIES, ids=name_of)
def test_what_the_signatures_do_not_bear_out_is_refused(pki: DocumentPki, media_type: str, lie: Lie) -> None:
    case = Case(pki, media_type)
    document = case.document()
    true = formats.open_document(media_type, document)
    assert true.shown is not None
    assert recheck(media_type, document, true) == true
    with pytest.raises(RefusedError) as refused:
        recheck(media_type, document, lie(true, true.shown, case))
    assert refused.value.reason == "DOCUMENT_ANSWER_FALSE"


def test_a_request_wider_than_the_courts_pdf_is_refused_whoever_compared_them(pki: DocumentPki) -> None:
    case = Case(pki, ETSI_MEDIA_TYPE)
    document = case.document()
    true = formats.open_document(ETSI_MEDIA_TYPE, document)
    assert true.shown is not None
    with pytest.raises(RefusedError) as refused:
        recheck(ETSI_MEDIA_TYPE, document, wider(true, true.shown, case))
    assert refused.value.reason == "REQUEST_WIDER"


def test_bytes_behind_the_last_signature_are_refused(pki: DocumentPki) -> None:
    document = Case(pki, PDF_MEDIA_TYPE).document()
    true = formats.open_document(PDF_MEDIA_TYPE, document)
    with pytest.raises(RefusedError) as refused:
        recheck(PDF_MEDIA_TYPE, document + b"\n", true)
    assert refused.value.reason == "DOCUMENT_ANSWER_FALSE"


def test_no_other_format_is_borne_out(pki: DocumentPki) -> None:
    document = Case(pki, PDF_MEDIA_TYPE).document()
    true = formats.open_document(PDF_MEDIA_TYPE, document)
    for media_type in (JWS_MEDIA_TYPE, "application/x-test"):
        with pytest.raises(RefusedError):
            recheck(media_type, document, true)


@pytest.mark.parametrize("canonical", [one for one in sorted(CANONICAL) if "exc" not in one])
@pytest.mark.parametrize("signer", [XMLSigner, XAdESSigner])
@pytest.mark.parametrize("method", ["ECDSA_SHA256", "RSA_SHA512", "SHA256_RSA_MGF1"])
def test_every_form_of_signature_that_a_message_may_have_is_borne_out(
    pki: DocumentPki, method: str, signer: type[XMLSigner], canonical: str
) -> None:
    # The exclusive form leaves out the prefixes of objects' types: such a message is refused before.
    court, agency = Case(pki, ETSI_MEDIA_TYPE).hands()
    if method != "ECDSA_SHA256":
        key = rsa.generate_private_key(65537, 3072)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST agency")])
        issued = x509.CertificateBuilder(name, name, key.public_key(), 7, pki.now, pki.now + dt.timedelta(1))
        agency = (key, [issued.sign(key, hashes.SHA256())])
    claims = documents.payload(documents.disclosure(pki))
    unsigned = etree.fromstring(SIGN[ETSI_MEDIA_TYPE](claims, court))
    root = signer(signature_algorithm=SignatureMethod[method], c14n_algorithm=canonical).sign(  # type: ignore[arg-type]
        unsigned,
        key=agency[0],  # type: ignore[arg-type]
        cert=list(agency[1]),
        always_add_key_value=False,
    )
    document = etree.tostring(root, encoding="utf-8")
    opened = formats.open_document(ETSI_MEDIA_TYPE, document)
    assert recheck(ETSI_MEDIA_TYPE, document, opened) == opened
