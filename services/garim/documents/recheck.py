"""A parser's answer about a signed PDF or HI1 message, checked once more without a parser.

Whoever takes over the process that opens documents says what it likes. What it shows is therefore held
against the document's own bytes: each certificate's key signed the PDF's digest, the claims stand in what
the first key signed, the message that the agency signed holds that PDF, and asks for no more than its claims.
What stays a parser's word: that the claims are the file's one embedded file and that nothing shown on its
pages says otherwise; and how far a request is narrower than the court's document.
"""

from __future__ import annotations

import base64
import hashlib
import re

from garim.documents.bare import BareSignature, digest_of, is_right
from garim.documents.claims import read_claims
from garim.documents.envelope import SIGNATURES, Envelope, Shown
from garim.documents.etsi.comparing import compare
from garim.documents.media_types import ETSI_MEDIA_TYPE, PDF_MEDIA_TYPE
from garim.documents.unfolding import unfold
from garim.documents.x509 import read_certificate
from garim.statements.refusal import RefusedError, RefusedWithReasonsError

_SPACE = re.compile(rb"\s|&#xD;")
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")
"""The attribute's type in DER: 1.2.840.113549.1.9.4 (RFC 5652 clause 11.2)."""
_SET, _OCTETS = 0x31, 0x04
_HASHES = ("sha256", "sha384", "sha512")


def recheck(media_type: str, data: bytes, opened: Envelope) -> Envelope:
    """Return what a parser answered, without what it rests on, once that has been found true.

    Args:
        media_type: PDF or HI1 message.
        data: The document as received.
        opened: The parser's answer.

    Raises:
        RefusedError: `DOCUMENT_ANSWER_FALSE`; those of `compare`, together.
    """
    shown = opened.shown
    if shown is None or len(shown.bare) != len(opened.chains) or not all(opened.chains):
        raise _false()
    if media_type == PDF_MEDIA_TYPE:
        if len(opened.chains) != SIGNATURES or _claims_of(data, opened.chains, shown) != opened.payload:
            raise _false()
    elif media_type == ETSI_MEDIA_TYPE:
        _recheck_message(opened, shown)
    else:
        raise _false()
    return Envelope(opened.payload, opened.chains)


def _recheck_message(opened: Envelope, shown: Shown) -> None:
    """Demand that the agency signed a message that holds the court's PDF, and asks for no more than that."""
    *courts, agency = shown.bare
    leaf = read_certificate(opened.chains[-1][0], field="signatures[1]")
    if len(courts) != 1 or not is_right(agency, leaf):
        raise _false()
    stated = _SPACE.sub(b"", agency.signed)
    digests = (base64.b64encode(hashlib.new(name, shown.message).digest()) for name in _HASHES)
    if not any(b">" + one + b"</" in stated for one in digests):
        raise _false()
    if b">" + base64.b64encode(shown.pdf) + b"</" not in _SPACE.sub(b"", shown.message):
        raise _false()
    court = _claims_of(shown.pdf, opened.chains[:1], shown)
    differences = compare(read_claims(court), read_claims(opened.payload))
    if differences:
        raise RefusedWithReasonsError(differences)


def _claims_of(pdf: bytes, chains: tuple[tuple[bytes, ...], ...], shown: Shown) -> bytes:
    """Return the claims, after finding each signature right and the claims in what the first one covers."""
    if len(shown.spans) != len(chains):
        raise _false()
    start = 0
    for place, ((before, after, end), bare, chain) in enumerate(
        zip(shown.spans, shown.bare, chains, strict=False)
    ):
        # Each signature covers the one before whole; nothing counts that stands in a gap.
        if not start < before < after < end <= len(pdf):
            raise _false()
        _demand_signed(bare, chain[0], pdf[:before] + pdf[after:end], f"signatures[{place}]")
        start = end
    before, after, end = shown.spans[0]
    if start != len(pdf):
        raise _false()
    if not (shown.carried in pdf[:before] or shown.carried in pdf[after:end]):
        raise _false()
    payload = unfold(shown.carried) if shown.deflated else shown.carried
    if not payload:
        raise _false()
    return payload


def _demand_signed(bare: BareSignature, leaf: bytes, content: bytes, field: str) -> None:
    """Demand that a key signed attributes (RFC 5652 clause 5.4) with the digest of the content."""
    if not is_right(bare, read_certificate(leaf, field=field)):
        raise _false()
    digest = hashlib.new(digest_of(bare.scheme), content).digest()
    value = bytes([_OCTETS, len(digest)]) + digest
    attribute = _MESSAGE_DIGEST + bytes([_SET, len(value)]) + value
    if bare.signed[:1] != bytes([_SET]) or bare.signed.count(attribute) != 1:
        raise _false()


def _false() -> RefusedError:
    return RefusedError(
        "DOCUMENT_ANSWER_FALSE",
        "what opened the document says what its signatures do not bear out: the document is refused",
    )
