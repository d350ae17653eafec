"""What a custodian's client verifies before it signs: everything, itself, from the request's own bytes.

No I/O: governance, revocation lists, time and the log's verification come in as arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from garim.documents import scope
from garim.documents.claims import Claims, Disclosure, Supplementary
from garim.documents.envelope import OpenDocument
from garim.documents.verify import VerifiedDocument, verify_document
from garim.documents.x509 import TrustPolicy
from garim.dossier import commitments
from garim.kit.convert import Logged, Received
from garim.kit.identity import service_id
from garim.sealing import hpke, quorum
from garim.sealing.secret import Secret
from garim.statements import subjects
from garim.statements.governance import Governance
from garim.statements.grants import UnmaskGrant
from garim.statements.receipts import DossierReceipt
from garim.statements.refusal import Kind, RefusedError
from garim.translog.leaf import Leaf
from garim.translog.proven import LogProof

ClaimsT = TypeVar("ClaimsT", bound=Claims)


class VerifyLogged(Protocol):
    """Verifies a log proof and pins its checkpoint; `Ledger.verify` fits."""

    def __call__(self, body: bytes, proof: LogProof, *, kind: str, actor: str) -> Leaf:
        """Return the leaf that commits to `body`."""
        ...


@dataclass(frozen=True, slots=True)
class UnmaskRequest:
    """An unmask request as custody handed it out; nothing of it is believed.

    Attributes:
        request: Its id, 16 bytes.
        document: The supplementary document.
        first_document: The first document.
        grant: The unmask grant.
        receipt: The dossier's receipt.
        identities: Pseudonyms with their sealed identities.
        one_time_public: HPKE public key of the request.
        subject: What custody says a decision names.
    """

    request: bytes
    document: Received
    first_document: Received
    grant: Logged
    receipt: Logged
    identities: tuple[tuple[str, bytes], ...]
    one_time_public: bytes
    subject: str


@dataclass(frozen=True, slots=True)
class CheckedRequest:
    """A request that was verified in full.

    Attributes:
        subject: What the decision names, computed here.
        claims: What the supplementary document asks.
        first: What the first document asked.
        court: Name of the judge who signed the supplementary document.
        chief: Name of the chief investigator.
        grant: The grant.
        receipt: The dossier's receipt.
    """

    subject: str
    claims: Supplementary
    first: Disclosure
    court: str
    chief: str
    grant: UnmaskGrant
    receipt: DossierReceipt


def check_request(
    request: UnmaskRequest,
    *,
    open_document: OpenDocument,
    governance: Governance,
    crls: Iterable[bytes],
    now_ms: int,
    verify_logged: VerifyLogged,
) -> CheckedRequest:
    """Verify a request and compute the subject of a decision about it.

    Args:
        request: As custody handed it out.
        open_document: Opens both documents.
        governance: In force, verified from the genesis digest.
        crls: Revocation lists at hand.
        now_ms: Time of the check, milliseconds since 1970.
        verify_logged: Verifies and pins log proofs.

    Raises:
        RefusedError: Those of `verify_document`, of statements and of the log; `DOCUMENT_KIND`,
            `GRANT_SCOPE`, `RECEIPT_SCOPE`, `FIRST_DOCUMENT`, `DOSSIER_EXPIRED`, `SEALED_IDENTITY`,
            `PSEUDONYM_PROOF`, `ONE_TIME_KEY`, `DECISION_SUBJECT`.
    """
    lists = list(crls)

    def verified(received: Received, kind: type[ClaimsT]) -> tuple[VerifiedDocument, ClaimsT]:
        document = verify_document(
            received.content,
            media_type=received.media_type,
            open_document=open_document,
            trust=TrustPolicy.of(governance),
            audience=governance.audience,
            now_ms=now_ms,
            crls=lists,
            revoked=lambda _identity: False,
        )
        if not isinstance(document.claims, kind):
            raise RefusedError("DOCUMENT_KIND", "the document is of another kind", field="document")
        return document, document.claims

    second, claims = verified(request.document, Supplementary)
    first, first_claims = verified(request.first_document, Disclosure)
    _demand_first(claims, first_claims, first.digest)
    grant = UnmaskGrant.verify(
        request.grant.statement, governance.keys_of("warrants"), mesh=governance.mesh, now=now_ms
    )
    _demand_grant(grant, claims, second.digest)
    verify_logged(
        request.grant.statement.payload,
        request.grant.proof,
        kind="unmask-granted",
        actor=service_id(governance.mesh, "warrants"),
    )
    receipt = DossierReceipt.verify(
        request.receipt.statement, governance.keys_of("custody"), mesh=governance.mesh, now=None
    )
    _demand_receipt(receipt, claims, now_ms)
    verify_logged(
        request.receipt.statement.payload,
        request.receipt.proof,
        kind="dossier-closed",
        actor=service_id(governance.mesh, "custody"),
    )
    _demand_proofs(claims, dict(request.identities), receipt)
    if len(request.one_time_public) != hpke.PUBLIC_BYTES:
        raise RefusedError("ONE_TIME_KEY", "the request's one-time key is malformed")
    subject = subjects.unmask(
        request=request.request,
        dossier=bytes.fromhex(claims.dossier),
        grant=request.grant.statement.payload,
        first=claims.first_document,
        supplementary=second.digest,
        recipient=claims.recipient,
        filer=grant.filer,
        one_time_public=request.one_time_public,
        identities=request.identities,
    )
    if subject != request.subject:
        raise RefusedError(
            "DECISION_SUBJECT",
            "custody names another subject than these documents give: sign nothing, call the auditors",
            kind=Kind.DATA_LOSS,
            field="subject",
        )
    court, chief = (one.name for one in second.signers)
    return CheckedRequest(subject, claims, first_claims, court, chief, grant, receipt)


def _demand_first(claims: Supplementary, first: Disclosure, digest: str) -> None:
    if claims.first_document != digest:
        raise RefusedError(
            "FIRST_DOCUMENT", "the second request rests on another first one", field="first_document"
        )
    if (claims.authority, claims.case_number) != (first.authority, first.case_number):
        raise RefusedError(
            "FIRST_DOCUMENT", "both requests must come from one authority, in one case", field="case_number"
        )


def _demand_grant(grant: UnmaskGrant, claims: Supplementary, digest: str) -> None:
    expected = {
        "document": digest,
        "first": claims.first_document,
        "dossier": claims.dossier,
        "identities": scope.identities_of(claims),
        "recipient": claims.recipient,
    }
    stated = {
        "document": grant.document.digest,
        "first": grant.first,
        "dossier": grant.dossier,
        "identities": grant.identities,
        "recipient": grant.recipient,
    }
    for field, value in expected.items():
        if stated[field] != value:
            raise RefusedError(
                "GRANT_SCOPE", "the grant covers something else than the document", field=field
            )


def _demand_receipt(receipt: DossierReceipt, claims: Supplementary, now_ms: int) -> None:
    expected = (claims.dossier, claims.first_document, claims.authority, claims.case_number, "sealed")
    stated = (receipt.dossier, receipt.document, receipt.authority, receipt.case_number, receipt.mode)
    if stated != expected:
        raise RefusedError("RECEIPT_SCOPE", "the receipt belongs to another dossier", field="receipt")
    if receipt.unmask_until is None or now_ms >= receipt.unmask_until:
        raise RefusedError("DOSSIER_EXPIRED", "the time for second requests is over", field="unmask_until")


def _demand_proofs(claims: Supplementary, sealed: dict[str, bytes], receipt: DossierReceipt) -> None:
    named = {one.pseudonym: one for one in claims.identities}
    if sealed.keys() != named.keys():
        raise RefusedError("SEALED_IDENTITY", "the sealed identities are not those that are asked for")
    identities_root = bytes.fromhex(receipt.identities_root)
    messages_root = bytes.fromhex(receipt.messages_root)
    for pseudonym, one in named.items():
        if hashlib.sha256(sealed[pseudonym]).hexdigest() != one.sealed_sha256:
            raise RefusedError("SEALED_IDENTITY", "a sealed identity is not the one the document names")
        try:
            _demand_size(one.proof.tree_size, receipt.identities)
            commitments.verify_leaf(
                commitments.identity_leaf(pseudonym, sealed[pseudonym]),
                one.proof.leaf_index,
                one.proof.tree_size,
                [bytes.fromhex(node) for node in one.proof.hashes],
                identities_root,
            )
            for ground in one.grounds:
                _demand_size(ground.proof.tree_size, receipt.messages)
                content = bytes.fromhex(ground.content_sha256)
                commitments.verify_leaf(
                    commitments.message_leaf(ground.message, ground.pseudonyms, content),
                    ground.proof.leaf_index,
                    ground.proof.tree_size,
                    [bytes.fromhex(node) for node in ground.proof.hashes],
                    messages_root,
                )
        except RefusedError as error:
            raise RefusedError(
                "PSEUDONYM_PROOF",
                "a pseudonym or a message given as ground does not stand in this dossier",
                field=pseudonym,
            ) from error


def _demand_size(stated: int, committed: int) -> None:
    if stated != committed:
        raise RefusedError("LOG_INCLUSION", "the proof is of another tree", field="tree_size")


def demand_may_approve(checked: CheckedRequest, person: str) -> None:
    """Refuse an approval by whoever filed the request.

    Raises:
        RefusedError: `DECISION_PERSON`.
    """
    if checked.grant.filer == person:
        raise RefusedError(
            "DECISION_PERSON", "whoever filed a request may not approve it", kind=Kind.FORBIDDEN
        )


def reseal_shares(
    sealed: Iterable[quorum.SealedShare],
    private: Secret,
    *,
    person: str,
    mesh: str,
    request: bytes,
    dossier: bytes,
    one_time_public: bytes,
    resealed: Callable[[tuple[str, ...], bytes], None],
) -> int:
    """Open a custodian's shares, check them, and seal each to the request's one-time key.

    Args:
        sealed: As custody handed them out.
        private: The custodian's share key.
        person: The custodian's name.
        mesh: Name of the mesh.
        request: Id of the request, 16 bytes.
        dossier: Id of the dossier, 16 bytes.
        one_time_public: The request's key.
        resealed: Takes each subset and share, sealed anew.

    Returns:
        How many there were.

    Raises:
        RefusedError: `SHARES_MISSING`, `SHARE_OWNER`, `SHARE_WRONG`, `SEALING_OPEN`.
    """
    count = 0
    for one in sealed:
        if one.holder != person or one.custodian not in one.subset:
            raise RefusedError("SHARE_OWNER", "a share is another custodian's", field="shares")
        opened = quorum.open_share(one, private, mesh, dossier)
        with opened.share:
            resealed(one.subset, quorum.reseal_for_request(opened, one_time_public, mesh, request, dossier))
        count += 1
    if not count:
        raise RefusedError(
            "SHARES_MISSING", "custody holds no share of yours for this dossier", kind=Kind.PRECONDITION
        )
    return count
