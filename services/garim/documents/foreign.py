"""Signatures on documents that are not of our profile: told honestly, whoever made them; nothing is let in.

Wider than intake: one signature or many, RSA, any subject. What intake demands beyond
that, it demands itself.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from io import BytesIO
from types import MappingProxyType
from typing import Any

from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from garim.documents.etsi.checking import check_signature, leads_to
from garim.documents.explaining import Measure, Signatures, named, not_checked
from garim.documents.media_types import ETSI_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.statements.refusal import RefusedError


def foreign_signatures(media_type: str, data: bytes, measure: Measure) -> Signatures | None:
    """Return what can be said of a document's signatures; a `CheckForeign`.

    Args:
        media_type: Its format.
        data: The document.
        measure: Time and trusted certificates; revocation is not checked here.
    """
    check = _CHECKS.get(media_type)
    return None if check is None else check(data, measure)


def _of_xml(data: bytes, measure: Measure) -> Signatures:
    found = check_signature(data, measure.at_ms, measure.trusted)
    signers = (found.signer,) if found.signer else ()
    notes = not_checked(measure, revocation=False) if signers else ()
    return Signatures(found.valid, signers, (*found.reasons, *notes))


def _of_pdf(data: bytes, measure: Measure) -> Signatures:
    try:
        signatures = PdfFileReader(BytesIO(data)).embedded_regular_signatures
        judged = [_of_one(one, index, measure) for index, one in enumerate(signatures)]
    except Exception:  # noqa: BLE001 - whatever a hostile file breaks in a parser, no signature is valid in it
        judged = []
    if not judged:
        missing = RefusedError("PDF_SIGNATURE", "no signature can be read in this file", field="signatures")
        return Signatures(valid=False, signers=(), reasons=(missing,))
    faults = tuple(fault for _, found in judged for fault in found)
    signers = tuple(signer for signer, _ in judged)
    return Signatures(not faults, signers, (*faults, *not_checked(measure, revocation=False)))


def _of_one(signature: Any, index: int, measure: Measure) -> tuple[str, list[RefusedError]]:
    """Return whom one signature's certificate names, and what is wrong with it."""
    field = f"signatures[{index}]"
    moment = dt.datetime.fromtimestamp(measure.at_ms / 1000, tz=dt.UTC)
    certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
    # No root is trusted here: intact and right is all that is asked of pyHanko; trust is judged below.
    context = ValidationContext(trust_roots=[], allow_fetching=False, moment=moment)
    status = validate_pdf_signature(signature, signer_validation_context=context)
    faults = []
    if not (status.intact and status.valid):
        text = "the signature does not fit the file or its certificate"
        faults.append(RefusedError("SIGNATURE_WRONG", text, field=field))
    covered = status.coverage is not None and status.coverage >= SignatureCoverageLevel.ENTIRE_REVISION
    if not (covered and status.docmdp_ok):
        text = "something in the file is covered by no signature, or changed after it"
        faults.append(RefusedError("PDF_CHANGED_AFTER_SIGNING", text, field=field))
    if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
        text = "the certificate is not valid at that time"
        faults.append(RefusedError("CERTIFICATE_NOT_VALID_NOW", text, field=field))
    if measure.trusted and certificate not in measure.trusted:
        others = [x509.load_der_x509_certificate(one.dump()) for one in signature.other_embedded_certs]
        if not leads_to([certificate, *others], measure.trusted, moment):
            text = "the chain leads to none of the trusted certificates"
            faults.append(RefusedError("CHAIN_UNTRUSTED", text, field=field))
    return named(certificate), faults


for _library in ("pyhanko", "pyhanko_certvalidator"):
    # They log what they find wrong with a certificate, with its names; it is told as a reason instead.
    logging.getLogger(_library).setLevel(logging.CRITICAL + 1)

_CHECKS: Mapping[str, Callable[[bytes, Measure], Signatures]] = MappingProxyType(
    {ETSI_MEDIA_TYPE: _of_xml, PDF_MEDIA_TYPE: _of_pdf}
)
