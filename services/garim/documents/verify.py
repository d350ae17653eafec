"""From received bytes to a verified document: everything is checked before anything is believed.

Who must have signed depends on the kind: an emergency request is the chief investigator's alone, since no
court has decided yet; every other kind is the court's and the chief investigator's.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from garim.documents import crls as revocation_lists
from garim.documents import paths as certificate_paths
from garim.documents import x509
from garim.documents.claims import Claims, EmergencyPreservation, document_id, read_claims
from garim.documents.envelope import Envelope, OpenDocument
from garim.statements.grants import DocumentId
from garim.statements.refusal import Kind, RefusedError, raise_all, reasons_of


@dataclasses.dataclass(frozen=True)
class VerifiedDocument:
    """A document that every role signed that its kind demands, addressed to this operator and not revoked.

    Attributes:
        kind: `disclosure`, `supplementary`, `preservation`, `emergency-preservation` or `revocation`.
        payload: The exact bytes that were signed.
        digest: SHA-256 of the payload in hexadecimal: with authority and number, the document's identity.
        claims: What it says.
        court: Who signed for the court; null for an emergency request alone.
        chief: The chief investigator who signed.
    """

    kind: str
    payload: bytes
    digest: str
    claims: Claims
    court: x509.Signer | None
    chief: x509.Signer

    @property
    def signers(self) -> tuple[x509.Signer, ...]:
        """Everybody who signed it, the court first."""
        return (self.chief,) if self.court is None else (self.court, self.chief)

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
    signers = [path.signer for path in paths]
    raise_all(judge_people(signers))
    claims = read_claims(envelope.payload)
    raise_all(judge_roles(claims, signers))
    by_role = {path.signer.role: path.signer for path in paths}
    document = VerifiedDocument(
        kind=claims.kind,
        payload=envelope.payload,
        digest=hashlib.sha256(envelope.payload).hexdigest(),
        claims=claims,
        court=by_role.get(x509.Role.COURT),
        chief=by_role[x509.Role.CHIEF_INVESTIGATOR],
    )
    reasons = _judge_document(document, paths, audience=audience, now_ms=now_ms, revoked=revoked)
    raise_all(reasons + further(claims))
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
            path = certificate_paths.verify_path(
                x509.read_chain(chain, field=field), trust, now_ms, field=field
            )
            paths.append(path)
            revocation_lists.check_revocation(path, crls, trust, now_ms, field=field)
        except RefusedError as error:
            reasons += reasons_of(error)
    raise_all(reasons)
    return paths


def roles_for(claims: Claims) -> tuple[x509.Role, ...]:
    """Return the roles that must have signed, each once and no other; only an emergency request needs one."""
    if isinstance(claims, EmergencyPreservation):
        return (x509.Role.CHIEF_INVESTIGATOR,)
    return tuple(x509.Role)


def judge_roles(claims: Claims, signers: Sequence[x509.Signer]) -> list[RefusedError]:
    """Return why these are not exactly the roles that the kind demands.

    Args:
        claims: What the document says.
        signers: Everybody who signed it.
    """
    demanded = roles_for(claims)
    if sorted(signer.role for signer in signers) == sorted(demanded):
        return []
    who = "for this kind exactly these sign: " + ", ".join(demanded)
    return [RefusedError("ROLES_WRONG", who, field="signatures")]


def judge_people(signers: Sequence[x509.Signer]) -> list[RefusedError]:
    """Return why nothing that these signed together is read, whatever it says.

    Args:
        signers: Everybody who signed it.
    """
    reasons = []
    roles = sorted(signer.role for signer in signers)
    if roles not in (sorted(x509.Role), [x509.Role.CHIEF_INVESTIGATOR]):
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
            certificate_paths.verify_at_issue(path, claims.issued_ms, field=_chain_field(index))
        except RefusedError as error:
            reasons.append(error)
    by_role = {path.signer.role: path.signer for path in paths}
    reasons += judge_claims(claims, by_role, audience=audience, now_ms=now_ms)
    if revoked(document.identity):
        reasons.append(
            RefusedError(
                "DOCUMENT_REVOKED", "the document has been revoked", kind=Kind.PRECONDITION, field="number"
            )
        )
    return reasons


def judge_claims(
    claims: Claims, signers: Mapping[x509.Role, x509.Signer], *, audience: str, now_ms: int
) -> list[RefusedError]:
    """Return why the claims do not fit their signers, the operator or the time.

    Args:
        claims: What the document says.
        signers: Who signed, by role.
        audience: The operator's name as documents address it.
        now_ms: Time of the check, milliseconds since 1970.
    """
    reasons: list[RefusedError] = []
    if claims.issued_ms > now_ms:
        reasons.append(
            RefusedError("NOT_YET_ISSUED", "the document is dated in the future", field="issued_at")
        )
    if claims.audience != audience:
        reasons.append(
            RefusedError("AUDIENCE_WRONG", "the document is addressed to another operator", field="audience")
        )
    chief, court = signers.get(x509.Role.CHIEF_INVESTIGATOR), signers.get(x509.Role.COURT)
    if chief is not None and claims.authority != chief.organisation:
        reasons.append(
            RefusedError(
                "AUTHORITY_MISMATCH",
                "the chief investigator's certificate names another agency",
                field="authority",
            )
        )
    if court is not None and claims.court != court.organisation:
        reasons.append(
            RefusedError("COURT_MISMATCH", "the judge's certificate names another court", field="court")
        )
    return reasons
