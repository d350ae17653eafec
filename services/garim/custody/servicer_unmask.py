"""RPCs of the second request: open, look, decide, collect."""

# ruff: noqa: N802, ARG002 - names and arguments are the generated base class's

from __future__ import annotations

import dataclasses
import re

import grpc

from garim.api.common.v1 import statement_pb2
from garim.api.custody.v1 import custody_pb2 as pb
from garim.api.custody.v1 import custody_pb2_grpc
from garim.custody.closing import Closing
from garim.custody.collecting import Collecting, Encrypt
from garim.custody.core import Core
from garim.custody.deciding_unmask import UnmaskDecisions, find_request, tally
from garim.custody.servicer_shares import share_to
from garim.custody.tables import dossiers, unmask
from garim.custody.tables.dossiers import Dossier
from garim.custody.tables.unmask import UnmaskRequest
from garim.custody.unmasking import Unmasking
from garim.kit.convert import document_from, envelope_from, envelope_to, logged_from, logged_to
from garim.kit.identity import Peer, peer_of
from garim.statements import dsse, strict_json
from garim.statements.refusal import Kind, RefusedError
from garim.translog.proven import LogProof

DEFAULT_PAGE = 50
MAX_PAGE = 1000
MAX_DIGITS = 18
"""Of a time in a page token: the database holds 64 bits."""

_ID = re.compile(r"[0-9a-f]{32}")

_STATES = {
    "pending": pb.UNMASK_STATE_PENDING,
    "releasing": pb.UNMASK_STATE_RELEASING,
    "released": pb.UNMASK_STATE_RELEASED,
    "denied": pb.UNMASK_STATE_DENIED,
    "expired": pb.UNMASK_STATE_EXPIRED,
    "revoked": pb.UNMASK_STATE_REVOKED,
}


@dataclasses.dataclass(frozen=True, slots=True)
class UnmaskUseCases:
    """The use cases behind these RPCs."""

    core: Core
    unmasking: Unmasking
    decisions: UnmaskDecisions
    collecting: Collecting

    @classmethod
    def of(cls, core: Core, encrypt: Encrypt) -> UnmaskUseCases:
        """Return all of them over the same means.

        Args:
            core: Custody's means.
            encrypt: Encrypts answers to their recipients.
        """
        return cls(core, Unmasking(core), UnmaskDecisions(core), Collecting(core, encrypt))


class UnmaskRpcs(custody_pb2_grpc.CustodyServiceServicer):
    """Proto to domain and back, one method an RPC.

    Args:
        unmask_use_cases: What is called.
    """

    def __init__(self, unmask_use_cases: UnmaskUseCases) -> None:
        self._core = unmask_use_cases.core
        self._unmasking = unmask_use_cases.unmasking
        self._decisions = unmask_use_cases.decisions
        self._collecting = unmask_use_cases.collecting

    def RequestUnmask(
        self,
        request: pb.RequestUnmaskRequest,
        context: grpc.ServicerContext,
    ) -> pb.RequestUnmaskResponse:
        """Open a request."""
        opened = self._unmasking.open(
            document_from(request.document), logged_from(request.grant, field="grant")
        )
        return pb.RequestUnmaskResponse(request_id=bytes.fromhex(opened.id))

    def GetUnmaskRequest(
        self, request: pb.GetUnmaskRequestRequest, context: grpc.ServicerContext
    ) -> pb.GetUnmaskRequestResponse:
        """Return all that a custodian verifies, and the caller's own shares."""
        found = find_request(self._core, request.request_id.hex())
        if found.is_lost:
            raise RefusedError(
                "REQUEST_STATE",
                "it was lost when custody's database was restored: file a new document",
                kind=Kind.PRECONDITION,
            )
        with self._core.database.reading() as connection:
            dossier = dossiers.find(connection, found.dossier_id)
            identities = unmask.identities(connection, found.id)
            decisions = unmask.decisions(connection, found.id)
            shares = dossiers.shares(connection, found.dossier_id, self._custodian(context))
        if dossier is None:
            raise RefusedError("DOSSIER_UNKNOWN", "the dossier is gone", kind=Kind.DATA_LOSS)
        return pb.GetUnmaskRequestResponse(
            summary=self._summary(found),
            document=statement_pb2.Document(
                media_type=found.media_type,
                content=found.document,
                attachments=[sealed for _, sealed in identities],
            ),
            first_document=statement_pb2.Document(media_type=dossier.media_type, content=dossier.document),
            grant=_logged(found.grant, found.grant_proof),
            receipt=_receipt(self._core, dossier),
            identities=[pb.SealedIdentity(pseudonym=name, sealed=sealed) for name, sealed in identities],
            one_time_public_key=found.public_key,
            subject=bytes.fromhex(found.subject),
            shares=[share_to(one) for one in shares],
            decisions=[envelope_to(dsse.from_bytes(one.envelope)) for one in decisions],
        )

    def ListUnmaskRequests(
        self,
        request: pb.ListUnmaskRequestsRequest,
        context: grpc.ServicerContext,
    ) -> pb.ListUnmaskRequestsResponse:
        """List requests, newest first."""
        size = min(request.page_size or DEFAULT_PAGE, MAX_PAGE)
        states = None
        if request.state:
            states = [name for name, state in _STATES.items() if state == request.state]
            if request.state == pb.UNMASK_STATE_APPROVED:
                states = ["pending"]
        before = _page_token(request.page_token)
        with self._core.database.reading() as connection:
            rows = unmask.page(connection, before, size + 1, states)
        shown = [self._summary(one) for one in rows[:size] if one.state != "making"]
        more = len(rows) > size
        return pb.ListUnmaskRequestsResponse(
            requests=[one for one in shown if not request.state or one.state == request.state],
            next_page_token=f"{rows[size - 1].opened_ms}:{rows[size - 1].id}" if more else "",
        )

    def DecideUnmask(
        self, request: pb.DecideUnmaskRequest, context: grpc.ServicerContext
    ) -> pb.DecideUnmaskResponse:
        """Record a custodian's decision."""
        caller = peer_of(context, self._core.mesh).name
        shares = [(tuple(one.subset), one.sealed) for one in request.shares]
        decided = self._decisions.decide(
            request.request_id.hex(), envelope_from(request.decision), shares, caller
        )
        return pb.DecideUnmaskResponse(summary=self._summary(decided))

    def CollectIdentities(
        self,
        request: pb.CollectIdentitiesRequest,
        context: grpc.ServicerContext,
    ) -> pb.CollectIdentitiesResponse:
        """Release the approved identities."""
        return pb.CollectIdentitiesResponse(answer=self._collecting.collect(request.request_id.hex()))

    def _custodian(self, context: grpc.ServicerContext) -> str:
        peer: Peer = peer_of(context, self._core.mesh)
        # Nobody but a custodian has a share; an empty name matches none.
        return peer.name if peer.role == "custodian" else ""

    def _summary(self, request: UnmaskRequest) -> pb.UnmaskSummary:
        counted = tally(self._core, request, self._core.clock.now_ms())
        state = _STATES[request.state]
        if request.state == "pending" and counted.enough:
            state = pb.UNMASK_STATE_APPROVED
        with self._core.database.reading() as connection:
            identities = len(unmask.identities(connection, request.id))
            decisions = unmask.decisions(connection, request.id)
        approved = counted.approved
        if request.state not in unmask.DECIDABLE:
            # Its shares are gone: what was decided is shown, what still counts is nothing.
            approved = frozenset(one.person for one in decisions if one.action == "approve") - counted.denied
        return pb.UnmaskSummary(
            request_id=bytes.fromhex(request.id),
            dossier_id=bytes.fromhex(request.dossier_id),
            state=state,
            identities=identities,
            approvals=len(approved),
            denials=len(counted.denied),
            needed=counted.needed,
            opened_at_ms=request.opened_ms,
            expires_at_ms=request.expires_ms,
        )


def _logged(statement: bytes, proof: bytes) -> statement_pb2.LoggedStatement:
    return logged_to(dsse.from_bytes(statement), LogProof.from_object(strict_json.parse_object(proof)))


def _receipt(core: Core, dossier: Dossier) -> statement_pb2.LoggedStatement:
    if dossier.receipt is None or dossier.receipt_proof is None:
        raise RefusedError("DOSSIER_NOT_CLOSED", "the dossier has no receipt", kind=Kind.DATA_LOSS)
    receipt = Closing(core).receipt(dossier)
    return logged_to(receipt.statement, receipt.proof)


def _page_token(token: str) -> tuple[int, str] | None:
    if not token:
        return None
    at, _, request_id = token.partition(":")
    if not at.isascii() or not at.isdigit() or len(at) > MAX_DIGITS or not _ID.fullmatch(request_id):
        raise RefusedError("PAGE_TOKEN", "the page token is not one of an earlier answer", field="page_token")
    return int(at), request_id
