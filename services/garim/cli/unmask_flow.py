"""The custodian's side of a second request: fetch, verify everything, decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from garim.api.custody.v1 import custody_pb2
from garim.cli.decisions import decide
from garim.cli.document_files import crls_in
from garim.cli.keyfiles import KeyKind, read_key
from garim.cli.session import Session
from garim.cli.unmask_check import (
    CheckedRequest,
    UnmaskRequest,
    check_request,
    demand_may_approve,
    reseal_shares,
)
from garim.documents.fields import write_instant
from garim.kit.convert import document_from, envelope_to, logged_from
from garim.sealing.quorum import SealedShare

STATES = {
    custody_pb2.UNMASK_STATE_PENDING: "pending",
    custody_pb2.UNMASK_STATE_APPROVED: "approved",
    custody_pb2.UNMASK_STATE_RELEASING: "releasing",
    custody_pb2.UNMASK_STATE_RELEASED: "released",
    custody_pb2.UNMASK_STATE_DENIED: "denied",
    custody_pb2.UNMASK_STATE_EXPIRED: "expired",
    custody_pb2.UNMASK_STATE_REVOKED: "revoked",
}


def summary_json(one: custody_pb2.UnmaskSummary) -> dict[str, Any]:
    """Return a request in short."""
    return {
        "request": one.request_id.hex(),
        "dossier": one.dossier_id.hex(),
        "state": STATES.get(one.state, "unknown"),
        "identities": one.identities,
        "approvals": one.approvals,
        "denials": one.denials,
        "needed": one.needed,
        "opened": write_instant(one.opened_at_ms),
        "expires": write_instant(one.expires_at_ms),
    }


def fetch_request(own: Session, request: bytes) -> custody_pb2.GetUnmaskRequestResponse:
    """Fetch a request with all that a custodian must verify."""
    return own.custody.GetUnmaskRequest(custody_pb2.GetUnmaskRequestRequest(request_id=request))


def verify_request(
    own: Session, request: bytes, answer: custody_pb2.GetUnmaskRequestResponse, crls: Path
) -> CheckedRequest:
    """Verify a fetched request in full; see `unmask_check.check_request`.

    Args:
        own: Who verifies; their pin of the log advances.
        request: Id that was asked for.
        answer: As custody answered.
        crls: Folder of revocation lists.
    """
    return check_request(
        UnmaskRequest(
            request=request,
            document=document_from(answer.document),
            first_document=document_from(answer.first_document),
            grant=logged_from(answer.grant, field="grant"),
            receipt=logged_from(answer.receipt, field="receipt"),
            identities=tuple((one.pseudonym, one.sealed) for one in answer.identities),
            one_time_public=answer.one_time_public_key,
            subject=answer.subject.hex(),
        ),
        open_document=own.open_document,
        governance=own.governance(),
        crls=crls_in(crls),
        now_ms=own.now_ms(),
        verify_logged=own.ledger.verify,
    )


def approve(
    own: Session, request: bytes, crls: Path, reason: str, passphrase_file: Path | None
) -> custody_pb2.UnmaskSummary:
    """Verify a request, re-seal one's shares to it, sign the approval, hand both in.

    Raises:
        RefusedError: Those of `check_request`, of the keys and shares, and of custody.
    """
    answer = fetch_request(own, request)
    checked = verify_request(own, request, answer, crls)
    demand_may_approve(checked, own.person.name)
    shares: list[custody_pb2.ApprovedShare] = []
    sealed = [
        SealedShare(tuple(one.subset), one.custodian, one.sealed, one.digest, holder=own.person.name)
        for one in answer.shares
    ]
    with (
        own.passphrase(passphrase_file) as passphrase,
        read_key(own.person.share_key, KeyKind.SHARE, passphrase) as private,
    ):
        reseal_shares(
            sealed,
            private,
            person=own.person.name,
            mesh=own.mesh.mesh,
            request=request,
            dossier=bytes.fromhex(checked.claims.dossier),
            one_time_public=answer.one_time_public_key,
            resealed=lambda subset, share: shares.append(
                custody_pb2.ApprovedShare(subset=subset, sealed=share)
            ),
        )
    decision = decide(own, "approve", checked.subject, reason, passphrase_file)
    return own.custody.DecideUnmask(
        custody_pb2.DecideUnmaskRequest(request_id=request, decision=envelope_to(decision), shares=shares)
    ).summary


def deny(
    own: Session, request: bytes, crls: Path, reason: str, passphrase_file: Path | None
) -> custody_pb2.UnmaskSummary:
    """Verify a request, sign a denial, hand it in.

    Raises:
        RefusedError: As `approve`.
    """
    checked = verify_request(own, request, fetch_request(own, request), crls)
    decision = decide(own, "deny", checked.subject, reason, passphrase_file, log_answers=False)
    return own.custody.DecideUnmask(
        custody_pb2.DecideUnmaskRequest(request_id=request, decision=envelope_to(decision))
    ).summary


def collect(own: Session, request: bytes) -> bytes:
    """Collect the released identities: bytes in age to the recipient."""
    return own.custody.CollectIdentities(custody_pb2.CollectIdentitiesRequest(request_id=request)).answer
