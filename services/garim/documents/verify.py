"""From received bytes to a verified document: everything is checked before anything is believed."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable

from garim.documents import crls as revocation_lists
from garim.documents import x509
from garim.documents.claims import Claims, document_id, read_claims
from garim.documents.envelope import Envelope, OpenDocument
from garim.statements.grants import DocumentId
from garim.statements.refusal import Kind, RefusedError, RefusedWithReasonsError


@dataclasses.dataclass(frozen=True)
class VerifiedDocument:
    """A document that both roles signed, addressed to this operator and not revoked.

    Attributes:
        kind: `disclosure`, `supplementary`, `preservation` or `revocation`.
        payload: The exact bytes that both signed.
        digest: SHA-256 of the payload in hexadecimal: with authority and number, the document's identity.
        claims: What it says.
        court: Who signed for the court.
        chief: The chief investigator who signed.
    """

    kind: str
    payload: bytes
    digest: str
    claims: Claims
    court: x509.Signer
    chief: x509.Signer

    @property
    def identity(self) -> DocumentId:
        """What identifies the document, in statements too."""
        return document_id(self.claims, self.digest)


def _nothing_further(_claims: Claims) -> list[RefusedError]:
    return []


def verify_document(
    data: bytes,
    *,
    media_type: str,
    open_document: OpenDocument,
    trust: x509.TrustPolicy,
    audience: str,
    now_ms: int,
    crls: Iterable[bytes],
    revoked: Callable[[DocumentId], bool],
    further: Callable[[Claims], list[RefusedError]] = _nothing_further,
) -> VerifiedDocument:
    """Verify a document fully, then parse it, then judge what it says.

    All reasons of one stage come together: envelope and signatures; signers as of now; fields; issue,
    addressee, names, revocation and `further`.

    Args:
        data: The document as received.
        media_type: Format of `data`.
        open_document: Opens the envelope, apart from any key; its answer is believed.
        trust: What governance trusts.
        audience: The operator's name as documents address it.
        now_ms: Time of the check, milliseconds since 1970.
        crls: Revocation lists at hand, DER or PEM.
        revoked: Whether a signed revocation has taken the document back.
        further: More checks of the claims, such as `policy.judge`; their reasons are reported with ours.

    Raises:
        RefusedError: With its reason; several in a `RefusedWithReasonsError`. See this package's README.
    """
    envelope = open_document(media_type, data)
    paths = _verify_signers(envelope, trust, list(crls), now_ms)
    claims = read_claims(envelope.payload)
    by_role = {path.signer.role: path.signer for path in paths}
    document = VerifiedDocument(
        kind=claims.kind,
        payload=envelope.payload,
        digest=hashlib.sha256(envelope.payload).hexdigest(),
        claims=claims,
        court=by_role[x509.Role.COURT],
        chief=by_role[x509.Role.CHIEF_INVESTIGATOR],
    )
    reasons = _judge_document(document, paths, audience=audience, now_ms=now_ms, revoked=revoked)
    _raise_all(reasons + further(claims))
    return document


def _chain_field(index: int) -> str:
    return f"signatures[{index}].x5c"


def _verify_signers(
    envelope: Envelope, trust: x509.TrustPolicy, crls: list[bytes], now_ms: int
) -> list[x509.Path]:
    reasons: list[RefusedError] = []
    paths: list[x509.Path] = []
    for index, chain in enumerate(envelope.chains):
        field = _chain_field(index)
        try:
            path = x509.verify_path(x509.read_chain(chain, field=field), trust, now_ms, field=field)
            paths.append(path)
            revocation_lists.check_revocation(path, crls, trust, now_ms, field=field)
        except RefusedError as error:
            reasons.append(error)
    _raise_all(reasons)
    _raise_all(_judge_pair([path.signer for path in paths]))
    return paths


def _judge_pair(signers: list[x509.Signer]) -> list[RefusedError]:
    """Return why these are not one judge and one chief investigator, two different people."""
    reasons = []
    if sorted(signer.role for signer in signers) != sorted(x509.Role):
        reasons.append(
            RefusedError("ROLES_WRONG", "one court and one chief investigator must sign", field="signatures")
        )
    if len({signer.certificate_sha256 for signer in signers}) != len(signers):
        reasons.append(
            RefusedError("SAME_CERTIFICATE", "both signatures use one certificate", field="signatures")
        )
    if len({signer.key_sha256 for signer in signers}) != len(signers):
        reasons.append(RefusedError("SAME_KEY", "both signatures use one key", field="signatures"))
    if len({signer.person.strip().casefold() for signer in signers}) != len(signers):
        reasons.append(RefusedError("SAME_PERSON", "one person signed in both roles", field="signatures"))
    return reasons


def _judge_document(
    document: VerifiedDocument,
    paths: list[x509.Path],
    *,
    audience: str,
    now_ms: int,
    revoked: Callable[[DocumentId], bool],
) -> list[RefusedError]:
    claims = document.claims
    reasons: list[RefusedError] = []
    for index, path in enumerate(paths):
        try:
            x509.verify_at_issue(path, claims.issued_ms, field=_chain_field(index))
        except RefusedError as error:
            reasons.append(error)
    if claims.issued_ms > now_ms:
        reasons.append(
            RefusedError("NOT_YET_ISSUED", "the document is dated in the future", field="issued_at")
        )
    if claims.audience != audience:
        reasons.append(
            RefusedError("AUDIENCE_WRONG", "the document is addressed to another operator", field="audience")
        )
    if claims.authority != document.chief.organisation:
        reasons.append(
            RefusedError(
                "AUTHORITY_MISMATCH",
                "the chief investigator's certificate names another agency",
                field="authority",
            )
        )
    if claims.court != document.court.organisation:
        reasons.append(
            RefusedError("COURT_MISMATCH", "the judge's certificate names another court", field="court")
        )
    if revoked(document.identity):
        reasons.append(
            RefusedError(
                "DOCUMENT_REVOKED", "the document has been revoked", kind=Kind.PRECONDITION, field="number"
            )
        )
    return reasons


def _raise_all(reasons: list[RefusedError]) -> None:
    if len(reasons) == 1:
        raise reasons[0]
    if reasons:
        raise RefusedWithReasonsError(reasons)
